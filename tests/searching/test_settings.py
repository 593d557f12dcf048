"""What may vary is known by name, kind and bounds, and is read from text."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.errors import SettingError
from tfxfer.searching import SETTINGS, Choice, FloatRange, IntRange, read_value, read_varied
from tfxfer.searching.settings import check_value, check_varied
from tfxfer.training import Phase

SHARES = st.floats(1e-9, 0.999)


@given(SHARES, SHARES, st.booleans(), st.integers(2, 9))
def test_a_range_reads_as_it_is_written(one, other, log, points):
    low, high = sorted((one, other))
    if low < high:
        varied = FloatRange(low, high, log, points)
        assert read_varied("dropout", str(varied)) == varied


@given(st.integers(1, 99), st.integers(1, 9), st.integers(1, 5))
def test_a_range_of_whole_numbers_reads_as_it_is_written(low, steps, step):
    varied = IntRange(low, low + steps * step, step)
    assert read_varied("batch_size", str(varied)) == varied


@pytest.mark.parametrize(
    ("name", "text", "varied"),
    [
        ("batch_size", "16, 32,64", Choice(16, 32, 64)),
        ("views", "none,2", Choice(None, 2)),
        ("augment", "none,light", Choice("none", "light")),
        ("backbone", "hub:../module,micro", Choice("hub:../module", "micro")),
    ],
)
def test_a_choice_is_read_by_its_setting_s_kind(name, text, varied):
    assert read_varied(name, text) == varied
    assert str(varied) == text.replace(" ", "")


def test_what_is_of_a_phase_is_a_phase_s_and_can_vary_in_all_or_in_some():
    mine = {name for name, each in SETTINGS.items() if each.place == "phase"}
    fields = {field.name for field in dataclasses.fields(Phase)} & mine
    assert mine == {f"{which}{name}" for name in fields for which in ("", "head_", "top_")}
    assert {"rate", "weight_decay", "layer_decay", "warmup", "ema"} < fields
    for name in fields:
        assert SETTINGS[name] == SETTINGS[f"head_{name}"] == SETTINGS[f"top_{name}"]


@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each.kind != "name"])
def test_a_number_out_of_range_is_refused_as_build_fit_and_phase_refuse_it(name, says):
    setting = SETTINGS[name]
    for value in (setting.low - 1, float("nan"), "much", True, *([] if setting.optional else [None])):
        with pytest.raises(SettingError, match=says(f"{name} must be {setting.allowed}, got {value!r}.")):
            check_value(name, value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dropout", 1.0, "dropout must be a number in [0, 1), got 1.0."),
        ("layer_decay", 0, "layer_decay must be a number in (0, 1], got 0."),
        ("top_rate", 0, "top_rate must be a number above 0, got 0."),
        ("top_blocks", 2.5, "top_blocks must be a whole number of at least 1, got 2.5."),
        ("ema", 1, "ema must be a number in (0, 1), or None, got 1."),
        ("mix", "mixups", "mix must be one of mixup, cutmix, or None, got 'mixups'; did you mean 'mixup'?"),
        ("backbone", 3, "backbone must be a name, got 3."),
    ],
)
def test_a_value_is_refused_by_name(name, value, message, says):
    with pytest.raises(SettingError, match=says(message)):
        check_value(name, value)


@pytest.mark.parametrize(
    ("name", "varied", "message"),
    [
        (
            "dropout",
            0.5,
            "dropout must vary over a FloatRange, an IntRange or a Choice, got 0.5; what does not vary goes "
            "into fixed.",
        ),
        (
            "dropout",
            IntRange(0, 1),
            "dropout must vary over a FloatRange or a Choice, got IntRange(low=0, high=1, step=1).",
        ),
        (
            "top_blocks",
            FloatRange(1, 3),
            "top_blocks must vary over an IntRange or a Choice, got FloatRange(low=1, high=3, log=False, "
            "points=3).",
        ),
        ("dropout", FloatRange(0.5, 1.0), "dropout must be a number in [0, 1), got 1.0."),
    ],
)
def test_what_a_setting_cannot_vary_over_is_refused(name, varied, message, says):
    with pytest.raises(SettingError, match=says(message)):
        check_varied(name, varied)


def test_an_unknown_setting_is_refused_with_the_nearest(says):
    message = (
        f"no setting 'had_rate' to search for; did you mean 'head_rate'? There are {', '.join(SETTINGS)}."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_varied("had_rate", "1..2")


@pytest.mark.parametrize("text", ["..", "1..", "1..x", "0..1:0.5", "0..1:log:3:3", "0..1:lug"])
def test_a_range_that_cannot_be_read_is_refused(text, says):
    message = (
        f"dropout cannot vary over {text!r}; write LOW..HIGH, or LOW..HIGH:log, or A,B,C, such as "
        "0.0001..0.01:log."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_varied("dropout", text)


def test_whole_numbers_have_an_example_of_their_own(says):
    message = (
        "top_blocks cannot vary over '1..2.5'; write LOW..HIGH, or LOW..HIGH:log, or A,B,C, such as 1..4."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_varied("top_blocks", "1..2.5")


def test_a_value_that_is_no_number_is_refused_as_it_was_written(says):
    with pytest.raises(SettingError, match=says("dropout must be a number in [0, 1), got 'half'.")):
        read_value("dropout", "half")

"""FroFA: channels get brighter or darker by chance, each within its range; a name or a table is it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfxfer.augment import FroFA, augmentation, choose_feature_augmentation
from tfxfer.contracts import FEATURE_AUGMENTATIONS
from tfxfer.errors import SettingError

MAP = np.random.default_rng(0).gamma(1.0, 2.0, (4, 5, 6)).astype(np.float32)


def test_it_is_the_paper_s_brightness_channel_by_channel():
    """To 0..1 by each channel's ends, a number added, held, and back: worked out number by number."""
    found = FroFA(0.4).changed(MAP, seed=7)
    lots = np.random.default_rng(7).uniform(-1, 1, MAP.shape[-1])
    for channel, lot in enumerate(lots):
        values = [float(value) for value in MAP[..., channel].ravel()]
        low, high = min(values), max(values)
        for value, changed in zip(values, found[..., channel].ravel(), strict=True):
            bright = min(1.0, max(0.0, (value - low) / (high - low) + 0.4 * lot))
            assert changed == pytest.approx(low + bright * (high - low), rel=1e-5, abs=1e-6)
    assert found.dtype == np.float32


def test_chance_is_of_the_seed_and_of_each_channel():
    change = FroFA()
    np.testing.assert_array_equal(change.changed(MAP, seed=3), change.changed(MAP, seed=3))
    assert (change.changed(MAP, seed=3) != change.changed(MAP, seed=4)).any()
    same = np.repeat(MAP[..., :1], 6, axis=-1)  # channels alike, changed each by a number of its own
    assert len(np.unique(change.changed(same, seed=3).mean((0, 1)))) == 6


@given(
    arrays(np.float32, (3, 2, 4), elements=st.floats(-100, 100, width=32)),
    st.floats(0.01, 1),
    st.integers(0, 2**63),
)
def test_no_channel_leaves_its_range_or_moves_further_than_the_strength(features, strength, seed):
    found = FroFA(strength).changed(features, seed)
    low, high = features.min((0, 1)), features.max((0, 1))
    assert ((found >= low) & (found <= high)).all()
    assert (np.abs(found - features) <= strength * (high - low) * (1 + 1e-5) + 1e-5).all()


def test_its_digest_is_of_its_strength():
    assert FroFA(0.2).digest == FroFA(0.2).digest != FroFA(0.3).digest
    assert str(FroFA(0.2)) == "frofa(strength=0.2)"


@pytest.mark.parametrize("meant", ["frofa", FroFA(), {"name": "frofa", "strength": 0.3}], ids=str)
def test_it_is_meant_by_its_name_itself_and_a_table(meant):
    assert choose_feature_augmentation(meant) == FroFA(0.3)


def test_its_name_is_told_where_nothing_heavy_is_loaded():
    assert (FroFA.name,) == FEATURE_AUGMENTATIONS


@pytest.mark.parametrize("meant", [None, "light", np.flipud], ids=["none", "policy", "function"])
def test_others_are_none(meant):
    assert choose_feature_augmentation(meant) is None


@pytest.mark.parametrize(
    ("strength", "message"),
    [
        (0, "strength of FroFA must be above 0 and at most 1, got 0."),
        (1.5, "strength of FroFA must be above 0 and at most 1, got 1.5."),
        (float("nan"), "strength of FroFA must be above 0 and at most 1, got nan."),
        (True, "strength of FroFA must be a number, got True."),
        ("much", "strength of FroFA must be a number, got 'much'."),
    ],
)
def test_a_strength_that_is_none_says_what_is_allowed(strength, message, says):
    with pytest.raises(SettingError, match=says(message)):
        FroFA(strength)


@pytest.mark.parametrize("table", [{"name": "light", "strength": 0.3}, {"name": "frofa"}], ids=str)
def test_a_table_of_something_else_is_refused(table, says):
    message = f"augment as a table has the name 'frofa' and a strength, got {table}."
    with pytest.raises(SettingError, match=says(message)):
        choose_feature_augmentation(table)


def test_it_is_nothing_for_pictures(says):
    message = (
        "augment must be the name of a policy, something of albumentations, or a function of pixels; got "
        "FroFA FroFA(strength=0.3)."
    )
    with pytest.raises(SettingError, match=says(message)):
        augmentation(FroFA())

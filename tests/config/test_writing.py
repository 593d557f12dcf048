"""All that TOML can hold is written so that it is read as it was; all else is named."""

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer import L2SP, Distillation, MixUp, Phase, Recipe
from tfxfer.config import BATCH_NORMS, Bundle, Judging, Model, Pictures, Training
from tfxfer.config.writing import written
from tfxfer.contracts import BALANCES, FEATURE_USES, NEAR_DUPLICATES, PLANS, RESIZES, TASKS

TEXT = st.text(max_size=8)
NUMBER = st.floats(allow_nan=False) | st.integers(-9, 9).map(float)
SHARE = st.floats(0, 1, exclude_max=True)
COUNT = st.integers(1, 99)


def maybe(strategy):
    return st.none() | strategy


PENALTIES = st.fixed_dictionaries({"l1": st.floats(0, 1), "l2": st.floats(0, 1)}) | st.fixed_dictionaries(
    {"anchor": st.builds(L2SP, st.floats(0, 9), st.floats(0, 9))}
)
PHASE = st.builds(
    lambda penalties, **settings: Phase(**settings, **penalties),
    PENALTIES,
    name=TEXT,
    train=TEXT | st.integers(-9, 9) | st.builds(slice, maybe(COUNT), maybe(COUNT), maybe(COUNT)),
    epochs=COUNT,
    rate=st.floats(0, 1, exclude_min=True) | st.just("find"),
    warmup=SHARE,
    schedule=st.sampled_from(["cosine", "one-cycle", "step", "constant"]),
    patience=maybe(COUNT),
    batch_norm=st.sampled_from(BATCH_NORMS),
    optimizer=st.sampled_from(["adamw", "sgd"]),
    layer_decay=st.floats(0, 1, exclude_min=True),
    drops=st.sets(st.floats(0, 1, exclude_min=True, exclude_max=True)).map(sorted).map(tuple),
    ema=maybe(st.floats(0, 1, exclude_min=True, exclude_max=True)),
    soup=maybe(st.integers(2, 9)),
)
RECIPE = st.builds(
    Recipe,
    pictures=st.builds(
        Pictures,
        source=maybe(TEXT),
        columns=maybe(st.dictionaries(TEXT, TEXT | st.lists(TEXT).map(tuple))),
        task=maybe(st.sampled_from(TASKS)),
        separator=maybe(TEXT),
        root=maybe(TEXT),
        download=st.booleans(),
        resize=st.sampled_from(RESIZES),
        max_bad=NUMBER,
        near_duplicates=st.sampled_from(NEAR_DUPLICATES),
    ),
    model=st.builds(
        Model,
        backbone=TEXT,
        weights=maybe(TEXT.filter(lambda text: text != "none")),
        image_size=maybe(COUNT),
        pixel_range=maybe(st.tuples(NUMBER, NUMBER)),
        drop_path=maybe(NUMBER),
    ),
    training=st.builds(
        Training,
        plan=maybe(st.sampled_from(PLANS) | st.lists(PHASE, max_size=3).map(tuple)),
        head_epochs=maybe(COUNT),
        batch_norm=maybe(st.sampled_from(BATCH_NORMS)),
        balance=maybe(st.sampled_from(BALANCES)),
        augment=TEXT,
        mix=maybe(
            st.sampled_from(["mixup", "cutmix"])
            | st.fixed_dictionaries({"name": st.just("mixup"), "alpha": NUMBER})
        ),
        distillation=maybe(st.builds(Distillation, TEXT, st.floats(0.1, 9), st.floats(0, 0.9))),
        features=st.sampled_from(FEATURE_USES),
        guard=st.booleans(),
    ),
    judging=st.builds(Judging, calibrate=st.booleans(), reject=maybe(NUMBER)),
    bundle=st.builds(Bundle, formats=st.lists(TEXT, max_size=3).map(tuple), report=st.booleans()),
    seed=st.integers(0, 2**32 - 1),
    lacks=st.dictionaries(TEXT, TEXT, max_size=2),
)


@given(RECIPE, TEXT)
def test_what_is_written_is_read(tmp_path_factory, recipe, heading):
    file = tmp_path_factory.getbasetemp() / "round.toml"
    assert recipe.to_toml(file, heading=heading) == file
    assert Recipe.from_toml(file) == recipe


def test_none_by_default_is_left_out_and_other_none_is_a_word():
    table, lacks = written(Recipe(model=Model(weights=None)))
    assert lacks == {}
    assert table["model"] == {"backbone": "mobilenet_v2", "weights": "none", "dropout": 0.2}
    assert "lacks" not in table


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"image_size": np.int64(32)}, 32),
        ({"label_smoothing": np.float32(0.5)}, 0.5),
        ({"label_smoothing": 0}, 0),
        ({"weights": Path("some") / "file.h5"}, str(Path("some") / "file.h5")),
        ({"weights": Path("none")}, "./none"),
        ({"formats": ["keras"]}, ["keras"]),
        ({"columns": {"label": ("a", "b")}}, {"label": ["a", "b"]}),
    ],
    ids=str,
)
def test_what_python_has_becomes_what_toml_has(given, plain):
    (name,) = given
    table, lacks = written(Recipe().with_settings(**given))
    assert lacks == {}
    (found,) = (group[name] for group in table.values() if isinstance(group, dict) and name in group)
    assert (found, type(found)) == (plain, type(plain))


def brighten(pixels):
    return pixels


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"augment": brighten}, "function brighten"),
        ({"mix": MixUp(0.4)}, "of type MixUp"),
        (
            {"plan": [Phase("head"), Phase("top", optimizer=keras.optimizers.Lion())]},
            "optimizer of phase 'top' is of type Lion",
        ),
        ({"plan": [Phase("top", train=slice("a", None))]}, "train of phase 'top' is {'start': 'a'}"),
        ({"source": {"path": []}}, "{'path': []}"),
        ({"source": object()}, "of type object"),
        ({"distillation": Distillation(keras.Sequential())}, "teacher is of type Sequential"),
        ({"weights": "none"}, "the text 'none', which stands for None"),
        ({"columns": {1: "label"}}, "1, which is no text of Unicode"),
        ({"root": "\udcff"}, "'\\udcff', which is no text of Unicode"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_it_cannot_hold_is_left_out_and_named(given, what):
    table, lacks = written(Recipe().with_settings(**given))
    (name,) = given
    assert lacks == {name: what}
    assert not any(name in group for group in table.values() if isinstance(group, dict))

"""What is no setting, or of another type, is named with the place that it is at; all else is read."""

from contextlib import suppress

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tfxfer import L2SP, Distillation, Phase, Recipe, SettingError
from tfxfer.config.recipe import GROUPS, HOMES

OF_MODELS = "backbone, weights, weights_sha256, image_size, pixel_range, dropout, drop_path"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "recipe.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[model]\nbakbone = 'micro'",
            f": no setting 'bakbone' in [model]; did you mean 'backbone'? There are {OF_MODELS}.",
        ),
        (
            "[model]\nhead_epochs = 3",
            f": no setting 'head_epochs' in [model]; it belongs into [training]. There are {OF_MODELS}.",
        ),
        (
            "backbone = 'micro'",
            ": no setting 'backbone'; it belongs into [model]. There are pictures, model, training, judging, "
            "bundle, seed, lacks.",
        ),
        (
            "[modl]",
            ": no setting 'modl'; did you mean 'model'? There are pictures, model, training, judging, "
            "bundle, seed, lacks.",
        ),
        ("model = 'micro'", ": model must be a table, got 'micro'."),
        ("[training]\nhead_epochs = '3'", ": head_epochs in [training] must be a whole number, got '3'."),
        ("[training]\nhead_epochs = 3.0", ": head_epochs in [training] must be a whole number, got 3.0."),
        ("[training]\nguard = 1", ": guard in [training] must be true or false, got 1."),
        (
            "[training]\nplan = 'gradul'",
            ": plan in [training] must be 'two-phase', 'head', 'gradual', 'full' or a list, got 'gradul'; "
            "did you mean 'gradual'?",
        ),
        (
            "[training]\nbalance = 2020-01-01",
            ": balance in [training] must be 'none', 'class_weights', 'sampling', 'focal' or 'auto', got "
            "datetime.date(2020, 1, 1).",
        ),
        ("[model]\npixel_range = [0]", ": pixel_range in [model] must be a list of 2, got [0]."),
        ("[model]\npixel_range = [0, 'a']", ": pixel_range in [model] must be a number, got 'a'."),
        ("[bundle]\nformats = ['keras', 1]", ": formats in [bundle] must be text, got 1."),
        (
            "[pictures.columns]\nlabel = ['a', 1]",
            ": label in [pictures.columns] must be text, got 1.",
        ),
        ("[[training.plan]]\nepochs = 1", ": name in [training.plan] is missing; give text."),
        (
            "[[training.plan]]\nname = 'top'\nepoch = 1",
            ": no setting 'epoch' in [training.plan]; did you mean 'epochs'? There are name, train, epochs, "
            "rate, warmup, schedule, patience, batch_norm, weight_decay, optimizer, layer_decay, l1, l2, "
            "anchor, drops, ema, soup, co_tuning.",
        ),
        (
            "[[training.plan]]\nname = 'top'\nepochs = 0",
            ": epochs of phase 'top' must be at least 1, got 0.",
        ),
        (
            "[[training.plan]]\nname = 'top'\ntrain = {first = 1}",
            ": first in [training.plan.train] must be start, stop or step, and a whole number, got 1.",
        ),
        (
            "[[training.plan]]\nname = 'top'\nanchor = {alpha = 'much'}",
            ": alpha in [training.plan.anchor] must be a number, got 'much'.",
        ),
        ("seed = ", " is no TOML (Invalid value (at end of document)); mend it there."),
    ],
    ids=lambda value: None if value.startswith((":", " is")) else value.replace("\n", " "),
)
def test_what_is_wrong_is_named(file, says, text, message):
    file.write_text(text)
    with pytest.raises(SettingError, match=says(f"{file}{message}")):
        Recipe.from_toml(file)


def test_a_file_that_is_not_there_is_told(file, says):
    message = (
        f"{file} cannot be read (No such file or directory); give a TOML file, such as recipe.toml of a "
        "bundle."
    )
    with pytest.raises(SettingError, match=says(message)):
        Recipe.from_toml(file)


def test_what_is_left_out_is_as_by_default(file):
    file.write_text("")
    assert Recipe.from_toml(file) == Recipe()


def test_all_kinds_are_read(file):
    file.write_text(
        """
        seed = 3
        [pictures]
        columns = {label = ["red", "blue"], path = "file"}
        [model]
        weights = "none"
        pixel_range = [0, 1]
        [training]
        soup = "none"
        balance = "none"
        mix = {name = "mixup", alpha = 0.4}
        distillation = {teacher = "first", temperature = 2}
        [[training.plan]]
        name = "head"
        rate = "find"
        [[training.plan]]
        name = "top"
        train = {start = -30}
        patience = "none"
        anchor = {alpha = 1}
        """
    )
    recipe = Recipe.from_toml(file)
    assert recipe.seed == 3
    assert recipe.pictures.columns == {"label": ("red", "blue"), "path": "file"}
    assert (recipe.model.weights, recipe.model.pixel_range) == (None, (0.0, 1.0))
    assert (recipe.training.soup, recipe.training.balance) == (None, "none")
    assert recipe.training.mix == {"name": "mixup", "alpha": 0.4}
    assert recipe.training.distillation == Distillation("first", temperature=2.0)
    assert recipe.training.plan == (
        Phase("head", rate="find"),
        Phase("top", train=slice(-30, None), patience=None, anchor=L2SP(1.0)),
    )


NAMES = [
    *GROUPS,
    *HOMES,
    "seed",
    "lacks",
    "name",
    "anchor",
    "alpha",
    "teacher",
    "drops",
    "epochs",
    "train",
    "start",
]
PLAIN = st.none().map(lambda _: "none") | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*GROUPS, "seed", "lacks"]), VALUES, max_size=4))
def test_whatever_a_file_says_it_is_a_recipe_or_is_refused(tmp_path_factory, table):
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(tomli_w.dumps(table), encoding="utf-8")
    with suppress(SettingError):  # and nothing else
        assert isinstance(Recipe.from_toml(file), Recipe)

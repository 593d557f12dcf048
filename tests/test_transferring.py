"""The door to the whole job: its settings are the recipe's, and it says so to whoever asks."""

import inspect
import typing
from typing import Any, get_type_hints

import pytest

import tfxfer
from tfxfer import Recipe
from tfxfer.config.kinds import types_of
from tfxfer.config.recipe import GROUPS
from tfxfer.transferring import Settings
from tfxfer.workflow import BUILDING, CLEANING, LEARNING, READING

OF_THE_OCCASION = ("folder", "to", "recipe", "csv", "tensorboard", "force", "resume", "progress", "console")


def test_its_settings_are_the_recipe_s():
    unseen = dict.fromkeys(("Source", "DeviceAugmentation", "FroFA", "Mixing"), Any)
    hints = get_type_hints(Settings, localns=unseen)
    kinds = {name: kind for group in GROUPS.values() for name, kind in types_of(group).items()} | {
        "seed": int
    }
    assert set(hints) == set(kinds) - {"source"}
    looser = {name for name, kind in kinds.items() if Any in typing.get_args(kind)}
    assert looser == {"source", "augment", "mix"}  # Python has more of these than TOML
    differing = {name for name in hints if hints[name] != kinds[name]} - looser
    assert differing == {"plan"}  # any sequence of phases


def test_help_has_each_setting_with_its_default():
    parameters = inspect.signature(tfxfer.transfer).parameters
    assert list(parameters)[: len(OF_THE_OCCASION)] == list(OF_THE_OCCASION)
    settings = {name: each.default for name, each in parameters.items() if name not in OF_THE_OCCASION}
    defaults = Recipe().settings
    assert settings == {name: default for name, default in defaults.items() if name != "source"}
    assert parameters["image_size"].annotation == "int | None"
    text = inspect.getdoc(tfxfer.transfer)
    assert [name for name in parameters if f"\n    {name}: " not in text] == []


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (tfxfer.data.read_photos, READING),
        (tfxfer.clean, CLEANING),
        (tfxfer.build, BUILDING),
        (tfxfer.fit, LEARNING),
        (tfxfer.export, ("formats",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_defaults_are_those_of_the_steps(step, names):
    parameters = inspect.signature(step).parameters
    assert {name: parameters[name].default for name in names} == Recipe().pick(*names)


def test_pictures_must_be_named(tmp_path, says):
    message = "no pictures are named; give a folder, a table, or tfds: and a name."
    with pytest.raises(tfxfer.SettingError, match=says(message)):
        tfxfer.transfer(to=tmp_path / "model")


def test_an_unknown_setting_is_named(tmp_path):
    with pytest.raises(tfxfer.SettingError, match=r"^no setting 'bakbone'; did you mean 'backbone'\? "):
        tfxfer.transfer(tmp_path, to=tmp_path / "model", bakbone="micro")


def test_what_a_recipe_lacks_must_be_given(tmp_path, says):
    recipe = Recipe(lacks={"augment": "function brighten"}).with_settings(source=tmp_path, seed=-1)
    file = recipe.to_toml(tmp_path / "recipe.toml")
    message = (
        "the recipe lacks augment, of which a file cannot hold function brighten; give augment beside it, or "
        "take it out of [lacks] to do without."
    )
    for given in (recipe, file, str(file)):
        with pytest.raises(tfxfer.SettingError, match=says(message)):
            tfxfer.transfer(recipe=given, to=tmp_path / "model")

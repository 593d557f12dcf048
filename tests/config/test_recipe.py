"""Recipe: settings under one roof, written whole or refused, and honest about what it lacks."""

import pytest

from tfxfer import Recipe, SettingError
from tfxfer.config.recipe import GROUPS, HOMES


def test_each_setting_has_one_home():
    settings = Recipe().settings
    assert set(settings) == {*HOMES, "seed"}
    assert len(settings) == 1 + sum(len(kind.__dataclass_fields__) for kind in GROUPS.values())
    assert not HOMES.keys() & {*GROUPS, "seed", "lacks"}


def test_settings_are_changed_wherever_they_are():
    recipe = Recipe(lacks={"augment": "function f", "plan": "of type X"})
    changed = recipe.with_settings(backbone="micro", seed=5, augment="light")
    assert (changed.model.backbone, changed.seed, changed.training.augment) == ("micro", 5, "light")
    assert changed.lacks == {"plan": "of type X"}
    assert changed.pick("seed", "backbone") == {"seed": 5, "backbone": "micro"}
    assert recipe.model.backbone == "mobilenet_v2"


def test_an_unknown_setting_is_named(says):
    message = f"no setting 'bakbone'; did you mean 'backbone'? There are {', '.join(HOMES)}, seed."
    with pytest.raises(SettingError, match=says(message)):
        Recipe().with_settings(bakbone="micro")


def test_what_toml_cannot_hold_is_refused_by_name(tmp_path, says):
    recipe = Recipe().with_settings(augment=max, source=[1], backbone="micro")
    message = (
        "a recipe in TOML cannot hold source ([1]), augment (of type builtin_function_or_method); give it by "
        "a name or in numbers, or write recipe.writable(), which says what it lacks."
    )
    with pytest.raises(SettingError, match=says(message)):
        recipe.to_toml(tmp_path / "recipe.toml")
    assert not list(tmp_path.iterdir())
    bare = recipe.writable()
    assert bare.settings == Recipe().settings | {"backbone": "micro"}
    assert bare.lacks == {"source": "[1]", "augment": "of type builtin_function_or_method"}
    assert Recipe.from_toml(bare.to_toml(tmp_path / "recipe.toml")) == bare


def test_it_begins_with_its_heading(tmp_path):
    file = Recipe().to_toml(tmp_path / "recipe.toml", heading="One line.\nAnd another.")
    assert file.read_text().startswith("# One line.\n# And another.\nseed = 0\n\n[pictures]\n")

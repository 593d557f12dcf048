"""The recipe in a bundle: it leads to the same things from any folder, and says what it cannot hold."""

import io
from dataclasses import replace
from pathlib import Path

import keras
import pytest
from rich.console import Console

import tfxfer
from tfxfer import CutMix, Distillation, Phase, Recipe
from tfxfer.exports import made_with
from tfxfer.keeping import kept_recipe, placed, write_recipe


def brighten(pixels):
    return pixels


def kept(**settings):
    """Keep a recipe of some settings; return it and what was told."""
    console = Console(file=io.StringIO(), width=200)
    recipe = kept_recipe(Recipe().with_settings(**settings), progress=True, console=console)
    return recipe, console.file.getvalue()


def test_paths_lead_there_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first").mkdir()
    recipe = Recipe().with_settings(
        source="flowers.csv",
        root=Path("flowers"),
        weights="own.h5",
        backbone="file:first",
        distillation=Distillation("teacher", alpha=0.5),
    )
    settings = placed(recipe).settings
    assert settings["source"] == str(tmp_path / "flowers.csv")
    assert settings["root"] == str(tmp_path / "flowers")
    assert settings["weights"] == str(tmp_path / "own.h5")
    assert settings["backbone"] == f"file:{tmp_path / 'first'}"
    assert settings["distillation"] == Distillation(str(tmp_path / "teacher"), alpha=0.5)
    assert settings["data_dir"] is None


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "tfds:beans"},
        {"weights": None},
        {"weights": "imagenet"},
        {"backbone": "hub:https://example.com/module"},
        {"backbone": "micro"},
        {},
    ],
    ids=str,
)
def test_what_is_no_path_stays(settings):
    recipe = Recipe().with_settings(**settings)
    assert placed(recipe) == recipe


def test_what_has_a_name_or_numbers_is_kept_by_them():
    light = tfxfer.POLICIES["light"]
    for augment in ("light", light, tfxfer.augmentation("light")):
        recipe, told = kept(augment=augment, mix=CutMix(0.5), plan=[Phase("head")])
        assert (recipe.training.augment, told) == ("light", "")
        assert recipe.training.mix == {"name": "cutmix", "alpha": 0.5}
        assert not recipe.lacks
    assert kept(augment=tfxfer.FroFA(0.2))[0].training.augment == {"name": "frofa", "strength": 0.2}
    other = replace(light, steps=light.steps[:1])
    assert kept(augment=other)[0].lacks == {"augment": "of type Policy"}


def test_what_a_file_cannot_hold_is_told(tmp_path):
    plan = [Phase("head", optimizer=keras.optimizers.Lion())]
    recipe, told = kept(augment=brighten, plan=plan, seed=3)
    assert told == (
        "recipe.toml: it cannot hold plan (optimizer of phase 'head' is of type Lion), which is to be given "
        "beside it.\n"
        "recipe.toml: it cannot hold augment (function brighten), which is to be given beside it.\n"
    )
    after = []
    write_recipe(recipe, tmp_path, (), then=lambda *given: after.append(given))
    assert after == [(tmp_path, ())]
    file = tmp_path / "recipe.toml"
    versions = ", ".join(f"{name} {version}" for name, version in made_with().items())
    assert file.read_text().splitlines()[:2] == [
        f"# What this model was told, by {versions}.",
        "# Made again by: tfxfer train --recipe recipe.toml --to DIR, with plan and augment given beside",
    ]
    assert Recipe.from_toml(file) == recipe
    assert recipe.lacks.keys() == {"plan", "augment"}
    assert recipe.seed == 3
    again = Recipe.from_toml(file).with_settings(augment=brighten, plan=plan)
    assert not again.lacks

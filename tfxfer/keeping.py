"""The recipe of a run as its bundle keeps it: found from any folder, and honest about what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from tfxfer import augment
from tfxfer.backbones import is_outside
from tfxfer.config import Recipe
from tfxfer.data import is_tfds
from tfxfer.exports import Artifact, made_with

__all__ = ["RECIPE", "kept_recipe", "placed", "write_recipe"]

RECIPE = "recipe.toml"
"""What the file is called in a bundle."""


def placed(recipe: Recipe) -> Recipe:
    """Return a recipe whose paths say from any folder where things are, as text."""
    pictures, model = recipe.pictures, recipe.model
    given = {name: getattr(pictures, name) for name in ("source", "root", "data_dir")}
    changes = {name: _absolute(place) for name, place in given.items() if place is not None}
    if model.weights not in (None, "pretrained", "imagenet"):
        changes["weights"] = _absolute(model.weights)
    taught = recipe.training.distillation
    if taught is not None and isinstance(taught.teacher, str | Path):
        changes["distillation"] = replace(taught, teacher=_absolute(taught.teacher))
    form, _, path = model.backbone.partition(":")
    if is_outside(model.backbone) and Path(path).exists():
        changes["backbone"] = f"{form}:{_absolute(path)}"
    return recipe.with_settings(**changes)


def kept_recipe(recipe: Recipe, *, progress: bool, console: Console | None) -> Recipe:
    """Return a recipe that repeats this one's run from any folder, and say what it lacks to do so.

    Args:
        recipe: What a run is told.
        progress: Whether what it lacks is told.
        console: Where; None is standard error.
    """
    training = recipe.training
    plain = {"mix": _plain_mixing(training.mix), "augment": _plain_augmentation(training.augment)}
    kept = placed(recipe.with_settings(**plain)).writable()
    console = console or Console(stderr=True)
    for name, what in kept.lacks.items() if progress else ():
        line = f"{RECIPE}: it cannot hold {name} ({what}), which is to be given beside it."
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return kept


def write_recipe(
    recipe: Recipe,
    folder: Path,
    artifacts: Sequence[Artifact],
    *,
    then: Callable[[Path, Sequence[Artifact]], None] | None = None,
) -> None:
    """Write a recipe into the folder of a bundle to be, as ``export`` calls what is written beside.

    Args:
        recipe: What ``kept_recipe`` gave.
        folder: The folder.
        artifacts: The forms.
        then: What writes further files.
    """
    versions = ", ".join(f"{name} {version}" for name, version in made_with().items())
    beside = f", with {' and '.join(recipe.lacks)} given beside" if recipe.lacks else ""
    heading = (
        f"What this model was told, by {versions}.\nMade again by: tfxfer train --recipe {RECIPE} --to DIR"
    )
    recipe.to_toml(folder / RECIPE, heading=f"{heading}{beside}")
    if then is not None:
        then(folder, artifacts)


def _absolute(place: Any) -> Any:
    """Turn a path into text that leads there from any folder; what is none stays."""
    if not isinstance(place, str | Path) or is_tfds(place):
        return str(place) if isinstance(place, Path) else place
    return str(Path(place).absolute())


def _plain_mixing(mix: Any) -> Any:
    return {"name": mix.name, "alpha": mix.alpha} if type(mix) in map(type, augment.MIXES.values()) else mix


def _plain_augmentation(change: Any) -> Any:
    """Call by its name what a policy makes, and leave all else."""
    if change is None or isinstance(change, str):
        return change  # albumentations is imported only where there is something of it
    if isinstance(change, augment.FroFA):
        return {"name": change.name, "strength": change.strength}
    name = getattr(change, "name", None)
    if not isinstance(change, augment.Policy | augment.Augmentation) or name not in augment.POLICIES:
        return change
    known = augment.augmentation(name)
    return name if augment.augmentation(change).digest == known.digest else change

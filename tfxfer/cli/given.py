"""What a command line gives of a run's settings, and the recipe that it goes before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import tfxfer
from tfxfer.cli.options import PIXEL_RANGES, columns_of

__all__ = ["given_settings", "recipe_option", "told"]

recipe_option = click.option(
    "--recipe",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Do as a TOML file says, such as recipe.toml of a bundle, but for the options given here.",
)


def given_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return what is given on the line, as ``tfxfer.transfer`` takes it; defaults are the recipe's.

    Args:
        options: All options of the command that runs.
    """
    source_of = click.get_current_context().get_parameter_source
    given = {name: value for name, value in options.items() if source_of(name) is not ParameterSource.DEFAULT}
    if columns := columns_of(given):
        given["columns"] = columns
    if given.get("weights", "").lower() == "none":
        given["weights"] = None
    if "pixel_range" in given:
        given["pixel_range"] = PIXEL_RANGES[given["pixel_range"]]
    return given


def told(file: Path, given: dict[str, Any], folder: Path | None) -> tfxfer.Recipe:
    """Read a recipe, have the columns that are given be beside its own, and say what goes before it.

    Args:
        file: The TOML file.
        given: Settings from ``given_settings``; columns are added to.
        folder: Pictures, where they are given.
    """
    recipe = tfxfer.Recipe.from_toml(file)
    if "columns" in given:
        given["columns"] = {**(recipe.pictures.columns or {}), **given["columns"]}
    before = given if folder is None else {"source": folder, **given}
    if said := [f"{name} {before[name]}" for name in recipe.settings if name in before]:
        click.echo(f"{file} is followed but for what is given here: {', '.join(said)}.", err=True)
    return recipe

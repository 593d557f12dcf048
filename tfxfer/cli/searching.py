"""``tfxfer search``: which settings suit somebody's pictures, and a model trained by them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

import tfxfer
from tfxfer import searching
from tfxfer.cli.given import given_settings
from tfxfer.cli.options import FOLDER, at_least_1, json_option
from tfxfer.cli.settings import setting_options
from tfxfer.cli.streams import quiet
from tfxfer.errors import SettingError

__all__ = ["search"]

Read = TypeVar("Read")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--to", required=True, metavar="DIR", type=FOLDER, help="Folder for the study; go on there if it has one."
)
@click.option("--trials", type=at_least_1, default=20, show_default=True, help="How many in all.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Begin no further trial after so long.")
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=WHAT",
    help="A setting, and LOW..HIGH, LOW..HIGH:log or A,B,C; more than once. The rate and blocks at the top, "
    "weight decay and dropout if not given.",
)
@click.option(
    "--set",
    "fix",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting that does not vary and has no option below, such as top_rate; more than once.",
)
@click.option(
    "--sampler",
    type=click.Choice(searching.SAMPLERS),
    default="tpe",
    show_default=True,
    help="What draws settings: where trials did well, at random, or all of a grid.",
)
@click.option(
    "--pruner",
    type=click.Choice(searching.PRUNERS),
    default="median",
    show_default=True,
    help="What ends trials that fall behind.",
)
@click.option(
    "--by",
    type=click.Choice(searching.JUDGES),
    default="loss",
    show_default=True,
    help="What of the validation part judges: loss, or accuracy (of numbers, mean absolute error).",
)
@setting_options
@json_option
def search(folder: Path, vary: Sequence[str], fix: Sequence[str], as_json: bool, **options: Any) -> None:
    """Search for settings that suit the pictures in FOLDER, and train by the best.

    FOLDER is whatever tfxfer train takes. Trials are judged on the validation part, and the best of them
    once, at the end, on the test part. DIR holds the study (study.db, study.json, study.png) and the bundle
    (best). The same command again goes on where it was cut off. Options of tfxfer train are of all trials,
    for which --features auto keeps them wherever that can be. Needs tfxfer[search].
    """
    space = _read(vary, "--vary", "WHAT", searching.read_varied)
    settings = given_settings(options)
    with quiet():
        found = tfxfer.search(
            folder,
            space=space or None,
            fixed=_read(fix, "--set", "VALUE", searching.read_value),
            **settings,
        )
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    click.echo(str(found))
    click.echo(f"Try it: tfxfer predict {found.folder / 'best'} IMAGE")


def _read(given: Sequence[str], option: str, what: str, read: Callable[[str, str], Read]) -> dict[str, Read]:
    """Read options of the form NAME=…."""
    values: dict[str, Read] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"{option} {text!r} has no '='; write {option} NAME={what}.")
        if name in values:
            raise SettingError(f"{option} names {name} twice; leave one out.")
        values[name] = read(name, value)
    return values

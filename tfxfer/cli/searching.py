"""``tfxfer search``: which settings suit somebody's pictures, and a model trained by them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

import tfxfer
from tfxfer import searching
from tfxfer.cli.options import (
    FOLDER,
    PIXEL_RANGES,
    at_least_1,
    cleaning_options,
    columns_of,
    json_option,
    resize_option,
    source_options,
    weights_option,
    weights_sha256_option,
)
from tfxfer.cli.streams import quiet
from tfxfer.contracts import FEATURE_USES
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
    help="A setting, and LOW..HIGH, LOW..HIGH:log or A,B,C; more than once. Rates, blocks at the top, weight "
    "decay, dropout and label smoothing if not given.",
)
@click.option(
    "--set", "fix", multiple=True, metavar="NAME=VALUE", help="A setting that does not vary; more than once."
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
@click.option("--backbone", help="As in tfxfer train; mobilenet_v2 if neither set nor varied.")
@weights_option
@weights_sha256_option
@click.option(
    "--pixel-range", type=click.Choice(list(PIXEL_RANGES)), help="For some backbones, as in tfxfer train."
)
@resize_option
@click.option(
    "--features",
    type=click.Choice(FEATURE_USES),
    default="auto",
    show_default=True,
    help="Keep what the frozen part makes of pictures: wherever that can be, always, never.",
)
@cleaning_options
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of split, weights, shuffling, and what is drawn.",
)
@source_options
@json_option
def search(
    folder: Path,
    weights: str,
    pixel_range: str | None,
    vary: Sequence[str],
    fix: Sequence[str],
    as_json: bool,
    **settings: Any,
) -> None:
    """Search for settings that suit the pictures in FOLDER, and train by the best.

    FOLDER is whatever tfxfer train takes. Trials are judged on the validation part, and the best of them
    once, at the end, on the test part. DIR holds the study (study.db, study.json, study.png) and the bundle
    (best). The same command again goes on where it was cut off. Needs tfxfer[search].
    """
    space = _read(vary, "--vary", "WHAT", searching.read_varied)
    columns = columns_of(settings)
    with quiet():
        found = tfxfer.search(
            folder,
            space=space or None,
            fixed=_read(fix, "--set", "VALUE", searching.read_value),
            weights=None if weights.lower() == "none" else weights,
            pixel_range=PIXEL_RANGES[pixel_range] if pixel_range else None,
            columns=columns,
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

"""``tfxfer rank``: which backbone suits somebody's pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data, features
from tfxfer.cli.options import FOLDER, at_least_1, columns_of, json_option, source_options
from tfxfer.cli.streams import quiet

__all__ = ["rank"]


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--backbones", metavar="A,B,…", help="Names; see tfxfer backbones. A short list if not given.")
@click.option("--max-parameters", metavar="COUNT", help="At most so many parameters, e.g. 5M.")
@click.option("--max-macs", metavar="COUNT", help="At most so many multiply-adds a picture, e.g. 400M.")
@click.option("--image-size", type=at_least_1, help="Side in pixels; each one's own if not given.")
@click.option(
    "--images", type=click.IntRange(min=10), default=2000, show_default=True, help="Pictures at most."
)
@click.option("--picture", metavar="FILE", type=FOLDER, help="Draw it. Needs tfxfer[plot].")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the split.")
@source_options
@json_option
def rank(
    folder: Path,
    backbones: str | None,
    max_parameters: str | None,
    max_macs: str | None,
    image_size: int | None,
    images: int,
    picture: Path | None,
    seed: int,
    as_json: bool,
    **settings: Any,
) -> None:
    """Compare backbones on the pictures in FOLDER by their frozen features.

    FOLDER is whatever tfxfer train takes. Nothing is trained but a linear model.
    """
    columns = columns_of(settings)
    names = [name.strip() for name in backbones.split(",")] if backbones else None
    with quiet():
        photos = data.clean(data.read_photos(folder, columns=columns, seed=seed, **settings))
        ranking = tfxfer.rank(
            photos,
            names,
            max_parameters=max_parameters,
            max_macs=max_macs,
            image_size=image_size,
            images=images,
            seed=seed,
        )
        if picture:
            features.draw_ranking(ranking, picture)
    click.echo(json.dumps(ranking.to_dict(), indent=2) if as_json else str(ranking))

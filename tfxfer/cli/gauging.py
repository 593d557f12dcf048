"""``tfxfer gap``: how far pictures are from those that a backbone was pretrained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data
from tfxfer.cli.options import FOLDER, at_least_1, columns_of, json_option, source_options, weights_option
from tfxfer.cli.streams import quiet

__all__ = ["gap"]


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--backbone", default="mobilenet_v2", show_default=True, help="As in tfxfer train.")
@weights_option
@click.option("--image-size", type=at_least_1, help="Side in pixels; the backbone's own if not given.")
@click.option(
    "--images", type=click.IntRange(min=2), default=512, show_default=True, help="Pictures at most."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the split.")
@source_options
@json_option
def gap(
    folder: Path,
    backbone: str,
    weights: str,
    image_size: int | None,
    images: int,
    seed: int,
    as_json: bool,
    **settings: Any,
) -> None:
    """Say how far the pictures in FOLDER are from those that a backbone was pretrained on.

    FOLDER is whatever tfxfer train takes. Nothing is trained.
    """
    columns = columns_of(settings)
    with quiet():
        photos = data.clean(data.read_photos(folder, columns=columns, seed=seed, **settings))
        model = tfxfer.build(
            photos,
            backbone=backbone,
            weights=None if weights.lower() == "none" else weights,
            image_size=image_size,
        )
        found = tfxfer.domain_gap(model, photos, images=images, seed=seed)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else str(found))

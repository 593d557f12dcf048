"""``tfxfer shards``: a data set in few large files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data
from tfxfer.cli.commands import (
    FOLDER,
    at_least_1,
    columns_of,
    force_option,
    json_option,
    quiet,
    source_options,
)

__all__ = ["shards"]


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--to", required=True, metavar="DIR", type=FOLDER, help="Folder to write to.")
@click.option(
    "--pictures-per-shard", type=at_least_1, default=1024, show_default=True, help="Pictures in one file."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of the split, where it is cut.",
)
@source_options
@force_option
@json_option
def shards(
    folder: Path, to: Path, pictures_per_shard: int, force: bool, as_json: bool, **settings: Any
) -> None:
    """Write the pictures in FOLDER as TFRecord shards to DIR.

    FOLDER is whatever tfxfer train takes, and DIR can be given to it in its place. The split is laid down,
    and encoded pictures are kept byte by byte.
    """
    columns = columns_of(settings)
    with quiet():
        photos = data.read_photos(folder, columns=columns, **settings)
        files = tfxfer.write_shards(photos, to, pictures_per_shard=pictures_per_shard, force=force)
    if as_json:
        outcome = {
            "classes": list(photos.classes),
            "images": len(photos),
            "files": [str(file) for file in files],
        }
        click.echo(json.dumps(outcome, indent=2))
        return
    click.echo(str(photos))
    click.echo(f"\n{len(photos):,} pictures in {len(files)} {'shard' if len(files) == 1 else 'shards'}.")
    click.echo(f"Train on them: tfxfer train {to} --to MODEL")

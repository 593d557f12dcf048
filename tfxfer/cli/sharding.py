"""``tfxfer shards``: a data set in few large files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data, runtime
from tfxfer.cli.options import (
    FOLDER,
    at_least_1,
    cleaning_options,
    columns_of,
    force_option,
    json_option,
    source_options,
)
from tfxfer.cli.streams import quiet
from tfxfer.contracts import NearDuplicates

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
@cleaning_options
@source_options
@force_option
@json_option
def shards(
    folder: Path,
    to: Path,
    pictures_per_shard: int,
    max_bad: float,
    near_duplicates: NearDuplicates,
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Write the pictures in FOLDER as TFRecord shards to DIR.

    FOLDER is whatever tfxfer train takes, and DIR can be given to it in its place. The split is laid down,
    near duplicates in one part of it; pictures that cannot be read are left out, and told. Encoded pictures
    are kept byte by byte.
    """
    columns = columns_of(settings)
    with quiet():
        target = runtime.check_target(to, force=force)
        data.check_apart(target, folder, root=settings["root"], data_dir=settings["data_dir"])
        photos = data.read_photos(folder, columns=columns, **settings)
        photos = data.clean(photos, max_bad=max_bad, near_duplicates=near_duplicates)
        files = tfxfer.write_shards(photos, to, pictures_per_shard=pictures_per_shard, force=force)
    if as_json:
        outcome = {
            "classes": list(photos.classes),
            "images": len(photos),
            "left_out": len(photos.left_out or ()),
            "files": [str(file) for file in files],
        }
        click.echo(json.dumps(outcome, indent=2))
        return
    click.echo(str(photos))
    left_out = f", {len(photos.left_out):,} left out" if photos.left_out else ""
    noun = "shard" if len(files) == 1 else "shards"
    click.echo(f"\n{len(photos):,} pictures in {len(files)} {noun}{left_out}.")
    click.echo(f"Train on them: tfxfer train {to} --to MODEL")

"""``tfxfer audit``: what is the matter with a folder of pictures, before anything is trained on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data
from tfxfer.cli.options import FOLDER, columns_of, json_option, source_options
from tfxfer.cli.streams import quiet

__all__ = ["audit"]


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a contact sheet of what was found, anew if it is there.",
)
@click.option(
    "--near-bits",
    type=click.IntRange(0, 16),
    default=6,
    show_default=True,
    help="In how many of 64 bits the hashes of near duplicates may differ.",
)
@click.option("--fresh", is_flag=True, help="Look at every picture again, and remember nothing.")
@source_options
@json_option
@click.pass_context
def audit(
    context: click.Context,
    /,
    folder: Path,
    html: Path | None,
    near_bits: int,
    fresh: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Say what is the matter with the pictures in FOLDER, which is whatever tfxfer train takes.

    Unreadable and oversized files, wrong suffixes, duplicates and near duplicates, those with
    different labels or in more than one of train/, validation/ and test/, classes out of balance, tiny,
    blank and oddly shaped pictures. Files that have not changed since the last audit are not read
    again.

    Exit status: 0 where nothing would stop training or make its figures untrue; 1 where a picture is
    unreadable or oversized, where parts of the split share pictures (leaks), or where FOLDER cannot be
    trained on as it is laid out; 2 a wrong setting. The other findings do not change it.
    """
    columns, photos = columns_of(settings), None
    with quiet():
        if not data.is_folder(folder) or data.is_shards(folder) or columns or any(settings.values()):
            photos = data.read_photos(folder, columns=columns, **settings)
        found = tfxfer.audit(photos or folder, near_bits=near_bits, use_cache=not fresh)
    if html:
        data.write_contact_sheet(found, html, photos=photos)
    click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False) if as_json else str(found))
    if html:
        click.echo(f"Contact sheet written to {html}.", err=True)
    if not found.sound:
        context.exit(1)

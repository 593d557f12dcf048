"""``tfxfer explain``: what in pictures speaks for a label, as pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import explaining, runtime
from tfxfer.cli.options import FOLDER, json_option
from tfxfer.cli.streams import quiet
from tfxfer.errors import SettingError
from tfxfer.explaining.methods import EXPLAIN_METHODS, SUMMARIES, ExplainMethod

__all__ = ["explain"]


_METHODS_TOLD = "\b\n" + "\n".join(f"{name:<21} {summary}" for name, summary in SUMMARIES.items())


@click.command(epilog=_METHODS_TOLD)
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--to",
    required=True,
    metavar="OUT",
    type=FOLDER,
    help="A .png, .jpg or .webp for one picture; a folder to be for several.",
)
@click.option(
    "--method",
    type=click.Choice(EXPLAIN_METHODS),
    default="grad-cam",
    show_default=True,
    help="What it goes by; see below.",
)
@click.option(
    "--label",
    "labels",
    metavar="NAME",
    multiple=True,
    help="What to look for, more than once for several; what scores highest in each picture, "
    "or every number, if not given.",
)
@click.option("--original", is_flag=True, help="Show whole pictures, not only what the model sees of them.")
@click.option("--force", is_flag=True, help="Replace OUT if it is there already.")
@json_option
def explain(
    bundle: Path,
    images: tuple[Path, ...],
    to: Path,
    method: ExplainMethod,
    labels: tuple[str, ...],
    original: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Show what in IMAGEs speaks for a label, by the model in DIR.

    The map lies in colours over the picture in grey: the lighter, the more.
    """
    with quiet():
        asked = explaining.check_asked(bundle, images, method=method, label=labels or None)
        names = _names(images, [asked.facts.classes[index] for index in asked.labels])
        single = to.suffix.lower() in explaining.OVERLAY_SUFFIXES
        if single:
            _check_file(to, len(names), force=force)
        with runtime.whole_file(to) if single else runtime.whole_folder(to, force=force) as draft:
            found = tfxfer.explain(bundle, images, method=method, label=labels or None)
            told: list[dict[str, Any]] = []
            for name, each in zip(names, found, strict=True):
                each.save(draft if single else draft / name, original=original)
                told.append({**each.to_dict(), "overlay": str(to if single else to / name)})
            if not single:
                # It also tells the folder from a person's own, which --force would not replace.
                (draft / runtime.OWN_MARK).write_text(_as_json({"explanations": told}), encoding="utf-8")
    if as_json:
        click.echo(_as_json(told), nl=False)
        return
    for each, entry in zip(found, told, strict=True):
        click.echo(f"{each}  {entry['overlay']}")


def _check_file(to: Path, count: int, *, force: bool) -> None:
    if count > 1:
        raise SettingError(f"{to} is one file, and {count} pictures are to be drawn; give a folder to be.")
    if to.exists() and not force:
        raise SettingError(
            f"{to} exists already, and is never overwritten unasked; give another file, or --force to "
            "replace it."
        )


def _names(images: Sequence[Path], labels: Sequence[str]) -> list[str]:
    """Name a file a picture and label, none like another.

    >>> _names([Path("a/1.jpg"), Path("b/1.jpg")], [])
    ['1.png', '1-2.png']
    >>> _names([Path("1.jpg")], ["sea", "sun/moon"])
    ['1-sea.png', '1-sun_moon.png']
    """
    names: list[str] = []
    for image in images:
        for label in labels if len(labels) > 1 else ("",):
            stem = "-".join(filter(None, (image.stem, re.sub(r"[^\w.-]+", "_", label))))
            number, name = 1, stem
            while f"{name}.png" in names:
                number += 1
                name = f"{stem}-{number}"
            names.append(f"{name}.png")
    return names


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"

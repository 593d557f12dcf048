"""An audit to look at: one file of thumbnails, that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from tfxfer import runtime
from tfxfer.data.auditing.findings import Audit, Finding, Lookalikes, shown
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Content
from tfxfer.data.pixels.thumbnails import make_thumbnails
from tfxfer.errors import SettingError

__all__ = ["write_contact_sheet"]

_SHOWN = 48
_SHOWN_OF_A_GROUP = 12


def write_contact_sheet(found: Audit, file: str | Path, *, photos: Photos | None = None) -> None:
    """Write what an audit found as one HTML file, thumbnails inside, with names and reasons.

    The first 48 of each kind are shown, and 12 of each group of duplicates. The file is light or
    dark as the reader's system is, and appears whole or not at all.

    Args:
        found: The audit.
        file: The file to be; one that is there already is replaced.
        photos: The data set that was looked at, where its pictures are not files.

    Raises:
        SettingError: The file cannot be written there, or pictures are not files and are not given.
    """
    if not isinstance(found.root, Path) and photos is None:
        raise SettingError(
            f"the pictures of {found.root} are not files, and cannot be shown by their names; give photos=… "
            "too."
        )
    sections = [_section(title, items) for title, items in found.sections()]
    pictures = [
        picture for section in sections for group in section["groups"] for picture in group["pictures"]
    ]
    names = sorted({picture["file"] for picture in pictures})
    small = make_thumbnails(_contents(found.root, names, photos))
    for picture in pictures:
        picture["data"] = small[picture["file"]]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = (
        resources.files("tfxfer.data.auditing").joinpath("contact_sheet.html").read_text(encoding="utf-8")
    )
    text = environment.from_string(template).render(
        root=shown(str(found.root)),
        pictures=found.pictures,
        sound=found.sound,
        refused=shown(found.refused) if found.refused else "",
        counts=[(shown(name), count) for name, count in found.class_counts.items()],
        sections=sections,
    )
    with runtime.whole_file(file) as draft:
        draft.write_text(text, encoding="utf-8")


def _section(title: str, items: Sequence[Finding | Lookalikes | tuple[str, ...]]) -> dict[str, Any]:
    return {
        "title": title,
        "total": len(items),
        "more": max(0, len(items) - _SHOWN),
        "grouped": not isinstance(items[0], Finding),
        "groups": [_group(item) for item in items[:_SHOWN]],
    }


def _group(item: Finding | Lookalikes | tuple[str, ...]) -> dict[str, Any]:
    if isinstance(item, Finding):
        lines = [(item.file, item.reason)]
    elif isinstance(item, Lookalikes):
        lines = [(file, f"in {place}") for file, place in item.files.items()]
    else:
        lines = [(file, f"one of {len(item)}") for file in item]
    return {
        "pictures": [
            {"file": file, "name": shown(file), "reason": shown(reason)}
            for file, reason in lines[:_SHOWN_OF_A_GROUP]
        ],
        "more": max(0, len(lines) - _SHOWN_OF_A_GROUP),
    }


def _contents(root: Path | str, names: Sequence[str], photos: Photos | None) -> Iterable[tuple[str, Content]]:
    if isinstance(root, Path) or photos is None:
        return [(name, Path(root) / name) for name in names]
    indices = {record.path: index for index, record in enumerate(photos.records)}
    wanted = [indices[name] for name in names]
    return ((photos.records[index].path, content) for index, content in photos.contents(wanted))

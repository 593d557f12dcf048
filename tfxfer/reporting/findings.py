"""What is the matter with the pictures of a run, as plain values: what an audit finds, and doubted labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfxfer.contracts import PARTS
from tfxfer.data import AUDIT_TITLES, Finding, Lookalikes, Photos, audit
from tfxfer.evaluation import LabelError

__all__ = ["audit_facts", "label_error_facts", "told"]

_KINDS = tuple(kind for kind in AUDIT_TITLES if kind != "unread")
"""What was never read is no record of a data set."""

_SAMPLES = 6
_OF_A_GROUP = 4
_DOUBTED = 24


def audit_facts(photos: Photos) -> dict[str, Any]:
    """Audit the pictures of a data set's parts.

    Returns:
        ``pictures`` (how many); ``counts`` (kind of finding -> how many, a group of what looks alike being
        one); ``samples`` (kind -> the first six, each ``of`` so many ``files``, of which four are named with
        a ``note``).
    """
    found, notes = audit(photos, progress=False), _notes(photos)
    kinds = {
        kind: [each for item in getattr(found, kind) if (each := _noted(item, notes))] for kind in _KINDS
    }
    kinds["leaks"] = _leaks(photos, [*kinds["near_duplicates"], *kinds["duplicates"]])
    return {
        "pictures": len(notes),
        "counts": {kind: len(each) for kind, each in kinds.items()},
        "samples": {
            kind: [_sample(item) for item in each[:_SAMPLES]] for kind, each in kinds.items() if each
        },
    }


def label_error_facts(photos: Photos, found: Sequence[LabelError] | str) -> dict[str, Any]:
    """Say which labels are likely wrong.

    Args:
        photos: The data set.
        found: From ``likely_label_errors``; or why nobody looked.

    Returns:
        ``reason`` (why nobody looked, or None), ``pictures`` (of how many), ``count`` (how many labels) and
        ``first``, the 24 likeliest.
    """
    if isinstance(found, str):
        return {"reason": found, "pictures": 0, "count": 0, "first": []}
    paths = {photos.source.name_of(record.path): record.path for record in photos.records}
    first = [{**each.to_dict(), "file": paths[each.file]} for each in found[:_DOUBTED]]
    looked_at = sum(len(photos.split[part]) for part in PARTS)
    return {"reason": None, "pictures": looked_at, "count": len(found), "first": first}


def _noted(item: Finding | Lookalikes | tuple[str, ...], notes: Mapping[str, str]) -> dict[str, str]:
    """Return file -> what there is to say of it; nothing where what was found concerns none of the parts."""
    if isinstance(item, Finding):
        return {item.file: item.reason} if item.file in notes else {}
    names = [name for name in (item.files if isinstance(item, Lookalikes) else item) if name in notes]
    places = {item.files[name] if isinstance(item, Lookalikes) else name for name in names}
    return {name: notes[name] for name in names} if len(places) > 1 else {}


def _leaks(photos: Photos, groups: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the groups that lie in several parts, whoever laid these down, each picture in one of them."""
    parts = {photos.records[index].path: part for part in PARTS for index in photos.split[part]}
    seen: set[str] = set()
    leaks = []
    for group in groups:
        if seen.isdisjoint(group) and len({parts[file] for file in group}) > 1:
            leaks.append(group)
        seen.update(group)
    return leaks


def _notes(photos: Photos) -> dict[str, str]:
    """Say of each picture what it is labelled, and in which part it is."""
    notes = {}
    for part in PARTS:
        for index, shown in zip(photos.split[part], photos.shown(part), strict=True):
            notes[photos.records[index].path] = f"{told(photos, shown)}, {part}"
    return notes


def told(photos: Photos, shown: Sequence[float]) -> str:
    """Write what a picture shows, as ``Photos.shown`` has it."""
    if photos.task == "regression":
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(photos.classes, shown, strict=True))
    return ", ".join(photos.classes[int(label)] for label in shown) or "none"


def _sample(files: Mapping[str, str]) -> dict[str, Any]:
    shown = [{"file": file, "note": note} for file, note in files.items()][:_OF_A_GROUP]
    return {"of": len(files), "files": shown}

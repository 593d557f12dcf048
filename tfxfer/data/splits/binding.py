"""Pictures that look alike are bound, so that what is learnt from does not judge itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tfxfer.contracts import PARTS, ImageRecord, Part, Split
from tfxfer.data.photos import Photos
from tfxfer.data.splits.cutting import complete_split
from tfxfer.errors import DataError

__all__ = ["bind", "is_cut_by_seed", "straddling"]


def bind(photos: Photos, groups: Sequence[Sequence[str]], *, cut_anew: bool) -> Photos:
    """Write into records what they look like, and keep each group in one part.

    Args:
        photos: A data set.
        groups: Paths of pictures that look alike, each path in one group at most.
        cut_anew: Whether what the seed cut is cut again where a group is in several parts.

    Returns:
        The data set with ``ImageRecord.alike`` set, named by a group's first path.

    Raises:
        DataError: A class then has too few groups for the split.
    """
    names = {path: min(group) for group in groups for path in group}
    records = tuple(replace(record, alike=names.get(record.path)) for record in photos.records)
    bound = replace(photos, records=records)
    if not (cut_anew and straddling(bound)):
        return bound
    return replace(bound, split=_seeded(records, photos.split, photos.label_names) or photos.split)


def is_cut_by_seed(photos: Photos) -> bool:
    """Say whether the split is the one that its seed gives, and nobody's own."""
    try:
        return _seeded(photos.records, photos.split, photos.label_names) == photos.split
    except DataError:
        return False  # too few pictures for the seed to have cut them


def straddling(photos: Photos) -> list[dict[str, Part]]:
    """List the groups of pictures that look alike and are in several parts: path -> part."""
    found: dict[str, dict[str, Part]] = {}
    for part in PARTS:
        for index in photos.split[part]:
            record = photos.records[index]
            if record.alike is not None:
                found.setdefault(record.alike, {})[record.path] = part
    return [placed for _, placed in sorted(found.items()) if len(set(placed.values())) > 1]


def _seeded(records: Sequence[ImageRecord], split: Split, classes: Sequence[str]) -> Split | None:
    """Cut what the seed cuts in this split; None where all of it is given."""
    if not split.given:
        parts: dict[Part, Sequence[int]] = {"train": range(len(records))}
    elif "validation" in split.given:
        return None
    else:
        parts = {"train": sorted((*split.train, *split.validation)), "test": split.test}
    return complete_split(records, parts, classes=classes, seed=split.seed)

"""The pictures that a bundle's model was trained on, found again; neither TensorFlow nor Keras is needed."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfxfer.contracts import PARTS, Part, Split
from tfxfer.data import DataFrame, Photos, content_sha256, read_photos
from tfxfer.errors import DataError, SettingError, TfxferWarning
from tfxfer.runtime import ModelFacts, check_bundle, read_checked

__all__ = ["check_unseen", "trained_on"]


def trained_on(bundle: str | Path, photos: Photos | str | Path | DataFrame | None = None) -> Photos:
    """Find the pictures again that a bundle's model was trained on, each in the part that it had.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote.
        photos: The pictures, or where they are; None looks where they were then.

    Raises:
        BundleError: The folder is no bundle, or is damaged.
        SettingError: The pictures are of other classes; or none are given, and it is not known where they
            were.
        DataError: They are not where they were, or are others.

    Warns:
        TfxferWarning: Some are missing.
    """
    folder = check_bundle(bundle)
    card, split = read_checked(folder, "card.json"), read_checked(folder, "split.json")
    given = photos if isinstance(photos, Photos) else _read(folder, card, photos)
    names = ModelFacts.of_card(card).classes
    if given.classes != names:
        raise SettingError(
            f"{folder} is for {', '.join(names)}, and {given.source} has {', '.join(given.classes)}; give "
            "the pictures it was trained on."
        )
    return _divided(given, split, folder)


def check_unseen(bundle: str | Path, photos: Photos) -> None:
    """Refuse a test part in which there are pictures that a bundle's model was trained or chosen on.

    Raises:
        BundleError: The folder is no bundle, or is damaged.
        SettingError: There are some.
    """
    folder = check_bundle(bundle)
    split = read_checked(folder, "split.json")
    seen = {entry["sha256"] for part in ("train", "validation") for entry in split[part]}
    test = photos.split.test
    known = sum(content_sha256(content) in seen for _, content in photos.contents(test))
    if known:
        raise SettingError(
            f"{known} of the {len(test)} test pictures of {photos.source} are known to {folder}, which was "
            "trained or chosen on them; give the pictures and the seed that it was trained with."
        )


def _read(folder: Path, card: Mapping[str, Any], source: str | Path | DataFrame | None) -> Photos:
    """Read the pictures as they were read for training."""
    settings = card.get("settings", {})
    names = ("columns", "task", "separator", "root", "data_dir")
    reading = {name: settings[name] for name in names if settings.get(name) is not None}
    if source is None and not settings.get("source"):
        raise SettingError(f"{folder} does not say where its pictures were; give them (photos=…, --photos).")
    chosen = settings["source"] if source is None else source
    if reading.get("task") == "single_label":
        del reading["task"]  # what folders have, and tables are taken to have
    return read_photos(chosen, **reading, seed=settings.get("seed", 0), resize=card["input"]["resize"])


def _divided(photos: Photos, split: Mapping[str, Any], folder: Path) -> Photos:
    """Give each picture the part that it had, and what it looked like, by its content."""
    entries: dict[str, list[tuple[Part, Mapping[str, Any]]]] = defaultdict(list)
    for part in PARTS:
        for entry in split[part]:
            entries[entry["sha256"]].append((part, entry))
    found: dict[str, list[int]] = {part: [] for part in PARTS}
    records = list(photos.records)
    for index, content in photos.contents():
        if same := entries.get(content_sha256(content)):
            # Copies may be in several parts, and are then told by name.
            named = [each for each in same if each[1]["path"] == records[index].path]
            part, entry = (named or same)[0]
            found[part].append(index)
            records[index] = replace(records[index], alike=entry.get("alike"))
    missing = [part for part in PARTS if not found[part]]
    if missing:
        raise DataError(
            f"none of the {len(photos)} pictures of {photos.source} is of the {missing[0]} part of {folder}; "
            "give those it was trained on."
        )
    short = [f"{len(found[part])} of {len(split[part])} {part}" for part in PARTS]
    if any(len(found[part]) < len(split[part]) for part in PARTS):
        warnings.warn(
            f"{photos.source} has {short[0]}, {short[1]} and {short[2]} pictures of {folder}, and what comes "
            "of it goes by these alone; give all that it was trained on.",
            TfxferWarning,
            stacklevel=4,
        )
    train, validation, test = (tuple(sorted(found[part])) for part in PARTS)
    return replace(photos, records=tuple(records), split=Split(train, validation, test, seed=split["seed"]))

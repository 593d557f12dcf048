"""A bundle gets further forms of its model, each checked on the pictures it was trained on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfxfer.contracts import PARTS, Split
from tfxfer.data import DataFrame, Photos, content_sha256, read_photos
from tfxfer.errors import DataError, SettingError
from tfxfer.exports.artifact import Artifact
from tfxfer.exports.card import write_manifest
from tfxfer.exports.formats import FORMATS, choose_formats
from tfxfer.exports.gate import write_forms
from tfxfer.exports.known import read_rejection
from tfxfer.exports.material import Material
from tfxfer.models import check_classes, input_contract
from tfxfer.runtime import OWN_MARK, check_bundle, check_digest, read_checked, read_json, whole_folder

__all__ = ["convert"]


def convert(
    bundle: str | Path,
    *,
    formats: Sequence[str],
    photos: Photos | str | Path | DataFrame | None = None,
    accept: bool = False,
) -> tuple[Artifact, ...]:
    """Write further forms of a bundle's model beside those that are there, and check each.

    The bundle is replaced in one step, or stays as it was. Its own ``model.keras`` is what is converted.
    Pictures are told by content: those that trained quantize, those that chose choose between converters,
    those of the test part judge.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote.
        formats: As in ``export``; one that is there already is written anew.
        photos: The pictures it was trained on, or where they are; None looks where they were then.
        accept: As in ``export``.

    Returns:
        As ``export`` does.

    Raises:
        BundleError: The folder is no bundle, was exported without ``"keras"``, or is damaged.
        SettingError: An unknown form, or pictures of other classes; or none are given, and it is not known
            where they were.
        DataError: The pictures are not where they were, are others, or a class has no training picture.
        ParityError: As in ``export``.

    Warns:
        TfxferWarning: As in ``export``.
    """
    chosen = choose_formats(formats)
    folder = check_bundle(bundle)
    card, split = read_checked(folder, "card.json"), read_checked(folder, "split.json")
    rejection = read_rejection(folder) if "rejection" in card else None
    check_digest(folder, FORMATS["keras"].filename)
    given = photos if isinstance(photos, Photos) else _read(folder, card, photos)
    names = tuple(card["names" if card["task"] == "regression" else "classes"])
    if given.classes != names:
        raise SettingError(
            f"{folder} is for {', '.join(names)}, and {given.source} has {', '.join(given.classes)}; give "
            "the pictures it was trained on."
        )
    known = _divided(given, split, folder)
    model = keras.models.load_model(folder / FORMATS["keras"].filename, compile=False, safe_mode=True)
    check_classes(model, known.classes, task=known.task)
    material = Material(known, input_contract(model))
    if any(form.quantized for form in chosen):
        material.check()
    before = read_json(folder / OWN_MARK)
    with whole_folder(folder, force=True) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        for form in chosen:
            _remove(draft / form.filename)
        artifacts = write_forms(chosen, model, draft, material, accept=accept, rejection=rejection)
        write_manifest(draft, artifacts, before=before)
    return tuple(replace(artifact, path=folder / artifact.path.name) for artifact in artifacts)


def _read(folder: Path, card: dict[str, Any], source: str | Path | DataFrame | None) -> Photos:
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


def _divided(photos: Photos, split: dict[str, Any], folder: Path) -> Photos:
    """Give each picture the part that it had, by its content."""
    parts = {entry["sha256"]: part for part in PARTS for entry in split[part]}
    found: dict[str, list[int]] = {part: [] for part in PARTS}
    for index, content in photos.contents():
        if part := parts.get(content_sha256(content)):
            found[part].append(index)
    missing = [part for part in PARTS if not found[part]]
    if missing:
        raise DataError(
            f"none of the {len(photos)} pictures of {photos.source} is of the {missing[0]} part of {folder}; "
            "give those it was trained on."
        )
    train, validation, test = (tuple(sorted(found[part])) for part in PARTS)
    return replace(photos, split=Split(train, validation, test, seed=split["seed"]))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

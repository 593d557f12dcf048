"""A bundle gets further forms of its model, each checked on the pictures it was trained on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras

from tfxfer.data import DataFrame, Photos
from tfxfer.exports.artifact import Artifact
from tfxfer.exports.card import parity_of, write_manifest
from tfxfer.exports.formats import FORMATS, choose_formats
from tfxfer.exports.found_again import trained_on
from tfxfer.exports.gate import write_forms
from tfxfer.exports.known import read_rejection
from tfxfer.exports.material import Material
from tfxfer.models import check_classes, input_contract
from tfxfer.reporting import REPORT_FILES, refresh_report
from tfxfer.runtime import (
    OWN_MARK,
    check_bundle,
    check_digest,
    check_rest,
    check_target,
    read_checked,
    read_json,
    whole_folder,
)

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
    those of the test part judge. Its report, if it has one, tells of them.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote.
        formats: As in ``export``; one that is there already is written anew.
        photos: The pictures it was trained on, or where they are; None looks where they were then.
        accept: As in ``export``.

    Returns:
        As ``export`` does.

    Raises:
        BundleError: The folder is no bundle, was exported without ``"keras"``, or is damaged.
        MissingExtra: A form needs packages that are not installed.
        SettingError: An unknown form, or pictures of other classes; or none are given, and it is not known
            where they were; or the bundle cannot be replaced where it is.
        DataError: The pictures are not where they were, are others, or a class has no training picture.
        ParityError: As in ``export``.
        DiskFullError: There is no room for it.

    Warns:
        TfxferWarning: As in ``export``; some of the pictures are missing; or the model card was filled in,
            and does not tell of them.
    """
    chosen = choose_formats(formats)
    folder = check_bundle(bundle)
    rejection = read_rejection(folder) if "rejection" in read_checked(folder, "card.json") else None
    check_digest(folder, FORMATS["keras"].filename)
    check_target(folder, force=True)
    check_rest(folder, but={*REPORT_FILES, *(form.filename for form in chosen)})
    known = trained_on(folder, photos)
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
        now = before["parity"] | {artifact.format: parity_of(artifact) for artifact in artifacts}
        refresh_report(model, known, draft, parity=now)
        write_manifest(draft, artifacts, before=before)
    return tuple(replace(artifact, path=folder / artifact.path.name) for artifact in artifacts)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

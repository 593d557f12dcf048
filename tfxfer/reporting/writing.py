"""A report is written into a bundle: while the bundle is made, or anew into one that is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tfxfer.backbones.weights_file import load_safely
from tfxfer.data import DataFrame, Photos
from tfxfer.evaluation import Judgement, evaluate
from tfxfer.exports import FORMATS, Artifact, made_with, parity_of, trained_on, write_manifest
from tfxfer.reporting.facts import gather
from tfxfer.reporting.pages import REPORT_FILES, card_page, html_page, short_page
from tfxfer.reporting.pictures import explained, mistaken, samples
from tfxfer.runtime import OWN_MARK, check_bundle, check_digest, read_json, whole_folder

__all__ = ["add_report", "write_report"]


def add_report(
    model: keras.Model, photos: Photos, report: Judgement, folder: Path, artifacts: Sequence[Artifact]
) -> None:
    """Write the report into the folder of a bundle to be, as ``export`` calls what is written beside.

    Args:
        model: The model.
        photos: The pictures it was trained on.
        report: How good it is on their test part.
        folder: The folder, with card, split and forms.
        artifacts: The forms.
    """
    parity = {each.format: parity_of(each) for each in artifacts}
    _write(folder, model, photos, report, parity=parity, versions=made_with())


def write_report(
    bundle: str | Path, *, photos: Photos | str | Path | DataFrame | None = None
) -> tuple[Path, ...]:
    """Judge a bundle's model again on its test pictures, and write its report anew.

    ``report.html`` is one page for people, with everything in it; ``report.json`` the same as data;
    ``report.md`` in short; ``MODEL_CARD.md`` what the model is for, as far as that can be told from data. The
    page holds small pictures of the data set. The bundle is replaced in one step, or stays as it was.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote, ``"keras"`` among its forms.
        photos: The pictures it was trained on, or where they are; None looks where they were then.

    Returns:
        The four files.

    Raises:
        BundleError: The folder is no bundle, was exported without ``"keras"``, or is damaged.
        WeightsError: ``model.keras`` does not open in Keras's safe mode.
        SettingError: Pictures of other classes; or none are given, and it is not known where they were.
        DataError: The pictures are not where they were, or are others.
    """
    folder = check_bundle(bundle)
    file = FORMATS["keras"].filename
    check_digest(folder, file)
    known = trained_on(folder, photos)
    model = load_safely(folder / file, advice="export the model again.")
    before = read_json(folder / OWN_MARK)
    report = evaluate(model, known)
    with whole_folder(folder, force=True) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        _write(draft, model, known, report, parity=before["parity"], versions=before["versions"])
        write_manifest(draft, (), before=before)
    return tuple(folder / name for name in REPORT_FILES)


def _write(
    folder: Path,
    model: keras.Model,
    photos: Photos,
    report: Judgement,
    *,
    parity: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    files = [photos.records[index].path for index in photos.split.test]
    facts = gather(folder, report, files=files, parity=parity, versions=versions)
    pictures = {
        "samples": samples(photos),
        "mistakes": mistaken(photos, facts["mistakes"]),
        "explained": explained(model, photos, report.predictions),
    }
    pages = {
        "report.html": html_page(facts, pictures),
        "report.json": json.dumps(facts, indent=2, allow_nan=False) + "\n",
        "report.md": short_page(facts),
        "MODEL_CARD.md": card_page(facts),
    }
    for name in REPORT_FILES:
        (folder / name).write_text(pages[name], encoding="utf-8")

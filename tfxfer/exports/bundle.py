"""A model becomes a folder: its files, each checked, its labels, its split and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfxfer.contracts import FitLog
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.evaluation import Calibration, Judgement, Rejection, evaluate
from tfxfer.exports.artifact import Artifact
from tfxfer.exports.card import write_about, write_manifest
from tfxfer.exports.formats import choose_formats
from tfxfer.exports.gate import write_forms
from tfxfer.exports.material import Material
from tfxfer.models import check_classes, input_contract
from tfxfer.runtime import check_target, whole_folder

__all__ = ["export"]


def export(
    model: keras.Model,
    target: str | Path,
    photos: Photos,
    *,
    formats: Sequence[str] = ("keras", "saved-model", "tflite"),
    report: Judgement | None = None,
    log: FitLog | None = None,
    calibration: Calibration | None = None,
    rejection: Rejection | None = None,
    settings: Mapping[str, Any] | None = None,
    beside: Callable[[Path, Sequence[Artifact]], None] | None = None,
    accept: bool = False,
    force: bool = False,
) -> tuple[Artifact, ...]:
    """Write a model as a folder that runs anywhere, and check every file in it.

    Each form is loaded again by its own runtime and compared with the model on the test pictures
    (500 at most, evenly chosen). The folder appears whole or not at all, and holds beside the model files:
    ``labels.txt``, ``card.json`` (input, backbone, digest of its weights, figures), ``split.json`` (which
    picture learnt, chose and judged, by path and SHA-256, with its group and what it looks like where it
    has them), ``left_out.json`` (what ``tfxfer.clean`` left out and why, where it has looked) and
    ``manifest.json`` (sizes, digests, what each form loses, versions).

    Args:
        model: A model of the photos' classes or numbers.
        target: The folder to write.
        photos: The data set it was trained on.
        formats: Which forms to write, of ``tfxfer.exports.FORMATS``: ``"keras"``, ``"saved-model"``,
            ``"tflite"`` (float32), ``"tflite-float16"``, ``"tflite-dynamic"`` (int8 weights),
            ``"tflite-int8"`` (all int8, uint8 pixels in) and ``"tflite-int16x8"``, and ``"onnx"``. For int8
            and int16x8, ranges are taken from training pictures (128 at most, the classes in turn).
        report: Its figures on the test part; None judges it now.
        log: What training did, for the card.
        calibration: What ``tfxfer.calibrate`` did, for the card; the weights have it in them.
        rejection: From ``tfxfer.fit_rejection``: has every form but ``"keras"`` say in a second output,
            ``known``, whether a picture shows any of the classes: below 0 it does not. A smaller form that
            says so badly is the classifier alone, and you are told.
        settings: Further entries of the card, such as the settings of the run.
        beside: Writes further files into the folder, once the forms are there and what they lose is known.
        accept: Whether a form is handed out that loses more than it may. The first three, and ONNX, must not
            differ at all.
        force: Whether a folder that is there already is replaced.

    Returns:
        One artifact a form; one that was refused tells why, and its file is not there.

    Raises:
        SettingError: An unknown form, a target that is there already or cannot be made, or a model or report
            that does not belong to these photos.
        MissingExtra: A form needs packages that are not installed.
        DataError: A quantized form is wanted, and a class has no training picture.
        ParityError: A file that must not differ disagrees with the model, or does not run; nothing is
            written.
        DiskFullError: There is no room for it; nothing is written.

    Warns:
        TfxferWarning: A form loses more than it may, or does not run.
    """
    chosen = choose_formats(formats)
    check_target(target, force=force)
    check_classes(model, photos.classes, task=photos.task)
    material = Material(photos, input_contract(model))
    if any(form.quantized for form in chosen):
        material.check()
    report = report or evaluate(model, photos)
    _check_report(report, photos)
    with whole_folder(target, force=force) as folder:
        done: dict[str, Any] = {"calibration": calibration, "rejection": rejection}
        write_about(folder, model, photos, report=report, log=log, settings=settings, **done)
        artifacts = write_forms(chosen, model, folder, material, accept=accept, rejection=rejection)
        if beside is not None:
            beside(folder, artifacts)
        write_manifest(folder, artifacts)
    return tuple(replace(artifact, path=Path(target) / artifact.path.name) for artifact in artifacts)


def _check_report(report: Judgement, photos: Photos) -> None:
    if report.predictions.files != tuple(photos.names("test")):
        raise SettingError(
            "the report is not on the test part of these photos; make it with "
            "tfxfer.evaluate(model, photos), or leave it out."
        )
    if report.predictions.tta:
        raise SettingError(
            "the report is of test-time augmentation, which no file does by itself; make it with "
            "tfxfer.evaluate(model, photos), or leave it out."
        )

"""A model becomes a folder: its files, each checked, its labels, its split and its figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tfxfer.backbones import origin_of
from tfxfer.contracts import PARTS, Artifact, FitLog, ImageRecord, LeftOut
from tfxfer.data import Photos, content_sha256, read_image
from tfxfer.errors import ParityError, SettingError
from tfxfer.evaluation import Calibration, Judgement, Quality, Rejection, evaluate, with_known
from tfxfer.exports.formats import Format, Images, choose_formats
from tfxfer.exports.parity import PARITY_BOUND, Yardstick
from tfxfer.models import check_classes, computing_in, input_contract
from tfxfer.runtime import check_target, file_sha256, whole_folder

__all__ = ["MAX_COMPARED", "export"]

MAX_COMPARED = 500
"""Files are compared with the model on at most so many of the test pictures."""


def export(
    model: keras.Model,
    target: str | Path,
    photos: Photos,
    *,
    formats: Sequence[str] = ("keras", "saved_model", "tflite"),
    report: Judgement | None = None,
    log: FitLog | None = None,
    calibration: Calibration | None = None,
    rejection: Rejection | None = None,
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
) -> tuple[Artifact, ...]:
    """Write a model as a folder that runs anywhere, and check every file in it.

    Each form is loaded again by its own runtime and compared with the model on the test pictures
    (500 at most, evenly chosen). The folder appears whole or not at all, and holds beside the model files:
    ``labels.txt``, ``card.json`` (input, backbone, digest of its weights, figures), ``split.json`` (which
    picture learnt, chose and judged, by path and SHA-256, with its group and what it looks like where it
    has them), ``left_out.json`` (what ``tfxfer.clean`` left out and why, where it has looked) and
    ``manifest.json`` (sizes, digests, parity, versions).

    Args:
        model: A model of the photos' classes or numbers.
        target: The folder to write.
        photos: The data set it was trained on.
        formats: Which forms to write: ``"keras"``, ``"saved_model"``, ``"tflite"``.
        report: Its figures on the test part; None judges it now.
        log: What training did, for the card.
        calibration: What ``tfxfer.calibrate`` did, for the card; the weights have it in them.
        rejection: From ``tfxfer.fit_rejection``: makes the SavedModel and the .tflite file say in a second
            output, from 0 on or below, whether a picture shows any of the classes; ``model.keras`` does not.
        settings: Further entries of the card, such as the settings of the run.
        force: Whether a folder that is there already is replaced.

    Returns:
        One artifact a form.

    Raises:
        SettingError: An unknown form, a target that is there already or cannot be made, or a model or report
            that does not belong to these photos.
        ParityError: A file disagrees with the model; nothing is written.
    """
    chosen = choose_formats(formats)
    check_target(target, force=force)
    check_classes(model, photos.classes, task=photos.task)
    report = report or evaluate(model, photos)
    _check_report(report, photos)
    images = _compared_images(model, photos)
    # A twin that shares the layers but was never compiled: files carry no optimizer.
    plain = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    with computing_in("float32", plain), whole_folder(target, force=force) as folder:
        subject = _Subject.of(plain, photos, images, rejection)
        artifacts = [_write(each, subject, folder) for each in chosen]
        told = {**_calibrated(calibration, report), **({} if log is None else {"training": _training(log)})}
        told |= {} if rejection is None else {"rejection": rejection.to_dict()}
        (folder / "labels.txt").write_text("".join(f"{name}\n" for name in photos.classes), encoding="utf-8")
        _write_json(folder / "card.json", _card(model, photos, report, settings) | told)
        _write_json(folder / "split.json", _split(photos))
        if photos.left_out is not None:
            _write_json(folder / "left_out.json", _left_out(photos, photos.left_out))
        _write_json(folder / "manifest.json", _manifest(folder, artifacts))
    return tuple(replace(artifact, path=Path(target) / artifact.path.name) for artifact in artifacts)


def _check_report(report: Judgement, photos: Photos) -> None:
    if report.predictions.files != tuple(photos.names("test")):
        raise SettingError(
            "the report is not on the test part of these photos; make it with "
            "tfxfer.evaluate(model, photos), or leave it out."
        )


def _compared_images(model: keras.Model, photos: Photos) -> Images:
    """Decode the test pictures, evenly thinned: they are sorted by class, and all classes shall be in."""
    test, size = photos.split.test, input_contract(model)
    thinned = np.linspace(0, len(test) - 1, num=min(len(test), MAX_COMPARED)).round().astype(int)
    chosen = [test[position] for position in thinned]
    images = {
        index: read_image(content, height=size.height, width=size.width, resize=photos.resize)
        for index, content in photos.contents(chosen)
    }
    return np.stack([images[index] for index in chosen])


@dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """What is written, and what its files are held against.

    Attributes:
        plain: The classifier.
        whole: The same with all of its outputs.
        images: What files are compared on.
        yardstick: For scores.
        known: For how far pictures are from being none of the classes; None where nothing tells.
        spread: The unit of these, by which they are divided.
    """

    plain: keras.Model
    whole: keras.Model
    images: Images
    yardstick: Yardstick
    known: Yardstick | None = None
    spread: float = 1.0

    @classmethod
    def of(cls, plain: keras.Model, photos: Photos, images: Images, rejection: Rejection | None) -> Self:
        """Compute what files are held against."""
        if rejection is None:
            return cls(plain, plain, images, Yardstick.of(photos, _in_full_precision(plain, images)))
        whole, spread = with_known(plain, rejection), rejection.spread or 1.0
        outputs = _in_full_precision(whole, images)
        yardsticks = Yardstick.of(photos, outputs["scores"]), Yardstick.of_known(outputs["known"] / spread)
        return cls(plain, whole, images, *yardsticks, spread)

    def compared(self, form: Format, path: Path) -> tuple[float, int]:
        """Return the largest difference of a file, and on how many pictures it says something else."""
        scores = form.scores(path, self.images)
        difference, other = self.yardstick.largest_difference(scores), self.yardstick.disagreements(scores)
        if self.known is None or form.known is None:
            return difference, other
        known = self.known.around_threshold(form.known(path, self.images) / self.spread)
        # Written so that NaN is passed on.
        further = self.known.largest_difference(known)
        return difference if further <= difference else further, other + self.known.disagreements(known)


def _in_full_precision(model: keras.Model, images: Images) -> Any:
    """Compute all outputs in whole float32: on some GPUs TensorFlow would round products to 10 bits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        return model.predict(images, batch_size=32, verbose=0)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _write(form: Format, subject: _Subject, folder: Path) -> Artifact:
    path, images, yardstick = folder / form.filename, subject.images, subject.yardstick
    form.write(subject.plain if form.known is None else subject.whole, path)
    difference, disagreements = subject.compared(form, path)
    # Written so that NaN, which compares with nothing, is refused.
    if disagreements or not difference <= PARITY_BOUND:
        raise ParityError(
            f"{form.filename} disagrees with the model on {disagreements} of {len(images)} pictures "
            f"(largest difference {difference:.2g}{yardstick.unit}, bound {PARITY_BOUND:g}); leave this "
            "format out with formats=…, and report this."
        )
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return Artifact(form.name, path, size, len(images), disagreements, difference)


def _card(
    model: keras.Model, photos: Photos, report: Judgement, settings: Mapping[str, Any] | None
) -> dict[str, Any]:
    size, origin = input_contract(model), origin_of(model)
    return {
        "task": photos.task,
        # Of numbers, what there is are their names.
        "names" if photos.task == "regression" else "classes": list(photos.classes),
        "backbone": model.name,
        "weights": asdict(origin) if origin else None,
        "parameters": model.count_params(),
        "input": {
            "height": size.height,
            "width": size.width,
            "pixels": "RGB, 0..255",
            "resize": photos.resize,
            "filter": "bilinear, antialiased",
        },
        "images": {part: len(photos.split[part]) for part in PARTS},
        "test": report.to_dict(),
        "settings": dict(settings or {}),
    }


def _calibrated(calibration: Calibration | None, report: Judgement) -> dict[str, Any]:
    """Tell what calibrating did, on the validation part that it was fitted on and on the test part."""
    if calibration is None:
        return {}
    said = report.predictions
    test = {"before": asdict(calibration.quality_before(said)), "after": asdict(Quality.of(said))}
    return {"calibration": {**calibration.to_dict(), "test": test}}


def _training(log: FitLog) -> dict[str, Any]:
    return {
        "kept": log.kept,
        "balance": log.balance,
        "balance_reason": log.balance_reason,
        "features": log.features,
        "features_reason": log.features_reason,
        "views": log.views,
        "extraction_seconds": round(log.extraction_seconds, 2),
        "precision": log.precision,
        "devices": log.devices,
        **{f"validation_{name}": value for name, value in log.validation_metrics.items()},
        "phases": [
            {
                "name": phase.name,
                "learning_parameters": phase.learning_parameters,
                "rate": phase.rate,
                "turns": phase.turns,
                "best_epoch": phase.best_epoch,
                "soup": list(phase.soup),
                "souped": dict(phase.souped),
                "seconds": round(phase.seconds, 2),
                "cut": list(phase.cut),
                "history": {name: _numbers(values) for name, values in phase.history.items()},
            }
            for phase in log.phases
        ],
    }


def _numbers(values: Sequence[float]) -> list[float | None]:
    """JSON has no word for what is not a number."""
    return [value if math.isfinite(value) else None for value in values]


def _split(photos: Photos) -> dict[str, Any]:
    digests = {index: content_sha256(content) for index, content in photos.contents()}

    def entry(index: int) -> dict[str, Any]:
        record = photos.records[index]
        return {
            "path": record.path,
            **_truth(photos, record),
            **({} if record.group is None else {"group": record.group}),
            **({} if record.alike is None else {"alike": record.alike}),
            "sha256": digests[index],
        }

    cut = photos.split
    parts: dict[str, Any] = {part: [entry(index) for index in cut[part]] for part in PARTS}
    return {"seed": cut.seed, "given": list(cut.given), **parts}


def _truth(photos: Photos, record: ImageRecord | LeftOut) -> dict[str, Any]:
    """Say what a picture shows, by the names of classes, or as numbers in the order of theirs."""
    if photos.task == "single_label":
        return {"class": photos.classes[record.label]}
    target = record.target or ()
    if photos.task == "multi_label":
        return {"classes": [photos.classes[int(label)] for label in target]}
    return {"numbers": [float(number) for number in target]}


def _left_out(photos: Photos, left_out: Sequence[LeftOut]) -> dict[str, Any]:
    return {
        "pictures": len(photos) + len(left_out),
        "left_out": [
            {
                "path": each.path,
                **_truth(photos, each),
                "part": each.part,
                "reason": each.reason,
            }
            for each in left_out
        ],
    }


def _manifest(folder: Path, artifacts: Sequence[Artifact]) -> dict[str, Any]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        "versions": {
            "tfxfer": tfxfer.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
        "files": {
            file.relative_to(folder).as_posix(): {
                "bytes": file.stat().st_size,
                "sha256": file_sha256(file),
            }
            for file in files
        },
        "parity": {
            artifact.format: {
                "images": artifact.images,
                "disagreements": artifact.disagreements,
                "largest_difference": artifact.largest_difference,
                "bound": PARITY_BOUND,
            }
            for artifact in artifacts
        },
    }


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")

"""What a bundle says of itself: its card, its split, what was left out, and its manifest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import tfxfer
from tfxfer.backbones import origin_of
from tfxfer.contracts import PARTS, FitLog, ImageRecord, LeftOut
from tfxfer.data import Photos, content_sha256
from tfxfer.evaluation import Calibration, Judgement, Quality, Rejection
from tfxfer.exports.artifact import Artifact
from tfxfer.exports.formats import FORMATS
from tfxfer.exports.known import write_rejection
from tfxfer.exports.metadata.facts import LABELS_NAME, labels_text
from tfxfer.exports.parity import PARITY_BOUND
from tfxfer.models import input_contract
from tfxfer.runtime import OWN_MARK, file_sha256

__all__ = ["made_with", "parity_of", "write_about", "write_manifest"]


def write_about(
    folder: Path,
    model: keras.Model,
    photos: Photos,
    *,
    report: Judgement,
    log: FitLog | None,
    settings: Mapping[str, Any] | None,
    calibration: Calibration | None = None,
    rejection: Rejection | None = None,
) -> None:
    """Write all of it but the manifest, which comes last, into the folder of a bundle to be."""
    (folder / LABELS_NAME).write_text(labels_text(photos.classes), encoding="utf-8")
    card = _card(model, photos, report, log, settings)
    if calibration is not None:
        card["calibration"] = _calibrated(calibration, report)
    if rejection is not None:
        card["rejection"] = rejection.to_dict()
        write_rejection(folder, rejection)
    _write_json(folder / "card.json", card)
    _write_json(folder / "split.json", _split(photos))
    if photos.left_out is not None:
        _write_json(folder / "left_out.json", _left_out(photos, photos.left_out))


def write_manifest(
    folder: Path, artifacts: Sequence[Artifact], *, before: Mapping[str, Any] | None = None
) -> None:
    """Write sizes and digests of all files that are there, and how each form does beside the model.

    Args:
        folder: The bundle to be.
        artifacts: The forms that were written now.
        before: The manifest that is replaced, of which the other forms' figures stay.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != OWN_MARK)
    parity: dict[str, Any] = dict((before or {}).get("parity", {}))
    _write_json(
        folder / OWN_MARK,
        {
            "versions": made_with(),
            "files": {
                file.relative_to(folder).as_posix(): {
                    "bytes": file.stat().st_size,
                    "sha256": file_sha256(file),
                }
                for file in files
            },
            "parity": parity | {artifact.format: parity_of(artifact) for artifact in artifacts},
        },
    )


def made_with() -> dict[str, str]:
    """Return the versions of what makes models here."""
    return {"tfxfer": tfxfer.__version__, "keras": keras.__version__, "tensorflow": tf.__version__}


def parity_of(artifact: Artifact) -> dict[str, Any]:
    """Return how a form does beside the model, as the manifest has it."""
    found, bounds = artifact.comparison, FORMATS[artifact.format].bounds
    # Where something is no number, JSON has no word for it.
    figures = {name: value for name, value in artifact.to_dict().items() if name not in ("file", "bytes")}
    held = {"bound": PARITY_BOUND} if bounds.exact else {"agreement": bounds.agreement, "loss": bounds.loss}
    if found is not None:
        figures["largest_difference"] = _number(found.largest_difference)
        figures["mean_difference"] = _number(found.mean_difference)
    if artifact.known is not None:
        said = artifact.known
        held["known"] = PARITY_BOUND if bounds.exact else bounds.known
        figures["known"]["largest_difference"] = _number(said.largest_difference)
        figures["known"]["mean_difference"] = _number(said.mean_difference)
    return figures | {"bounds": held}


def _card(
    model: keras.Model,
    photos: Photos,
    report: Judgement,
    log: FitLog | None,
    settings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    size, origin = input_contract(model), origin_of(model)
    card: dict[str, Any] = {
        "task": photos.task,
        # Of numbers, what there is are their names.
        "names" if photos.task == "regression" else "classes": list(photos.classes),
        "backbone": model.name,
        "weights": {name: getattr(origin, name) for name in ("kind", "name", "sha256")} if origin else None,
        "parameters": model.count_params(),
        "input": {
            "height": size.height,
            "width": size.width,
            "pixels": "RGB, 0..255",
            "resize": photos.resize,
            "filter": "bilinear, antialiased",
        },
        "images": {part: len(photos.split[part]) for part in PARTS},
        "test": {name: value for name, value in report.to_dict().items() if not name.endswith("_curves")},
        "settings": dict(settings or {}),
    }
    if log is not None:
        card["training"] = _training(log)
    return card


def _calibrated(calibration: Calibration, report: Judgement) -> dict[str, Any]:
    """Tell what calibrating did, on the validation part that it was fitted on and on the test part."""
    said = report.predictions
    test = {"before": asdict(calibration.quality_before(said)), "after": asdict(Quality.of(said))}
    return {**calibration.to_dict(), "test": test}


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
        "chosen": dict(log.chosen),
        "guard": log.guard.to_dict() if log.guard else None,
        "guard_reason": log.guard_reason,
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
    return [_number(value) for value in values]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


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


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")

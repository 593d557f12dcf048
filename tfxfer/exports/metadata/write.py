"""A .tflite file gets to say what it takes, what its scores mean, and how to test it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

import tfxfer
from tfxfer.errors import SettingError
from tfxfer.exports.litert import LiteRTModel
from tfxfer.exports.metadata.archive import packed, unpacked
from tfxfer.exports.metadata.facts import (
    CARD_FORMAT,
    CARD_NAME,
    LABELS_NAME,
    FileFacts,
    GoldenVector,
    labels_text,
)
from tfxfer.exports.metadata.golden import as_png, draw_pictures
from tfxfer.exports.metadata.grafting import Tensor, check_is_model, tensors_of, with_buffer
from tfxfer.exports.metadata.standard import METADATA_NAME, standard_metadata

__all__ = ["describe", "with_metadata"]


def describe(path: Path, facts: FileFacts) -> None:
    """Write what a .tflite file says of itself into it, with golden vectors of its own scores.

    Args:
        path: The file; metadata that is there already is replaced.
        facts: What is known of the model.

    Raises:
        SettingError: It is no classifier of these labels, or takes no picture.
        BundleError: It is no .tflite file, or LiteRT cannot load it.
    """
    tflite = path.read_bytes()
    image, _ = _check(tflite, facts)
    model = LiteRTModel(path)
    golden = [
        GoldenVector(as_png(picture), tuple(map(float, model.scores(picture))))
        for picture in draw_pictures(*image.shape[1:3])
    ]
    path.write_bytes(with_metadata(tflite, facts, golden))


def with_metadata(tflite: bytes, facts: FileFacts, golden: Sequence[GoldenVector] = ()) -> bytes:
    """Return a .tflite file that says of itself what readers ask for.

    It holds the TFLite Model Metadata (input: RGB, size, mean 0 and deviation 1, 0..255; output: labels), and
    behind the model a ZIP archive of ``labels.txt``, ``tfxfer.json`` (all facts, as JSON, and the scores of
    the golden pictures) and one PNG a golden picture. The model itself stays as it is, byte for byte.

    Args:
        tflite: The file; metadata that is there already is replaced.
        facts: What is known of the model.
        golden: Pictures of its size, and its own scores.

    Returns:
        The file.

    Raises:
        SettingError: It is no classifier of these labels, or takes no picture.
        BundleError: It is no .tflite file.
    """
    image, outputs = _check(tflite, facts)
    plain, _ = unpacked(tflite)
    pictures = {f"golden-{index}.png": vector.png for index, vector in enumerate(golden)}
    version = hashlib.sha256(plain).hexdigest()[:12]
    standard = standard_metadata(facts, image, outputs, version=version, files=(CARD_NAME, *pictures))
    model = with_buffer(plain, METADATA_NAME, standard)
    card = {
        "format": CARD_FORMAT,
        "tfxfer": tfxfer.__version__,
        "version": version,
        "sha256": hashlib.sha256(model).hexdigest(),
        **asdict(facts),
        "input": {
            "height": image.shape[1],
            "width": image.shape[2],
            "dtype": image.dtype,
            "pixels": "RGB, 0..255",
            "filter": "bilinear, antialiased",
        },
        "golden": [
            {"file": name, "scores": list(vector.scores)}
            for name, vector in zip(pictures, golden, strict=True)
        ],
    }
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    files = {LABELS_NAME: labels_text(facts.labels).encode(), CARD_NAME: text.encode(), **pictures}
    return packed(model, files)


def _check(tflite: bytes, facts: FileFacts) -> tuple[Tensor, list[Tensor]]:
    """Return the input and the outputs of a model that metadata can be written for."""
    check_is_model(tflite)
    inputs, outputs = tensors_of(tflite)
    image = inputs[0]
    if len(inputs) > 1 or len(image.shape) != 4 or image.shape[0] != 1 or image.shape[3] != 3:
        shapes = " and ".join(str(tensor.shape) for tensor in inputs)
        raise SettingError(
            f"the model takes {shapes}, and readers of metadata give it one picture; let it take "
            "(1, height, width, 3)."
        )
    if image.dtype == "uint8" and not (np.isclose(image.scale, 1, atol=1e-3) and image.zero_point == 0):
        raise SettingError(
            f"the model's uint8 input is scaled by {image.scale:.6g} from {image.zero_point}, and readers of "
            "metadata give it raw pixels; calibrate it with pictures in which 0 and 255 occur."
        )
    if image.dtype not in ("float32", "uint8"):
        raise SettingError(
            f"the model takes {image.dtype}, and readers of metadata know float32 and uint8; convert it so."
        )
    if outputs[0].shape != (1, len(facts.labels)):
        raise SettingError(
            f"the model's first output has shape {outputs[0].shape}, and readers of metadata take it for "
            f"scores of {len(facts.labels)} labels; let (1, {len(facts.labels)}) come first."
        )
    return image, outputs

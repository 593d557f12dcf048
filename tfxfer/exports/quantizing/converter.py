"""TensorFlow's converter: from a SavedModel to a .tflite file, in whole or smaller numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

__all__ = ["Numbers", "converted"]

Numbers = Literal["float32", "float16", "dynamic", "int8"]


def converted(
    source: Path, numbers: Numbers, *, representative: npt.NDArray[np.uint8] | None = None
) -> bytes:
    """Convert by the converter of TensorFlow 2.21; what needs more than built-in operators fails here.

    Args:
        source: A SavedModel that takes raw RGB, float32.
        numbers: ``"float32"``; ``"float16"`` weights; ``"dynamic"``, int8 weights and activations as they
            come; ``"int8"``, everything, with uint8 pixels in and float32 scores out.
        representative: For the last, pictures that ranges are taken from, shape (pictures, height, width,
            3), uint8.

    Returns:
        What the file is to hold.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source), signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if numbers != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if numbers == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if numbers == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    if representative is not None:
        converter.representative_dataset = lambda: _samples(representative)
    return bytes(converter.convert())


def _samples(images: npt.NDArray[np.uint8]) -> Iterator[list[npt.NDArray[np.float32]]]:
    for image in images:
        yield [image[np.newaxis].astype(np.float32)]

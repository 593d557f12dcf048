"""ONNX files: written by tf2onnx, run by ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.runtime import ModelFacts

__all__ = ["onnx_output", "write_onnx"]

_BATCH = 32
_PIXELS = {
    "Image.BitmapPixelFormat": "Rgb8",
    "Image.ColorSpaceGamma": "SRGB",
    "Image.NominalPixelRange": "NominalRange_0_255",
}
"""How ONNX says what an input of the denotation IMAGE holds (MetadataProps.md of its repository)."""


def write_onnx(model: keras.Model, path: Path, facts: ModelFacts) -> None:
    """Write a model as ONNX, for batches of any size; checked on tf2onnx 1.17.0 and onnx 1.23.2.

    Its input is ``image``, its outputs are ``scores`` and, where the model tells it, ``known``. Its metadata
    have ``labels``, a JSON list in the order of the scores, ``task`` and ``resize``.

    Args:
        model: A model of pictures, raw RGB, with one output, or several by name.
        path: The file.
        facts: What it takes and tells.
    """
    import onnx
    import tf2onnx

    def said(image: tf.Tensor) -> Mapping[str, Any]:
        outputs = model(image, training=False)
        return outputs if isinstance(outputs, Mapping) else {"scores": outputs}

    image = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32, name="image")
    # Not Keras's own export: it patches tf2onnx for NumPy 2, which 1.17 does not need, and names no output.
    made, _ = tf2onnx.convert.from_function(tf.function(said, autograph=False), [image])
    for tensor in (*made.graph.input, *made.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "pictures"
    made.graph.input[0].type.denotation = "IMAGE"
    labels = json.dumps(facts.classes, ensure_ascii=False)
    told = {"labels": labels, "task": facts.task, "resize": facts.resize}
    onnx.helper.set_model_props(made, told | _PIXELS)
    path.write_bytes(made.SerializeToString())


def onnx_output(path: Path, images: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.float32]:
    """Run an ONNX file on the processor; checked on onnxruntime 1.32.0.

    Args:
        path: What ``write_onnx`` wrote.
        images: Raw RGB, shape (pictures, height, width, 3), uint8.
        name: Which output is wanted.

    Returns:
        That output, pictures first, float32.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    starts = range(0, len(images), _BATCH)
    batches = (images[start : start + _BATCH].astype(np.float32) for start in starts)
    return np.concatenate([session.run([name], {"image": batch})[0] for batch in batches])

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

from tfxfer.errors import SettingError
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

    Raises:
        SettingError: tf2onnx does not know an operation of the model.
    """
    import onnx
    import tf2onnx

    image = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32, name="image")
    function, traced = _traced(model, image)
    # Not Keras's own export: it patches tf2onnx for NumPy 2, which 1.17 does not need, and names no output.
    made, _ = tf2onnx.convert.from_function(function, [image], custom_op_handlers={"Erfc": (_erfc, [])})
    unknown = {node.op_type for node in made.graph.node if not onnx.defs.has(node.op_type, node.domain)}
    if unknown:
        raise SettingError(
            f"tf2onnx does not know {' and '.join(sorted(unknown))}, which this model has; leave onnx out of "
            "formats."
        )
    # Tensors that are no variables, as layers of Keras hold some, have become inputs.
    for held, place in traced.graph.captures:
        if held.dtype != tf.resource:
            made.graph.initializer.append(onnx.numpy_helper.from_array(held.numpy(), place.name))
    constants = {each.name for each in made.graph.initializer}
    for tensor in [each for each in made.graph.input if each.name in constants]:
        made.graph.input.remove(tensor)
    for tensor in (*made.graph.input, *made.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "pictures"
    made.graph.input[0].type.denotation = "IMAGE"
    labels = json.dumps(facts.classes, ensure_ascii=False)
    told = {"labels": labels, "task": facts.task, "resize": facts.resize}
    onnx.helper.set_model_props(made, told | _PIXELS)
    path.write_bytes(made.SerializeToString())


def _traced(model: keras.Model, image: tf.TensorSpec) -> tuple[Any, Any]:
    """Return a model as a function, and its trace, in which there are no further functions.

    tf2onnx does not open those that Keras has XLA compile, such as grouped convolutions.
    """

    def said(image: tf.Tensor) -> Mapping[str, Any]:
        outputs = model(image, training=False)
        return outputs if isinstance(outputs, Mapping) else {"scores": outputs}

    function = tf.function(said, autograph=False)
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        return function, function.get_concrete_function(image)
    finally:
        tf.config.run_functions_eagerly(before)


def _erfc(graph: Any, node: Any, name: str, _: list[Any]) -> None:
    """Say Erfc, which TensorFlow's GELU has, as ONNX can: 1 - Erf."""
    outputs, shapes, dtypes = list(node.output), node.output_shapes, node.output_dtypes
    (value,) = node.input
    graph.remove_node(name)
    erf = graph.make_node("Erf", [value], shapes=shapes, dtypes=dtypes)
    one = graph.make_const(f"{name}_one", np.array(1, np.float32))
    graph.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=outputs, name=name, shapes=shapes, dtypes=dtypes
    )


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

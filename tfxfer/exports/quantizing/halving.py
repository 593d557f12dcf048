"""ai-edge-quantizer: from a float32 .tflite file to one with most weights in float16."""

from __future__ import annotations

import re

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import qtyping, quantizer, recipe

from tfxfer.exports.quantizing.quantizer import quiet

__all__ = ["halved"]

_KINDS = ("CONV_2D", "FULLY_CONNECTED")
_SMALL = 0.02
"""Share of these operations' weights that stays float32: the smallest, which are mostly near the pixels."""
_FLOAT16 = qtyping.OpQuantizationConfig(
    weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
    compute_precision=qtyping.ComputePrecision.FLOAT,
    explicit_dequantize=True,
)


def halved(model: bytes) -> bytes:
    """Return a file whose large weights are float16; LiteRT computes in float32 with them.

    What is small stays float32, and does most of the harm if it is rounded, as TensorFlow's converter does:
    biases, weights of depthwise convolutions, and the smallest of the others.

    Args:
        model: A float32 .tflite file's content.
    """
    made = quantizer.Quantizer(model)
    for kind in _KINDS:
        made.update_quantization_recipe(
            ".*",
            qtyping.TFLOperationName[kind],
            op_config=_FLOAT16,
            algorithm_key=recipe.AlgorithmName.FLOAT_CASTING,
        )
    for name in _small(model):
        made.update_quantization_recipe(
            re.escape(name),
            qtyping.TFLOperationName.ALL_SUPPORTED,
            algorithm_key=recipe.AlgorithmName.NO_QUANTIZE,
        )
    with quiet():
        return bytes(made.quantize(enable_progress_report=False).quantized_model)


def _small(model: bytes) -> list[str]:
    """Return the outputs of the operations with the smallest weights, which make up a small share."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    tensors = {each["index"]: each for each in interpreter.get_tensor_details()}
    # LiteRT tells operations through no public function.
    found = [each for each in interpreter._get_ops_details() if each["op_name"] in _KINDS]
    found.sort(key=lambda each: int(np.prod(tensors[each["inputs"][1]]["shape"])))
    weights = np.cumsum([np.prod(tensors[each["inputs"][1]]["shape"]) for each in found])
    return [
        tensors[each["outputs"][0]]["name"]
        for each, before in zip(found, weights, strict=True)
        if before <= _SMALL * weights[-1]
    ]

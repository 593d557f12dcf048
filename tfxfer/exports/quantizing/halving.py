"""ai-edge-quantizer: from a float32 .tflite file to one with most weights in float16."""

from __future__ import annotations

from ai_edge_quantizer import qtyping, quantizer, recipe

from tfxfer.exports.quantizing.quantizer import quiet

__all__ = ["halved"]

_KINDS = (
    qtyping.TFLOperationName.CONV_2D,
    qtyping.TFLOperationName.CONV_2D_TRANSPOSE,
    qtyping.TFLOperationName.FULLY_CONNECTED,
)
_FLOAT16 = qtyping.OpQuantizationConfig(
    weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
    compute_precision=qtyping.ComputePrecision.FLOAT,
    explicit_dequantize=True,
)


def halved(model: bytes) -> bytes:
    """Return a file whose large weights are float16; LiteRT computes in float32 with them.

    Biases and the weights of depthwise convolutions, which are few and whose rounding does most of the harm,
    stay float32; TensorFlow's converter rounds them too.

    Args:
        model: A float32 .tflite file's content.
    """
    made = quantizer.Quantizer(model)
    for kind in _KINDS:
        made.update_quantization_recipe(
            ".*", kind, op_config=_FLOAT16, algorithm_key=recipe.AlgorithmName.FLOAT_CASTING
        )
    with quiet():
        return bytes(made.quantize(enable_progress_report=False).quantized_model)

"""Multiply-adds of every backbone, counted from its graph and once more by TensorFlow's profiler.

A multiply-add (MAC) is one product added to one sum. What counts is what multiplies by a kernel:
convolutions of every kind and dense layers, the squeeze-and-excite ones included. Biases, batch
normalisation, activations, sums and pooling do not: they are additions or single products, and a
hundredth of the whole. The profiler counts floating-point operations of the traced graph, two to
a MAC, in the operations that do those products.

Run from the repository's root, with the names of backbones or none for all of them:

    python benchmarks/count_macs.py mobilenet_v2 resnet50

It prints a line a backbone (counted, profiled, in the catalogue) and leaves with 1 where they
differ. The figures in the catalogue are the counted ones.
"""

from __future__ import annotations

import sys
from math import prod

import keras
import tensorflow as tf

from tfxfer.backbones import BACKBONES, build_backbone

COUNTED = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)
"""Layers that use every number of their kernels once for each pixel of their output."""

MULTIPLYING = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "Einsum", "BatchMatMulV2")
"""TensorFlow's operations that multiply by a kernel."""


def count_macs(model: keras.Model) -> int:
    """Count the multiply-adds of a flat model for one picture.

    Args:
        model: Functional model of a fixed input size, e.g. from ``build_backbone``.

    Returns:
        The sum over its layers.

    Raises:
        ValueError: A layer has a kernel, but no rule here says how often it is used.
    """
    return sum(layer_macs(layer) for layer in model.layers)


def layer_macs(layer: keras.Layer) -> int:
    """Count the multiply-adds of one layer for one picture: its kernel, once for each output pixel."""
    kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
    if not kernels:
        return 0
    if not isinstance(layer, COUNTED):
        raise ValueError(f"{layer.name} is a {type(layer).__name__} with a kernel: say how it counts.")
    pixels = prod(layer.output.shape[1:-1])
    return pixels * sum(prod(kernel.shape) for kernel in kernels)


def profiled_macs(model: keras.Model) -> int:
    """Have TensorFlow's profiler count the multiply-adds of the traced graph for one picture.

    Args:
        model: Functional model of a fixed input size.

    Returns:
        Half of the floating-point operations that it finds in ``MULTIPLYING`` operations.
    """
    picture = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    # Keras wraps a grouped convolution into a compiled function, into which the profiler does not
    # look; while functions run eagerly, it is traced into the graph itself.
    tf.config.run_functions_eagerly(True)
    try:
        traced = tf.function(model).get_concrete_function(picture)
    finally:
        tf.config.run_functions_eagerly(False)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    options["account_type_regexes"] = list(MULTIPLYING)
    # Reading a variable tells its shape, so there is no need to freeze the graph, which would
    # hold the largest backbone's weights several times.
    found = tf.compat.v1.profiler.profile(traced.graph, cmd="op", options=options)
    return found.total_float_ops // 2


def main(names: list[str]) -> int:
    """Print the table for some backbones, or all; return how many differ."""
    differing = 0
    print(f"{'name':<20}  {'counted':>14}  {'profiled':>14}  {'catalogue':>14}")
    for spec in [BACKBONES[name] for name in names] or BACKBONES:
        model = build_backbone(spec, weights=None)
        counted, profiled = count_macs(model), profiled_macs(model)
        agree = counted == profiled == spec.macs
        differing += not agree
        print(
            f"{spec.name:<20}  {counted:>14,}  {profiled:>14,}  {spec.macs:>14,}"
            f"{'' if agree else '  differs'}",
            flush=True,
        )
        keras.backend.clear_session()
    return differing


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))

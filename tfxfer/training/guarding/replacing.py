"""A linear probe becomes the head of a model."""

from __future__ import annotations

import keras

from tfxfer.features import Probe
from tfxfer.models import Anatomy

__all__ = ["put_in", "takes_probe"]

_LOGITS, _SCORES = "head_logits", "head_scores"
_WITHOUT_WEIGHTS = (
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Dropout,
    keras.layers.Softmax,
    keras.layers.Activation,
    keras.layers.Rescaling,
)


def takes_probe(model: keras.Model) -> bool:
    """Say whether a model's head is linear in pooled features, as those of ``tfxfer.build`` are.

    >>> from tfxfer.models import build
    >>> takes_probe(build(classes=3, backbone="micro", image_size=32))
    True
    """
    rest = [layer for layer in Anatomy.of(model).head if layer.name != _LOGITS]
    if not all(isinstance(layer, _WITHOUT_WEIGHTS) for layer in rest) or rest[-1].name != _SCORES:
        return False
    return any(
        layer.name == _LOGITS
        and isinstance(layer, keras.layers.Dense)
        and layer.activation is keras.activations.linear
        and layer.use_bias
        for layer in model.layers
    )


def put_in(model: keras.Model, probe: Probe) -> None:
    """Have a model's head say what a probe says.

    Args:
        model: One that ``takes_probe``.
        probe: Of its pooled features, and of as many outputs.
    """
    kernel, bias = probe.kernel, probe.bias
    if probe.task == "regression":
        scores = model.get_layer(_SCORES)  # deviations, of which the head learns numbers as so many
        kernel, bias = kernel / scores.scale, (bias - scores.offset) / scores.scale
    logits = model.get_layer(_LOGITS)
    logits.kernel.assign(kernel)
    logits.bias.assign(bias)

"""A model computes in the numbers of a precision, and in its own again; its weights are float32 all along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import keras

from tfxfer.backbones import HubLayer, layers_within
from tfxfer.contracts import Precision

__all__ = ["computing_in", "precision_of", "set_precision"]

_SCORES = "head_scores"
_FREE = get_args(Precision)
_EXACT = (keras.layers.Rescaling, keras.layers.Normalization)


def set_precision(model: keras.Model, precision: Precision) -> None:
    """Have a model's layers compute in a precision from now on; it is to be compiled anew.

    In float32 in any case: what scales pixels at the bottom, scores at the top, and modules of TensorFlow
    Hub, which know no other.

    Args:
        model: A model, changed in place; other models that share its layers with it.
        precision: What its layers are to compute in.
    """
    # Checked on Keras 3.15.1: a policy may be set on a layer that is built.
    for layer in _other(model, precision):
        layer.dtype_policy = precision


def precision_of(model: keras.Model) -> Precision:
    """Say in which precision a model computes: the mixed one that any of its layers has, or float32.

    >>> from tfxfer.models import build
    >>> model = build(classes=3, backbone="micro", image_size=32, precision="mixed_bfloat16")
    >>> precision_of(model), model.weights[0].dtype, model.output.dtype
    ('mixed_bfloat16', 'float32', 'float32')
    """
    names = {layer.dtype_policy.name for layer in layers_within(model)}
    if "mixed_bfloat16" in names:
        return "mixed_bfloat16"
    return "mixed_float16" if "mixed_float16" in names else "float32"


@contextmanager
def computing_in(precision: Precision, *models: keras.Model) -> Iterator[None]:
    """Have models compute in a precision for a while, and after it as they did before.

    Args:
        precision: What their layers are to compute in.
        *models: Models, which may share layers; they are to be compiled inside.
    """
    before = {
        id(layer): (layer, layer.dtype_policy) for model in models for layer in _other(model, precision)
    }
    for layer, _ in before.values():
        layer.dtype_policy = precision
    try:
        yield
    finally:
        for layer, policy in before.values():
            layer.dtype_policy = policy
        for model in models if before else ():
            # What was traced computes as it did when it was traced.
            model.train_function = model.test_function = model.predict_function = None


def _other(model: keras.Model, precision: Precision) -> list[keras.Layer]:
    """Return the layers that compute in another precision, and are free to."""
    return [
        layer
        for layer in layers_within(model)
        if layer.dtype_policy.name in _FREE
        and layer.dtype_policy.name != precision
        and not (layer.name == _SCORES or isinstance(layer, (HubLayer, *_EXACT)))
    ]

"""What stands still in front of all that learns drops nothing while that is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import keras

from tfxfer.backbones import HubUnit, layers_within
from tfxfer.models import Anatomy, Piece

__all__ = ["calmed", "still"]


@contextmanager
def calmed(model: keras.Model) -> Iterator[None]:
    """Have layers that drop by chance drop nothing in the stages below the first in which anything learns.

    Keras lets frozen layers go on dropping: EfficientNet's blocks, a transformer's dropout. What is compiled
    within goes by it, and rates are as they were afterwards.

    Args:
        model: A model from ``tfxfer.build``, after ``set_trainable``.
    """
    frozen = takewhile(lambda pieces: not any(map(_learns, pieces)), Anatomy.of(model).stages.values())
    with _quiet([layer for pieces in frozen for piece in pieces for layer in _dropping(piece)]):
        yield


@contextmanager
def still(model: keras.Model) -> Iterator[None]:
    """Have nothing of a model drop anything, whatever learns; what is traced within goes by it."""
    with _quiet(_dropping(model)):
        yield


@contextmanager
def _quiet(layers: Sequence[Any]) -> Iterator[None]:
    dropping = [(layer, layer.rate) for layer in layers]
    for layer, _ in dropping:
        layer.rate = 0.0
    try:
        yield
    finally:
        for layer, rate in dropping:
            layer.rate = rate


def _learns(piece: Piece) -> bool:
    return bool(piece.trainable_variables)


def _dropping(piece: Piece) -> list[Any]:
    """Return what of a piece drops by chance: Keras's own layers, and KerasHub's and anybody's DropPath."""
    if isinstance(piece, HubUnit):
        return []
    kinds = (keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GaussianDropout)
    return [
        layer
        for layer in layers_within(piece)
        if isinstance(layer, kinds) or type(layer).__name__ in ("DropPath", "StochasticDepth")
        if hasattr(layer, "rate")
    ]

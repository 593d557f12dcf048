"""Where a model last has a map of the picture, before it is pooled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras

from tfxfer.backbones import is_body, layers_below
from tfxfer.backbones.graph import cut_points, output_within
from tfxfer.errors import SettingError

__all__ = ["SpatialMap", "find_spatial_map"]

_POOLS_TOKENS = (keras.layers.GlobalAveragePooling1D, keras.layers.GlobalMaxPooling1D)


@dataclass(frozen=True, slots=True, eq=False)
class SpatialMap:
    """The last map that all of a model's paths pass through.

    Attributes:
        tensor: Shape (batch, rows, columns, channels), or (batch, rows * columns, channels) where a
            transformer has patches in a row.
        rows: Places from top to bottom.
        columns: Places from left to right.
    """

    tensor: keras.KerasTensor
    rows: int
    columns: int


def find_spatial_map(model: keras.Model) -> SpatialMap:
    """Find the last map of a model that has more than one place.

    Args:
        model: A functional model from ``tfxfer.build``.

    Returns:
        The map; of a transformer that pools its patches, those.

    Raises:
        SettingError: There is none: the backbone gives a vector, as a transformer's class token is.

    >>> from tfxfer.models import build
    >>> found = find_spatial_map(build(classes=2, backbone="micro", image_size=64))
    >>> found.rows, found.columns
    (4, 4)
    """
    for operation in reversed(cut_points(model)):
        tensor = output_within(model, operation)
        found = _patches(model, operation) if isinstance(operation, _POOLS_TOKENS) else _map(tensor)
        if found:
            if _is_learnt(model, operation):
                return found
            break
        if len(tensor.shape) not in (2, 4):
            break
    raise SettingError(
        f"{model.name} gives its head a vector that comes of no map of the picture, so Grad-CAM has nothing "
        "to show; take the method 'integrated-gradients' or 'occlusion'."
    )


def _map(tensor: keras.KerasTensor) -> SpatialMap | None:
    if len(tensor.shape) != 4 or math.prod(tensor.shape[1:3]) == 1:
        return None
    return SpatialMap(tensor, *tensor.shape[1:3])


def _patches(model: keras.Model, pooling: keras.Operation) -> SpatialMap | None:
    """Take patches in a row for a map, where as many lie in one as the shape of the picture says."""
    _, height, width, _ = model.input_shape
    count = pooling.input.shape[1]
    rows = math.isqrt(count * height // width)
    columns = count // max(rows, 1)
    if rows * columns != count or rows * width != columns * height:
        return None
    return SpatialMap(pooling.input, rows, columns)


def _is_learnt(model: keras.Model, operation: keras.Operation) -> bool:
    """Say whether there are weights of the backbone below: pixels are a map too."""
    return any(layer.weights for layer in layers_below(model, operation.name) if is_body(layer))

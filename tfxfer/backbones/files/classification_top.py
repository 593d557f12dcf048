"""Where a classifier ends being a backbone and begins to tell its own classes apart."""

from __future__ import annotations

import keras
from keras import KerasTensor

from tfxfer.backbones.graph import PREPROCESSING, cut_points, output_within
from tfxfer.errors import SettingError

__all__ = ["features_of"]

KERNELS = (
    keras.layers.Dense,
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
CLASSIFYING = ("softmax", "sigmoid")


def features_of(flat: keras.Model, label: str) -> KerasTensor:
    """Find what a model sees in a picture before it tells its classes apart.

    This is the last feature map that all paths pass through before they are pooled or flattened. Where
    there is none, or layers with weights lie between the map and the pooling, as in a vision transformer,
    it is what the last Dense layer gets, and without such a layer, the output.

    Args:
        flat: Flat functional model of pictures.
        label: What messages call it.

    Returns:
        Shape (batch, channels) or (batch, rows, columns, channels); no Dropout directly in front.

    Raises:
        SettingError: There is none, or nothing of the model would be left.
    """
    features = _before_dropout(_last_map(flat))
    if not _is_learnt(flat, features):
        features = _before_dropout(_before_last_dense(flat))
    if features is None or len(features.shape) not in (2, 4) or not _is_learnt(flat, features):
        raise SettingError(
            f"{label} has no layers with weights in front of its classification, that end in one feature map "
            "or one vector a picture; give a model that has."
        )
    return features


def _last_map(flat: keras.Model) -> KerasTensor | None:
    """Return the last map before what pools or flattens it; None where no map is all that is handed on."""
    cuts = [cut for cut in cut_points(flat) if not isinstance(cut, keras.layers.InputLayer)]
    maps = cuts[: next((place for place, cut in enumerate(cuts) if _collapses(cut)), len(cuts))]
    if not maps:
        return None
    if len(maps) == len(cuts):
        # A network that classifies each pixel has a last convolution with a channel a class as well.
        return _before_last_kernel(flat, maps) if _classifies(maps[-1]) else maps[-1].output
    operations = flat.operations
    start, end = (operations.index(cut) for cut in (maps[-1], cuts[len(maps)]))
    between, tail = operations[start + 1 : end + 1], operations[end:]
    pooled = cuts[len(maps)].output.shape
    if any(_has_weights(operation) for operation in between) or len(pooled) == 3:
        return None
    if any(map(_classifies, tail)) and not any(_has_weights(operation) for operation in tail):
        # A network whose last convolution has a channel a class.
        return _before_last_kernel(flat, maps)
    return output_within(flat, maps[-1])


def _collapses(operation: keras.Operation) -> bool:
    """Say whether what comes out is no map of the picture any more."""
    shape, kind = operation.output.shape, type(operation).__name__
    # A strided layer may come down to one point as well, and still be of the body.
    point = tuple(shape[1:3]) == (1, 1) and kind in ("Mean", "Max")
    return len(shape) != 4 or point or kind.startswith("Global")


def _before_last_kernel(flat: keras.Model, maps: list[keras.Operation]) -> KerasTensor | None:
    place = max((place for place, each in enumerate(maps) if isinstance(each, KERNELS)), default=0)
    return output_within(flat, maps[place - 1]) if place else None


def _before_last_dense(flat: keras.Model) -> KerasTensor | None:
    """Return what the last Dense layer on the way gets, or the output where no Dense is on it."""
    dense = [
        cut for cut in cut_points(flat) if isinstance(cut, keras.layers.Dense) and len(cut.output.shape) == 2
    ]
    return dense[-1].input if dense else flat.outputs[0]


def _before_dropout(features: KerasTensor | None) -> KerasTensor | None:
    """Step back over layers that switch features off in training; the new head has its own."""
    while features is not None:
        operation = features._keras_history.operation  # private to Keras; checked on 3.15.1
        if not isinstance(operation, keras.layers.Dropout):
            break
        features = operation.input
    return features


def _is_learnt(flat: keras.Model, features: KerasTensor | None) -> bool:
    """Say whether there are layers with weights between the pixels and the features."""
    if features is None:
        return False
    return any(map(_has_weights, keras.Model(flat.inputs[0], features).layers))


def _has_weights(operation: keras.Operation) -> bool:
    scales = isinstance(operation, PREPROCESSING)
    return isinstance(operation, keras.Layer) and bool(operation.weights) and not scales


def _classifies(operation: keras.Operation) -> bool:
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    return activation in CLASSIFYING or type(operation).__name__.lower() in CLASSIFYING

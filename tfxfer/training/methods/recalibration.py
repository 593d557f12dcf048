"""BatchNorm statistics of the pictures at hand, in the place of those that a backbone was pretrained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.backbones import layers_within
from tfxfer.config import Phase
from tfxfer.data import Photos, at_most
from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, computing_in, input_contract
from tfxfer.training.methods.calm import still

__all__ = ["check_recalibration", "recalibrate", "statistics_of"]

_MOST = 1024
"""Training pictures: statistics settle with about a thousand."""
_BATCH = 64

_Moments = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def check_recalibration(model: keras.Model, phases: Sequence[Phase]) -> None:
    """Refuse a phase that recalibrates what is not there.

    Raises:
        SettingError: The backbone has no BatchNorm layer, or is a module of TensorFlow Hub.
    """
    for phase in phases:
        if phase.batch_norm != "recalibrate":
            continue
        if Anatomy.of(model).hub:
            raise SettingError(
                f"phase {phase.name!r} recalibrates BatchNorm, of which a module of TensorFlow Hub keeps the "
                "statistics to itself; give batch_norm='frozen', or 'train' with 'all'."
            )
        if not _normalizations(model):
            raise SettingError(
                f"phase {phase.name!r} recalibrates BatchNorm, and {model.name} has none; give "
                "batch_norm='frozen'."
            )


def statistics_of(model: keras.Model) -> list[keras.Variable]:
    """Return the moving statistics of a backbone's BatchNorm layers, each mean before its variance."""
    return [
        variable
        for layer in _normalizations(model)
        for variable in (layer.moving_mean, layer.moving_variance)
    ]


def recalibrate(model: keras.Model, photos: Photos, *, seed: int = 0) -> None:
    """Estimate the statistics of a backbone's BatchNorm layers anew, on training pictures as they are.

    Batches of 64 go through the backbone as in training, each layer normalizing by the batch at hand, and
    nothing drops. Of each layer the mean is that of the batches' means, and the variance that of all: the
    mean of their variances, and the variance of their means. No weight moves.

    Args:
        model: A model from ``tfxfer.build`` with BatchNorm layers, changed in place.
        photos: The data set; 1,024 of its training pictures at most.
        seed: Seed of which they are.

    Source:
        Wu & Johnson 2021, https://arxiv.org/abs/2105.07576, section 3 (PreciseBN); for pictures from
        elsewhere Schneider et al. 2020, https://arxiv.org/abs/2006.16971, with N = 0.
    """
    few = at_most(photos, "train", _MOST, seed=seed)
    size = input_contract(model)
    # Shuffled: records are in the order of their classes, and a batch of one is not like all pictures.
    shuffled: dict[str, Any] = {"batch_size": _BATCH, "shuffle": True, "seed": seed, "cache": "none"}
    batches = few.batches("train", image_size=(size.height, size.width), **shuffled)
    body = keras.Model(model.inputs[0], Anatomy.of(model).head[0].input, name=f"{model.name}_body")
    layers = _normalizations(model)
    seen: list[tuple[int, list[npt.NDArray[np.float64]]]] = []
    with computing_in("float32", model), still(body), _by_the_batch(layers):
        moments = _moments(body, statistics_of(model))
        for pixels, _ in batches:
            seen.append((len(pixels), [np.asarray(each, np.float64) for each in moments(pixels)]))
    counts = np.array([count for count, _ in seen], np.float64)
    for place, layer in enumerate(layers):
        means, variances = (np.stack([each[2 * place + which] for _, each in seen]) for which in (0, 1))
        mean, variance = pooled(counts, means, variances)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


def pooled(
    counts: npt.NDArray[np.float64], means: npt.NDArray[np.float64], variances: npt.NDArray[np.float64]
) -> _Moments:
    """Put together the moments of batches.

    Args:
        counts: Pictures in each, shape (batches,).
        means: Shape (batches, channels).
        variances: Within each batch, shape (batches, channels).

    Returns:
        Mean and variance of all, shape (channels,) each.

    >>> mean, variance = pooled(np.ones(2), np.array([[1.0], [3.0]]), np.array([[0.5], [0.5]]))
    >>> mean.tolist(), variance.tolist()
    ([2.0], [1.5])
    """
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.average(variances + (means - mean) ** 2, axis=0, weights=counts)


def _moments(
    body: keras.Model, statistics: Sequence[keras.Variable]
) -> tf.types.experimental.PolymorphicFunction:
    """Return what gives each layer's statistics of a batch, and changes no variable."""
    wanted = [id(variable) for variable in statistics]
    places = {id(variable): place for place, variable in enumerate(body.non_trainable_variables)}

    def moments(pixels: tf.Tensor) -> list[tf.Tensor]:
        _, moved = body.stateless_call(
            body.trainable_variables, body.non_trainable_variables, pixels, training=True
        )
        return [moved[places[each]] for each in wanted]

    return tf.function(moments, reduce_retracing=True, autograph=False)


@contextmanager
def _by_the_batch(layers: Sequence[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Have BatchNorm layers normalize by the batch, and take its statistics for theirs."""
    before = [(layer, layer.trainable, layer.momentum) for layer in layers]
    for layer in layers:
        layer.trainable, layer.momentum = True, 0.0
    try:
        yield
    finally:
        for layer, trainable, momentum in before:
            layer.trainable, layer.momentum = trainable, momentum


def _normalizations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    anatomy = Anatomy.of(model)
    return [
        inner
        for piece in (() if anatomy.hub else anatomy.backbone)
        for inner in layers_within(piece)
        if isinstance(inner, keras.layers.BatchNormalization)
    ]

"""How far pictures are from those that a backbone was pretrained on, by what its BatchNorm layers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.contracts import Figure
from tfxfer.data import Photos, at_most
from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, input_contract

__all__ = ["DomainGap", "domain_gap", "normal_distance"]

_BATCH = 32
_NEAR, _FAR = 0.3, 0.55

_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DomainGap:
    """How far pictures are from those of a backbone's pretraining; printed, it is a sentence.

    Attributes:
        backbone: The backbone's name.
        value: Mean over BatchNorm layers, in standard deviations of the pretraining pictures; at least 0.
        stages: The same of each stage that has such layers, from the pixels to the head.
        images: How many pictures it is told by.
    """

    backbone: str
    value: float
    stages: tuple[Figure, ...]
    images: int

    @property
    def advice(self) -> str:
        """What it suggests."""
        if self.value < _NEAR:
            return "near, and the default plan is what to begin with"
        if self.value < _FAR:
            return "some way off, and more top blocks may learn (top_blocks, or plan='gradual')"
        return "far off, and most of it may have to learn (plan='full')"

    def __str__(self) -> str:
        return (
            f"{self.images} pictures are {self.value:.2f} standard deviations from those that "
            f"{self.backbone} was pretrained on: {self.advice}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {**asdict(self), "stages": dict(self.stages), "advice": self.advice}


def domain_gap(model: keras.Model, photos: Photos, *, images: int = 512, seed: int = 0) -> DomainGap:
    """Say how far training pictures are from those that a backbone was pretrained on.

    Each BatchNorm layer holds mean and variance of its input, channel by channel, over the pretraining
    pictures. Those over the pictures at hand, the network as in inference, are compared with them: by the
    Wasserstein distance of two normal distributions, in units of what the layer divides by.

    Args:
        model: A model from ``tfxfer.build``, before it has learnt.
        photos: The data set.
        images: Training pictures at most; at least 2.
        seed: Seed of which they are.

    Returns:
        The distance, of all layers and stage by stage.

    Raises:
        SettingError: The backbone has no BatchNorm layer to be looked into, or none that has seen pictures;
            or too few pictures are asked for.
        DataError: A picture cannot be read.

    Source:
        Schneider et al. 2020, https://arxiv.org/abs/2006.16971, who measure covariate shift by the
        Wasserstein distance between BatchNorm statistics; here of each channel by itself.
    """
    if images < 2:
        raise SettingError(f"images must be at least 2, got {images}.")
    stages = {name: _normalizations(pieces) for name, pieces in Anatomy.of(model).stages.items()}
    stages = {name: layers for name, layers in stages.items() if layers}
    layers = [layer for each in stages.values() for layer in each]
    _check(model, layers)
    few = at_most(photos, "train", images, seed=seed)
    gaps = dict(zip(map(id, layers), _gaps(model, layers, few), strict=True))
    return DomainGap(
        model.name,
        float(np.mean(list(gaps.values()))),
        tuple(
            Figure(name, float(np.mean([gaps[id(layer)] for layer in each]))) for name, each in stages.items()
        ),
        images=len(few.split.train),
    )


def normal_distance(
    means: tuple[_Numbers, _Numbers], variances: tuple[_Numbers, _Numbers], *, epsilon: float
) -> _Numbers:
    """Return the 2-Wasserstein distance of normal distributions, in deviations of the first of each pair.

    Args:
        means: Of both, shape (channels,) each.
        variances: Of both, likewise.
        epsilon: What is added to the first variance where it is divided by.

    Returns:
        Shape (channels,), at least 0.

    >>> one, two = np.array([1.0]), np.array([2.0])
    >>> normal_distance((one, two), (one, 4 * one), epsilon=0.0)  # one deviation off, and twice as wide
    array([1.41421356])
    """
    apart = (means[1] - means[0]) ** 2 + (np.sqrt(variances[1]) - np.sqrt(variances[0])) ** 2
    return np.asarray(np.sqrt(apart / (variances[0] + epsilon)))


def _normalizations(pieces: Sequence[Any]) -> list[keras.layers.BatchNormalization]:
    return [piece for piece in pieces if isinstance(piece, keras.layers.BatchNormalization)]


def _check(model: keras.Model, layers: Sequence[keras.layers.BatchNormalization]) -> None:
    if not layers:
        raise SettingError(
            f"{model.name} has no BatchNorm layer that can be looked into, so how far pictures are from "
            "those of its pretraining cannot be told; tfxfer.rank compares backbones by their features."
        )
    if all(np.all(np.asarray(layer.moving_mean) == 0) for layer in layers):
        raise SettingError(
            f"the BatchNorm layers of {model.name} have seen no pictures; build it with pretrained weights."
        )


def _gaps(
    model: keras.Model, layers: Sequence[keras.layers.BatchNormalization], photos: Photos
) -> list[float]:
    """Return each layer's distance, the mean over its channels."""
    size = input_contract(model)
    batches = photos.batches(
        "train", image_size=(size.height, size.width), batch_size=_BATCH, shuffle=False, cache="none"
    )
    moments = _moments(keras.Model(model.inputs[0], [layer.input for layer in layers]), layers)
    seen = [(len(pixels), moments(pixels)) for pixels, _ in batches]
    counts = np.array([count for count, _ in seen], np.float64)
    found = []
    for place, layer in enumerate(layers):
        mean, square = (
            np.average([np.asarray(each[place][which], np.float64) for _, each in seen], 0, counts)
            for which in (0, 1)
        )
        stored, spread = (np.asarray(each, np.float64) for each in (layer.moving_mean, layer.moving_variance))
        variance = np.maximum(square - mean**2, 0.0)
        apart = normal_distance((stored, mean), (spread, variance), epsilon=layer.epsilon)
        found.append(float(apart.mean()))
    return found


def _moments(
    body: keras.Model, layers: Sequence[keras.layers.BatchNormalization]
) -> tf.types.experimental.PolymorphicFunction:
    """Return what gives the mean of each layer's input and of its square, channel by channel."""

    def moments(pixels: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        maps = body(pixels, training=False)
        found = []
        for layer, each in zip(layers, maps if isinstance(maps, list | tuple) else [maps], strict=True):
            numbers = tf.cast(each, tf.float32)
            axes = [axis for axis in range(numbers.shape.rank) if axis != layer.axis % numbers.shape.rank]
            found.append((tf.reduce_mean(numbers, axes), tf.reduce_mean(tf.square(numbers), axes)))
        return found

    return tf.function(moments, reduce_retracing=True, autograph=False)

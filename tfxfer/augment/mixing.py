"""Labels in shares: two training pictures in one (MixUp, CutMix), or a little of every class, in tf.data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import tensorflow as tf

from tfxfer import runtime
from tfxfer.config import check_types
from tfxfer.errors import SettingError, did_you_mean

__all__ = ["MIXES", "CutMix", "MixUp", "Mixing", "choose_mixing", "soft_labels"]


@dataclass(frozen=True, slots=True)
class Mixing(ABC):
    """A way to mix each picture of a batch with another one of it, in one share for the whole batch.

    Attributes:
        alpha: Both parameters of the Beta distribution that the share is drawn from, above 0: small ones mix
            little or almost wholly, 1 anything alike, large ones half and half.

    Raises:
        SettingError: A number out of range, or no number.
    """

    alpha: float

    name: ClassVar[str]
    mixes_features: ClassVar[bool]
    """Whether it can mix what a network made of pictures as it mixes pictures."""

    def __post_init__(self) -> None:
        check_types(self, f" of {self.name}")
        if not self.alpha > 0:
            raise SettingError(f"alpha of {self.name} must be above 0, got {self.alpha:g}.")

    def __str__(self) -> str:
        return f"{self.name}(alpha={self.alpha:g})"

    @abstractmethod
    def __call__(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix a batch.

        Args:
            images: RGB in 0..255, shape (batch, height, width, 3), any number type.
            labels: Shares of the classes, shape (batch, classes), float32.
            seed: What chance is drawn from, shape (2,), int64.

        Returns:
            Pictures of the same shape, and their new shares, which add up to 1 where the old ones do.
        """


@dataclass(frozen=True, slots=True)
class MixUp(Mixing):
    """Lay one picture over another, like two slides; or one's features over another's.

    Source:
        Zhang et al. 2018, https://arxiv.org/abs/1710.09412; alpha of 0.2 is its choice for ImageNet.
        Features: Verma et al. 2019, https://arxiv.org/abs/1806.05236, always at the same depth here.
    """

    alpha: float = 0.2

    name: ClassVar[str] = "mixup"
    mixes_features: ClassVar[bool] = True

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix a batch, as ``Mixing`` says, of pictures or features of any shape; they become float32."""
        share, partners, _ = _drawn(self.alpha, tf.shape(images)[0], seed)
        images = tf.cast(images, tf.float32)
        return (
            share * images + (1 - share) * tf.gather(images, partners),
            share * labels + (1 - share) * tf.gather(labels, partners),
        )


@dataclass(frozen=True, slots=True)
class CutMix(Mixing):
    """Paste a rectangle of one picture into another, at the place where it was.

    Labels are shared by the area that was really pasted: a rectangle over the edge is cut off there.

    Source:
        Yun et al. 2019, https://arxiv.org/abs/1905.04899, whose choice is an alpha of 1.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "cutmix"
    mixes_features: ClassVar[bool] = False  # where a picture is pooled there is no place to paste to

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix a batch, as ``Mixing`` says; pictures keep their type."""
        share, partners, place = _drawn(self.alpha, tf.shape(images)[0], seed)
        size = tf.shape(images)[1:3]
        half = tf.sqrt(1 - share) * tf.cast(size, tf.float32) / 2
        centre = place * tf.cast(size, tf.float32)
        first = tf.clip_by_value(tf.cast(tf.round(centre - half), tf.int32), 0, size)
        last = tf.clip_by_value(tf.cast(tf.round(centre + half), tf.int32), 0, size)
        rows, columns = tf.range(size[0]), tf.range(size[1])
        inside = ((rows >= first[0]) & (rows < last[0]))[:, None] & (
            (columns >= first[1]) & (columns < last[1])
        )
        kept = 1 - tf.cast(tf.reduce_prod(last - first), tf.float32) / tf.cast(
            tf.reduce_prod(size), tf.float32
        )
        return (
            tf.where(inside[None, :, :, None], tf.gather(images, partners), images),
            kept * labels + (1 - kept) * tf.gather(labels, partners),
        )


MIXES: dict[str, Mixing] = {mix.name: mix for mix in (MixUp(), CutMix())}
"""Each with the alpha of its paper."""


def choose_mixing(mix: str | Mapping[str, Any] | Mixing | None) -> Mixing | None:
    """Return the mixing that a name stands for, with its paper's alpha; None and a mixing stay.

    Args:
        mix: It, its name, or as a recipe's file has it: its ``"name"`` and its ``"alpha"``.

    Raises:
        SettingError: No such name, or it is something else.

    >>> str(choose_mixing("cutmix")), str(choose_mixing({"name": "mixup", "alpha": 0.4}))
    ('cutmix(alpha=1)', 'mixup(alpha=0.4)')
    """
    if mix is None or isinstance(mix, Mixing):
        return mix
    if isinstance(mix, Mapping):
        if set(mix) != {"name", "alpha"} or not isinstance(mix["alpha"], int | float):
            raise SettingError(f"mix as a table has a name and an alpha, a number, got {dict(mix)}.")
        chosen = choose_mixing(str(mix["name"]))
        return chosen and replace(chosen, alpha=float(mix["alpha"]))
    if mix not in MIXES:
        hint = did_you_mean(str(mix), MIXES) or "."
        raise SettingError(f"mix must be 'mixup', 'cutmix', a MixUp, a CutMix or None, got {mix!r}{hint}")
    return MIXES[mix]


def soft_labels(
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    *,
    classes: int,
    mix: Mixing | None = None,
    smoothing: float = 0.0,
    seed: int = 0,
    epochs: runtime.Epochs | None = None,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Have training labels be shares of classes, mixed and smoothed; those of validation stay whole.

    Args:
        training: Batches of what is learnt from, an array of shape (batch, ...) or a tuple of them, and of
            class indices, shape (batch,); or of rows that hold shares already, shape (batch, ...), float32.
        validation: Batches of the same kind.
        classes: How many there are.
        mix: How each training batch is mixed within itself, anew each epoch and the same each run, arrays of
            a tuple alike; or None.
        smoothing: Share of each training label that goes to all classes alike, in [0, 1).
        seed: What chance is drawn from.
        epochs: What tells which epoch it is; None counts.

    Returns:
        Both, with shares of classes, shape (batch, classes), float32: in validation 1 for the class and 0 for
        all others.

    Source:
        Smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7.
    """

    def spread(inputs: Any, labels: tf.Tensor) -> tuple[Any, tf.Tensor]:
        return inputs, tf.one_hot(labels, classes) if labels.dtype.is_integer else labels

    def softened(pair: tuple[Any, tf.Tensor], seed: tf.Tensor) -> tuple[Any, tf.Tensor]:
        inputs, shares = spread(*pair)
        if mix and isinstance(inputs, tuple):
            arrays, mixed = zip(*(mix(each, shares, seed) for each in inputs), strict=True)
            inputs, shares = arrays, mixed[0]
        elif mix:
            inputs, shares = mix(inputs, shares, seed)
        return inputs, (1 - smoothing) * shares + smoothing / classes

    seeds = (epochs or runtime.Epochs()).places(seed)
    pairs = tf.data.Dataset.zip(training, seeds).map(
        runtime.as_is(softened), num_parallel_calls=runtime.cores()
    )
    return runtime.prepared_ahead(pairs), validation.map(runtime.as_is(spread))


def _drawn(alpha: float, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Draw the share a picture keeps, from Beta(alpha, alpha), whom it is mixed with, and a place in 0..1."""
    for_share, for_partners, for_place = (tf.random.experimental.stateless_fold_in(seed, i) for i in range(3))
    # In float64, and still: at an alpha of 0.01 both may come out as 0, where Beta is at its ends.
    parts = tf.random.stateless_gamma((2,), for_share, alpha=tf.constant(alpha, tf.float64), dtype=tf.float64)
    whole = tf.reduce_sum(parts)
    share = tf.cast(tf.where(whole > 0, parts[0] / tf.maximum(whole, 1e-300), 1.0), tf.float32)
    partners = tf.argsort(tf.random.stateless_uniform((batch,), for_partners))
    return share, partners, tf.random.stateless_uniform((2,), for_place)

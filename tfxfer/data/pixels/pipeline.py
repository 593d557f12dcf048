"""Pictures become batches of pixels in tf.data, in an order that a seed and an epoch settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer import runtime
from tfxfer.contracts import InputContract
from tfxfer.data.pixels.cache import Cache, Read, cached
from tfxfer.runtime import Epochs

__all__ = ["Augment", "make_batches", "picture_seed"]

Augment = Callable[[npt.NDArray[np.uint8], int], npt.NDArray[np.uint8]]
"""Pixels, uint8 (height, width, 3), and a seed in 0..2**63-1 -> pixels of the same shape and dtype."""

_LARGEST_SEED = 2**63 - 1


def make_batches(
    read: Read,
    targets: npt.NDArray[Any],
    *,
    size: InputContract,
    batch_size: int,
    places: Sequence[int] | None = None,
    seed: int = 0,
    shuffle: bool = False,
    augment: Augment | None = None,
    cache: Cache = "auto",
    deterministic: bool = True,
    epochs: Epochs | None = None,
) -> tf.data.Dataset:
    """Read, perhaps shuffle and augment, and batch.

    Each time the data set is gone through is an epoch, unless ``epochs`` tells. Its order is settled by the
    seed and the epoch, and the seed that ``augment`` gets by those and the picture's index: a run repeats,
    whatever the number of workers.

    Args:
        read: Index -> pixels of that picture, in the size asked for; from several threads at once.
        targets: What is learnt, one row a picture.
        size: Height and width that ``read`` gives.
        batch_size: Pictures a batch; the last one may be smaller.
        places: Row -> index of its picture, from 0 on, where pictures are repeated: each is decoded and kept
            once. None takes each row's own.
        seed: Seed of shuffling and augmentation.
        shuffle: Whether the order is new each epoch, or the one given.
        augment: Applied to each picture, every epoch anew, or None.
        cache: Where decoded pictures are kept for the next epoch, as in ``cached``.
        deterministic: Whether pictures come in that order; if not, they come as they are ready, which is
            faster where some take longer than others.
        epochs: What tells which epoch it is; None counts.

    Returns:
        Pairs of pixels, shape (batch, height, width, 3), uint8, and targets, shape (batch, ...).
    """
    held = range(len(targets)) if places is None else places
    read = cached(read, (max(held, default=-1) + 1, *size.shape), cache=cache)

    def view(index: np.int64, lot: np.int64) -> npt.NDArray[np.uint8]:
        pixels = read(held[int(index)])
        if augment is None:
            return pixels
        return augment(pixels.copy(), picture_seed(int(lot), int(index)))

    truth = tf.constant(targets)

    def example(index: tf.Tensor, lot: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Indices rather than names: a file name need not be valid text, a tensor of strings must be.
        pixels = tf.numpy_function(view, [index, lot], tf.uint8)
        return tf.ensure_shape(pixels, size.shape), tf.gather(truth, index)

    order = (epochs or Epochs()).order(len(targets), seed, shuffle=shuffle)
    workers = runtime.cores()
    examples = order.map(runtime.as_is(example), num_parallel_calls=workers, deterministic=deterministic)
    return runtime.prepared_ahead(examples.batch(batch_size))


def picture_seed(lot: int, index: int) -> int:
    """Return the seed that a picture is augmented by, of its epoch's lot, in 0..2**63-1."""
    return int(np.random.SeedSequence((lot, index)).generate_state(1, np.uint64)[0]) & _LARGEST_SEED

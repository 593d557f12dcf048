"""What a data set draws lots from: which time it is gone through, counted or told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfxfer.runtime.tf_data import as_is

__all__ = ["Epochs"]

_LARGEST = 2**63 - 1


@dataclass(slots=True, eq=False)
class Epochs:
    """Which epoch it is, for data sets that are new in each.

    Attributes:
        now: Its number, from 0 on, of whoever tells it before each epoch: a run that goes on in the middle
            then draws what it would have drawn. None has each data set count how often it is gone through.
    """

    now: int | None = None

    def lots(self, seed: int) -> tf.data.Dataset:
        """Give one number each time it is gone through, int64 in 0..2**63-1, settled by seed and epoch.

        Args:
            seed: At least 0.
        """
        return self._drawn(seed, lambda lot: lot)

    def places(self, seed: int) -> tf.data.Dataset:
        """Give the epoch's lot and a number that counts up from 0, without end, as int64 of shape (2,).

        Args:
            seed: At least 0.
        """

        def counted(lot: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.counter().map(as_is(lambda number: tf.stack([lot, number])))

        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return self.lots(seed).flat_map(as_is(counted)).apply(endless)

    def order(self, count: int, seed: int, *, shuffle: bool = True) -> tf.data.Dataset:
        """Give pairs of an index below a count and the epoch's lot, each index once.

        Args:
            count: How many.
            seed: Seed of the order, at least 0.
            shuffle: Whether it is new each epoch, or 0, 1, 2 and so on.
        """

        def indices(lot: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            order = tf.range(count, dtype=tf.int64)
            if shuffle:
                order = tf.random.experimental.stateless_shuffle(order, seed=tf.stack([lot, 0]))
            return order, tf.fill([count], lot)

        known = tf.data.experimental.assert_cardinality(count)
        return self._drawn(seed, indices).unbatch().apply(known)

    def _drawn(self, seed: int, then: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
        """Give what TensorFlow's operations make of each lot.

        As one function with the drawing: each costs 2 ms and more in every iterator, of which Keras asks for
        four an epoch, of training and of validation. Checked on TensorFlow 2.21.
        """
        gone_through = 0

        def lot() -> np.int64:
            nonlocal gone_through
            epoch = gone_through if self.now is None else self.now
            gone_through += 1
            drawn = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0]
            return np.int64(int(drawn) & _LARGEST)

        def example(_: tf.Tensor) -> Any:
            return then(tf.ensure_shape(tf.numpy_function(lot, [], tf.int64), ()))

        return tf.data.Dataset.from_tensors(0).map(as_is(example))

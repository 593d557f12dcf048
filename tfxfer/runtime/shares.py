"""Batches are cut into shares, one a device or a turn, in which each picture counts as in the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfxfer.runtime.tf_data import as_is

__all__ = ["distributed", "each_its_own", "even_batches", "filled_up", "in_shares"]


def in_shares(
    batches: tf.data.Dataset, count: int, *, class_weight: Mapping[int, float] | None = None
) -> tf.data.Dataset:
    """Cut each batch into shares, weighted so that the mean of their losses is the whole batch's loss.

    The shares of a batch differ by one picture at most. One of fewer pictures than shares is filled up with
    its own pictures at a weight of 0, which Keras's unweighted metrics count: without a picture, a device
    would fail.

    Args:
        batches: Pairs of inputs, an array or a tuple of them, and targets, each of shape (batch, ...).
        count: How many shares a batch.
        class_weight: Class index -> weight of its pictures in the loss, or None.

    Returns:
        So many times as many triples of inputs, targets and weights, shape (share,), float32.

    >>> batches = tf.data.Dataset.from_tensor_slices(([5.0, 6.0, 7.0], [0, 1, 1])).batch(3)
    >>> for inputs, _, weights in in_shares(batches, 2).as_numpy_iterator():
    ...     print(inputs, weights.round(3))
    [5.] [0.667]
    [6. 7.] [1.333 1.333]
    """
    by_class = tf.constant(_table(class_weight), tf.float32)

    def cut(inputs: Any, targets: tf.Tensor) -> tf.data.Dataset:
        size = tf.shape(targets, tf.int64)[0]
        whole = tf.maximum(size, count)

        def share(number: tf.Tensor) -> tuple[Any, tf.Tensor, tf.Tensor]:
            rows = tf.range(number * whole // count, (number + 1) * whole // count)
            mine = rows % size
            own = tf.gather(targets, mine)
            # Keras takes the mean over the share, and then over the shares.
            scale = tf.cast(tf.size(rows, tf.int64) * count, tf.float32) / tf.cast(size, tf.float32)
            weights = tf.where(rows < size, scale, 0.0)
            if class_weight:
                weights *= tf.gather(by_class, tf.argmax(own, -1) if own.shape.rank == 2 else own)
            return tf.nest.map_structure(lambda each: tf.gather(each, mine), inputs), own, weights

        return tf.data.Dataset.range(count).map(as_is(share))

    return _counted(batches.flat_map(as_is(cut)), count * int(batches.cardinality()))


def even_batches(batches: tf.data.Dataset, *, pictures: int, batch_size: int, count: int) -> tf.data.Dataset:
    """Cut what a model is validated on into as many pieces as devices share, none of them empty.

    How it is cut makes no difference to the loss and the metrics of the whole.

    Args:
        batches: Tuples of arrays, or tuples of them, of shape (batch, ...).
        pictures: How many there are in all, at least ``count``.
        batch_size: Pictures that all devices take together, about.
        count: How many devices.

    Returns:
        The same in other batches, a multiple of ``count`` of them.
    """
    pieces = max(1, min(math.ceil(pictures / batch_size), pictures // count)) * count
    borders = np.arange(pieces + 1) * pictures // pieces
    return _counted(batches.rebatch(np.diff(borders)), pieces)


def filled_up(batches: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    """Give the last batch the shape of the others: Keras traces a step for each shape.

    Several devices share each batch, and Keras fails where one is left without a picture.

    Args:
        batches: Arrays, or tuples of them, of shape (batch, ...).
        batch_size: Rows a batch; what is missing from one is zeros.

    >>> batches = filled_up(tf.data.Dataset.range(1, 6).batch(3), 3)
    >>> [rows.tolist() for rows in batches.as_numpy_iterator()]
    [[1, 2, 3], [4, 5, 0]]
    """

    def whole(array: tf.Tensor) -> tf.Tensor:
        missing = batch_size - tf.shape(array)[0]
        padded = tf.pad(array, [[0, missing], *([[0, 0]] * (array.shape.rank - 1))])
        return tf.ensure_shape(padded, [batch_size, *array.shape[1:]])

    def all_whole(*arrays: Any) -> Any:
        return tf.nest.map_structure(whole, arrays if len(arrays) > 1 else arrays[0])

    return batches.map(as_is(all_whole))


def distributed(batches: tf.data.Dataset, devices: tf.distribute.Strategy) -> Any:
    """Share batches out among devices so that each picture counts as on one device.

    Keras's own way leaves an uneven last batch to chance: what its shares count depends on how it is cut, and
    where a device is left without a picture, it fails. What it shows of training is a mean over shares. It
    takes the mean of the first batch's shares to build by, so that their sizes must be the same, and the data
    set is gone through once more than there are epochs; ``tfxfer.fit`` does without. Checked on Keras 3.15.1.

    Args:
        batches: Pairs of inputs and targets, each of shape (batch, ...), the batch a multiple of the devices
            but for the last.
        devices: A strategy, as ``tfxfer.strategy`` yields it.

    Returns:
        What ``keras.Model.fit`` takes in their place: a ``tf.distribute.DistributedDataset``, or on one
        device the batches themselves.
    """
    if devices.num_replicas_in_sync == 1:
        return batches
    return each_its_own(in_shares(batches, devices.num_replicas_in_sync), devices)


def each_its_own(shares: tf.data.Dataset, devices: tf.distribute.Strategy) -> Any:
    """Give each device one share after the other, in turn."""
    count = devices.num_replicas_in_sync
    taken = devices.distribute_datasets_from_function(lambda _: shares.prefetch(count))
    # TensorFlow counts the shares, and Keras would wait for as many steps; checked on 2.21.
    taken._cardinality = max(int(shares.cardinality()) // count, tf.data.UNKNOWN_CARDINALITY)
    return taken


def _counted(batches: tf.data.Dataset, count: int) -> tf.data.Dataset:
    return batches if count < 0 else batches.apply(tf.data.experimental.assert_cardinality(count))


def _table(class_weight: Mapping[int, float] | None) -> list[float]:
    known = class_weight or {}
    return [known.get(label, 1.0) for label in range(max(known, default=0) + 1)]

"""Shares of batches: every picture once, and weights that make of their means the whole batch's."""

import numpy as np
import pytest
import tensorflow as tf

from tfxfer.runtime import distributed, even_batches, filled_up, in_shares


def batches(count, size):
    pictures = np.arange(count, dtype=np.float32)
    return tf.data.Dataset.from_tensor_slices((pictures, pictures.astype(np.int64) % 3)).batch(size)


@pytest.mark.parametrize("class_weight", [None, {0: 0.5, 2: 4.0}], ids=["plain", "weighted"])
@pytest.mark.parametrize("form", [(13, 8, 2), (9, 4, 3), (5, 4, 4), (7, 7, 2), (3, 2, 4)], ids=str)
def test_means_of_shares_make_the_mean_of_the_batch(form, class_weight):
    count, size, shares = form
    parts = list(in_shares(batches(count, size), shares, class_weight=class_weight).as_numpy_iterator())
    whole = list(batches(count, size).as_numpy_iterator())
    assert len(parts) == len(in_shares(batches(count, size), shares)) == shares * len(whole)
    for place, (pictures, labels) in enumerate(whole):
        own = parts[place * shares : (place + 1) * shares]
        weights = [(class_weight or {}).get(int(label), 1.0) for label in labels]
        mean = np.mean(pictures**2 * weights)
        assert np.mean([np.mean(x**2 * w) for x, _, w in own]) == pytest.approx(mean, rel=1e-6)
        counted = np.concatenate([x[w > 0] for x, _, w in own])
        np.testing.assert_array_equal(counted, pictures)
        sizes = [len(x) for x, _, _ in own]
        assert max(sizes) - min(sizes) <= 1
        assert min(sizes) > 0


def test_shares_of_classes_are_weighted_by_the_largest():
    soft = tf.data.Dataset.from_tensors((np.zeros((2, 1)), np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)))
    *_, (_, _, weights) = in_shares(soft, 2, class_weight={0: 1.0, 1: 3.0}).as_numpy_iterator()
    assert weights.tolist() == [3.0]


@pytest.mark.parametrize("form", [(13, 8, 2), (9, 8, 4), (17, 4, 3), (2, 16, 2), (5, 4, 4)], ids=str)
def test_even_batches_leave_no_device_without_pictures(form):
    pictures, size, count = form
    given = batches(pictures, size)
    found = even_batches(given, pictures=pictures, batch_size=size, count=count)
    parts = [x for x, _ in found.as_numpy_iterator()]
    assert len(parts) % count == 0
    assert len(parts) == len(found)
    assert min(map(len, parts)) > 0
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(pictures))


@pytest.mark.parametrize("form", [(9, 8), (8, 8), (1, 32), (5, 1)], ids=str)
def test_what_is_filled_up_has_one_shape(form):
    pictures, size = form
    found = filled_up(batches(pictures, size), size)
    assert [spec.shape.as_list() for spec in found.element_spec] == [[size], [size]]
    whole = np.concatenate([x for x, _ in found.as_numpy_iterator()])
    assert len(whole) - pictures < size
    np.testing.assert_array_equal(whole[:pictures], np.arange(pictures))
    assert not whole[pictures:].any()


def test_one_device_takes_batches_as_they_are():
    given = batches(5, 2)
    assert distributed(given, tf.distribute.get_strategy()) is given

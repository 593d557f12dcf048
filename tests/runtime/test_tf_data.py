"""tf.data: the same elements, without the tuning that every pass waits for."""

import os

import pytest
import tensorflow as tf

from tfxfer.runtime import as_is, cores, prepared_ahead


def test_batches_stay_and_nothing_tunes():
    batches = prepared_ahead(tf.data.Dataset.range(10).batch(4))
    assert [batch.tolist() for batch in batches.as_numpy_iterator()] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert batches.options().autotune.enabled is False
    assert batches.map(lambda batch: batch + 1).options().autotune.enabled is False


def test_a_function_is_not_converted():
    numbers = tf.data.Dataset.range(3)
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        numbers.map(as_is(lambda number: number if number > 1 else -number))


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="needs a system that pins processes to cores"
)
def test_only_the_cores_of_this_process_count():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)

"""Rows as text: every number comes back as it was."""

import numpy as np
import tensorflow as tf

from tfxfer.data.sources.row_text import number_text, numbers_in


def test_numbers_of_all_kinds_come_back():
    doubles = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    for numbers in (
        doubles,
        doubles.astype(np.float32),
        np.arange(9),
        np.array([True, False]),
        np.float32(2),
    ):
        text = number_text(tf.constant(numbers)).numpy().decode()
        assert numbers_in(text) == tuple(np.atleast_1d(numbers).astype(float).tolist())

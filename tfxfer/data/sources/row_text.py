"""Rows of labels as text, which is what a stream is held to when it is read again."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["number_text", "numbers_in"]


def number_text(numbers: tf.Tensor) -> tf.Tensor:
    """Write numbers of any kind as one text, exactly.

    >>> number_text(tf.constant([1.5, 0.1])).numpy()
    b'1.5000000000000000e+00 1.0000000149011612e-01'
    """
    flat = tf.reshape(tf.cast(numbers, tf.float64), [-1])
    return tf.strings.reduce_join(tf.strings.as_string(flat, precision=16, scientific=True), separator=" ")


def numbers_in(text: str) -> tuple[float, ...]:
    """Read them again.

    >>> numbers_in("1.5000000000000000e+00 -2.0000000000000000e+00"), numbers_in("")
    ((1.5, -2.0), ())
    """
    return tuple(map(float, text.split()))

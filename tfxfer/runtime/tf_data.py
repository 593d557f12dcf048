"""tf.data as this house runs it: as many threads as cores, some batches ahead, and functions as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import joblib
import tensorflow as tf

__all__ = ["as_is", "cores", "prepared_ahead", "untuned"]


def cores() -> int:
    """Return how many cores this process may use, a container's share of the machine counted."""
    count: int = joblib.cpu_count()
    return count


def prepared_ahead(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Have some batches ready before they are asked for, and keep tf.data from tuning itself.

    Args:
        batches: The data set, whole, as for ``untuned``.

    Returns:
        The same batches.
    """
    return untuned(batches.prefetch(4))


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Keep tf.data from tuning itself, which costs up to half of a pass.

    It tunes in a thread that sleeps for 10 ms, then 20 ms, and so on up to a minute, and whoever lets go
    of an iterator, as Keras does after each epoch, waits until that thread wakes. Checked on 2.21.

    Args:
        dataset: The data set, whole: what is set here holds for all that comes before and after.

    Returns:
        The same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def as_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep AutoGraph off: there is no control flow to convert, and converting warns on newer Pythons."""
    lifted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(function)
    return lifted

"""What is learnt of pictures, as an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import Task

__all__ = ["as_array"]


def as_array(
    shown: Sequence[tuple[int, ...] | tuple[float, ...]], *, task: Task, classes: int
) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
    """Lay out what pictures show, one row each.

    Args:
        shown: Indices of the classes that each picture shows, or its numbers.
        task: Which of these it is.
        classes: Number of classes, or of numbers.

    Returns:
        Class indices, shape (pictures,), int64; for several labels 0 and 1, shape (pictures, classes),
        float32; for regression numbers, shape (pictures, classes), float32.

    >>> as_array([(2,), (0,)], task="single_label", classes=3)
    array([2, 0])
    >>> as_array([(0, 2), ()], task="multi_label", classes=3)
    array([[1., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    if task == "single_label":
        return np.array([label for (label,) in shown], np.int64)
    if task == "regression":
        return np.array(shown, np.float32).reshape(len(shown), classes)
    array = np.zeros((len(shown), classes), np.float32)
    for row, labels in zip(array, shown, strict=True):
        row[np.array(labels, np.intp)] = 1
    return array

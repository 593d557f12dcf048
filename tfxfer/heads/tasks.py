"""Which head a task takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from tfxfer.contracts import TASKS, Task
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.heads.multi_label import MultiLabel
from tfxfer.heads.regression import Regression
from tfxfer.heads.single_label import SingleLabel

__all__ = ["Head", "head_for"]


class Head(Protocol):
    """What stands on a backbone: its layers, and the loss and metrics that they learn by."""

    @property
    def loss(self) -> str | Callable[..., Any]:
        """What ``keras.Model.compile`` takes as ``loss``."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """What ``keras.Model.compile`` takes as ``metrics``."""

    def apply(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Put the head on a feature map, or on features that are pooled already."""


def head_for(
    task: Task,
    outputs: int,
    *,
    dropout: float = 0.2,
    numbers: npt.NDArray[np.float32] | None = None,
) -> Head:
    """Make the head of a task.

    Args:
        task: What is learnt of a picture.
        outputs: Number of classes, or of numbers.
        dropout: Share of features switched off in training, in [0, 1).
        numbers: For regression, those of the training pictures, shape (pictures, outputs): their mean and
            deviation are where the head starts from. None takes 0 and 1.

    Returns:
        The head.

    Raises:
        SettingError: No such task, or a number out of range.
    """
    if task not in TASKS:
        hint = did_you_mean(task, TASKS) or "."
        raise SettingError(f"no task {task!r}{hint} There are {', '.join(TASKS)}.")
    if task == "single_label":
        return SingleLabel(outputs, dropout=dropout)
    if task == "multi_label":
        return MultiLabel(outputs, dropout=dropout)
    if numbers is None:
        return Regression((0.0,) * outputs, (1.0,) * outputs, dropout=dropout)
    means: Any = np.mean(numbers, axis=0, dtype=np.float64)
    deviations: Any = np.std(numbers, axis=0, dtype=np.float64)
    # Of a number that is always the same there is nothing to learn but it.
    return Regression(
        tuple(map(float, means)),
        tuple(float(each) if each > 0 else 1.0 for each in deviations),
        dropout=dropout,
    )

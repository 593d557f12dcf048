"""One trial: build, train, and judge on the validation part, stopped early where it falls behind."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from rich.console import Console

from tfxfer.config import Recipe
from tfxfer.contracts import FitLog, Task
from tfxfer.data import Photos
from tfxfer.models import build
from tfxfer.searching.ways import Judge
from tfxfer.training import fit
from tfxfer.workflow import BUILDING, LEARNING

__all__ = ["JudgedBy", "Reporter", "judge_of", "trained"]

_METRICS: dict[Task, str] = {
    "single_label": "accuracy",
    "multi_label": "binary_accuracy",
    "regression": "mean_absolute_error",
}


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """A figure of the validation part.

    Attributes:
        name: What Keras calls it, without ``val_``.
        higher: Whether more of it is better.
    """

    name: str
    higher: bool = False

    def of(self, log: FitLog) -> float:
        """Return what the kept weights reach."""
        return log.validation_loss if self.name == "loss" else log.validation_metrics[self.name]

    def best(self, values: Sequence[float]) -> float:
        """Return the best of some."""
        return max(values) if self.higher else min(values)


def judge_of(task: Task, by: Judge) -> JudgedBy:
    """Return the figure that trials of a task are judged by.

    >>> judge_of("single_label", "metric")
    JudgedBy(name='accuracy', higher=True)
    """
    return JudgedBy("loss") if by == "loss" else JudgedBy(_METRICS[task], higher=task != "regression")


class Reporter(keras.callbacks.Callback):
    """Tell a trial after each epoch the best that it has reached, and end it where it falls behind.

    Epochs count on over the phases. What is told is the best so far, since that is what the fit keeps.

    Args:
        trial: An ``optuna.Trial``.
        judge: What is told of.

    Raises:
        optuna.TrialPruned: From ``on_epoch_end``, where the study's pruner says so.
    """

    def __init__(self, trial: Any, judge: JudgedBy) -> None:
        super().__init__()
        self._trial = trial
        self._judge = judge
        self._values: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Report the epoch, and stop if it is not worth going on."""
        value = float((logs or {})[f"val_{self._judge.name}"])
        if not math.isfinite(value):
            return  # the fit ends by itself, and says how
        self._values.append(value)
        self._trial.report(self._judge.best(self._values), len(self._values))
        if self._trial.should_prune():
            raise importlib.import_module("optuna").TrialPruned


def trained(
    photos: Photos,
    chosen: Recipe,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = False,
    console: Console | None = None,
) -> tuple[keras.Model, FitLog]:
    """Build and train a model; its validation figures are in the log, and the test part is not touched.

    Args:
        photos: The data set.
        chosen: What is done.
        callbacks: As in ``fit``.
        progress: As in ``fit``.
        console: As in ``fit``.

    Returns:
        The model and what training did.

    Raises:
        TfxferError: As ``build`` and ``fit``.
    """
    model = build(photos, **chosen.pick(*BUILDING))
    settings = chosen.pick("plan", "augment", "mix", *LEARNING)
    watching: dict[str, Any] = {"progress": progress, "console": console}
    return model, fit(model, photos, **settings, callbacks=callbacks, **watching)

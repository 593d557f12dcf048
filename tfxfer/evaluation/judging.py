"""Predictions and truth become the report of their task."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tfxfer.contracts import Figure, Predictions
from tfxfer.errors import DataError
from tfxfer.evaluation.multi_label import judge_multi_label
from tfxfer.evaluation.regression import judge_regression
from tfxfer.evaluation.single_label import choose_top, judge_single_label

__all__ = ["Judgement", "judge"]


class Judgement(Protocol):
    """What the reports of all tasks have; printed, each is a table."""

    @property
    def predictions(self) -> Predictions:
        """What it was made from."""

    @property
    def headline(self) -> Figure:
        """The figure that sums it up, higher being better."""

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""


def judge(predictions: Predictions, *, top_k: int | None = None) -> Judgement:
    """Compare predictions with their true labels or numbers.

    Args:
        predictions: Scores with labels.
        top_k: Of one label, among how many likeliest classes the true one is looked for too; None is 5 where
            there are more classes than these.

    Returns:
        The report of their task: a ``Report`` of one label, a ``MultiLabelReport`` of several, a
        ``RegressionReport`` of numbers.

    Raises:
        DataError: There are no labels, no pictures, or scores that are no numbers.
        SettingError: ``top_k`` is below 1 or not below the number of classes, or for another task.

    >>> scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    >>> report = judge(Predictions(("ant", "bee"), ("a", "b", "c"), scores, np.array([0, 1, 1])))
    >>> round(report.accuracy, 3), report.confusion
    (0.667, ((1, 0), (1, 1)))
    """
    top_k = choose_top(top_k, task=predictions.task, classes=len(predictions.classes))
    if predictions.labels is None or not len(predictions.labels):
        raise DataError("there is nothing to judge by: give pictures whose labels are known.")
    broken = int(np.sum(~np.isfinite(predictions.scores).all(axis=1)))
    if broken:
        raise DataError(
            f"the scores of {broken} of {len(predictions.scores)} pictures are NaN or infinite; train the "
            "model at a lower rate."
        )
    if predictions.task == "multi_label":
        return judge_multi_label(predictions)
    if predictions.task == "regression":
        return judge_regression(predictions)
    return judge_single_label(predictions, top_k=top_k)

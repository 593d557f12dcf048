"""How well frozen features tell several labels, or numbers, a picture: scores in columns, and their worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score
from sklearn.model_selection import KFold

from tfxfer.contracts import Task
from tfxfer.features.probe import PROBE_STRENGTH, linear_probe
from tfxfer.features.transferability import FOLDS, nearest

__all__ = ["Columns", "mean_average_precision", "neighbour_scores", "probe_scores"]

Features = npt.NDArray[np.floating[Any]]
Columns = npt.NDArray[np.floating[Any]]
"""Labels as 0 and 1, or numbers, shape (pictures, classes or numbers)."""


def probe_scores(features: Features, columns: Columns, *, task: Task, seed: int = 0) -> Columns:
    """Tell each picture by a linear probe that has not seen it, five folds in turn.

    Args:
        features: Shape (pictures, features); at least two pictures.
        columns: What is true of them.
        task: ``"multi_label"``, a logistic regression for each label, or ``"regression"``, ridge regression.
        seed: Seed of the folds.

    Returns:
        Probabilities or numbers, in the shape of ``columns``, float64.
    """
    scores = np.empty(columns.shape)
    cut = KFold(min(FOLDS, len(columns)), shuffle=True, random_state=seed)
    values = features.astype(np.float64)
    for seen, left in cut.split(values):
        probe = linear_probe(values[seen], columns[seen], task=task, strength=PROBE_STRENGTH)
        scores[left] = probe.scores(values[left])
    return scores


def neighbour_scores(features: Features, columns: Columns) -> Columns:
    """Tell each picture by the mean of the five that are nearest by angle, itself left out.

    Args:
        features: Shape (pictures, features); at least six pictures.
        columns: What is true of them.

    Returns:
        Shares of neighbours with each label, or means of numbers, in the shape of ``columns``.
    """
    return np.asarray(columns[nearest(features)].mean(axis=1))


def mean_average_precision(scores: Columns, columns: Columns) -> float:
    """Return the average precision of a label, its mean over those that any picture has; 0 if none has.

    >>> mean_average_precision(np.array([[0.9, 0.1], [0.2, 0.3]]), np.array([[1, 0], [0, 0]]))
    1.0
    """
    shown = np.flatnonzero(columns.any(axis=0))
    each = [average_precision_score(columns[:, label], scores[:, label]) for label in shown]
    return float(np.mean(each)) if each else 0.0

"""How well each picture is told, and by how much one model is better than another on the same pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from tfxfer.contracts import LABEL_THRESHOLD, Part, Task
from tfxfer.data import Photos
from tfxfer.guards import GuardMeasure, Lead

__all__ = ["MEASURES", "deviations_of", "figures", "lead", "losses", "worth"]

MEASURES: dict[Task, GuardMeasure] = {
    "single_label": "accuracy",
    "multi_label": "binary_accuracy",
    "regression": "mean_absolute_error",
}

_DRAWS = 2000
_AT_A_TIME = 100
_LEAST = 1e-7

_Numbers = npt.NDArray[np.float64]


def worth(
    task: Task, scores: npt.NDArray[Any], truth: npt.NDArray[Any], deviations: npt.NDArray[Any]
) -> _Numbers:
    """Say how well each picture is told, higher being better.

    Args:
        task: What the scores are of.
        scores: Shape (pictures, outputs), as a model gives them.
        truth: As ``Photos.targets`` gives it.
        deviations: For numbers, the standard deviation of each, shape (outputs,).

    Returns:
        Shape (pictures,): 1 where the class is right and 0 where it is not; of several labels, the share
        that is right; of numbers, the mean absolute error in deviations, below 0.
    """
    if task == "single_label":
        return np.asarray(scores.argmax(axis=1) == truth, np.float64)
    if task == "multi_label":
        return np.asarray(((scores >= LABEL_THRESHOLD) == (truth > 0)).mean(axis=1), np.float64)
    return np.asarray(-np.abs((scores - truth) / deviations).mean(axis=1), np.float64)


def losses(
    task: Task, scores: npt.NDArray[Any], truth: npt.NDArray[Any], deviations: npt.NDArray[Any]
) -> _Numbers:
    """Return the plain loss of each picture, by which phases are compared, shape (pictures,).

    Args:
        task: What the scores are of.
        scores: As in ``worth``.
        truth: As in ``worth``.
        deviations: As in ``worth``.
    """
    if task == "regression":
        return np.asarray((((scores - truth) / deviations) ** 2).mean(axis=1), np.float64)
    shares = np.clip(scores.astype(np.float64), _LEAST, 1 - _LEAST)
    if task == "single_label":
        return np.asarray(-np.log(shares[np.arange(len(truth)), truth]))
    return np.asarray(-np.where(truth > 0, np.log(shares), np.log(1 - shares)).mean(axis=1))


def figures(
    photos: Photos,
    part: Part,
    scores: npt.NDArray[Any],
    *,
    class_weight: Mapping[int, float] | None = None,
) -> dict[str, float]:
    """Return what Keras would report of scores, by its names: the loss, and the measure of the task.

    Args:
        photos: The data set.
        part: Which part the scores are of.
        scores: As in ``worth``.
        class_weight: Class index -> weight of its pictures in the loss; None counts all alike.
    """
    truth = photos.targets(part)
    each = losses(photos.task, scores, truth, deviations_of(photos))
    if class_weight is not None:
        each = each * [class_weight[int(label)] for label in truth]
    loss = float(each.mean())
    if photos.task == "regression":
        return {"loss": loss, MEASURES[photos.task]: float(np.abs(scores - truth).mean())}
    return {"loss": loss, MEASURES[photos.task]: float(worth(photos.task, scores, truth, np.ones(1)).mean())}


def deviations_of(photos: Photos) -> _Numbers:
    """Return the standard deviation of each number over training pictures, shape (numbers,); else 1."""
    if photos.task != "regression":
        return np.ones(1)
    found = np.std(photos.targets("train"), axis=0, dtype=np.float64)
    return np.where(found > 0, found, 1.0)


def lead(mine: _Numbers, theirs: _Numbers, *, seed: int = 0) -> Lead:
    """Say by how much one is better than another, with the percentile bootstrap interval of 95 %.

    Pictures are drawn anew, each with what both make of it.

    Args:
        mine: From ``worth``, shape (pictures,).
        theirs: The same pictures told by another.
        seed: Seed of the draws.

    >>> lead(np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0]))
    Lead(value=1.0, low=1.0, high=1.0)
    """
    differences = mine - theirs
    value = float(differences.mean())
    if len(np.unique(differences)) == 1:
        return Lead(value, value, value)
    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=_DRAWS,
        batch=_AT_A_TIME,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Lead(value, float(found.low), float(found.high))

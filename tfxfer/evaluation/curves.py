"""What a class is told from the others by at every threshold: ROC and precision-recall curves as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

__all__ = ["POINTS", "PrecisionRecallCurve", "RocCurve", "precision_recall_curves", "roc_curves"]

POINTS = 100
"""Longer curves are thinned to so many points, evenly along their length, both ends among them."""


@dataclass(frozen=True, slots=True)
class RocCurve:
    """Of one class against the others, what each threshold finds, beside what it takes wrongly for it.

    Points go from the highest threshold to the lowest; 100 at most, evenly along the curve.

    Attributes:
        name: The class.
        false_positive_rate: Of the pictures that do not show it, the share called so; in 0..1, rising.
        true_positive_rate: Of the pictures that show it, the share called so; in 0..1, rising.
        thresholds: From which probability on; None for the first point, where none is called so.
    """

    name: str
    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    thresholds: tuple[float | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the points as plain lists, ready for JSON."""
        return _plain(self)


@dataclass(frozen=True, slots=True)
class PrecisionRecallCurve:
    """Of one class, what each threshold finds, beside how much of what is called so is right.

    Points go from the highest threshold to the lowest; 100 at most, evenly along the curve.

    Attributes:
        name: The class.
        recall: Of the pictures that show it, the share called so; in 0..1, rising.
        precision: Of the pictures called so, the share that show it; in 0..1, and 1 where none is called so.
        thresholds: From which probability on; None for the first point, where none is called so.
    """

    name: str
    recall: tuple[float, ...]
    precision: tuple[float, ...]
    thresholds: tuple[float | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the points as plain lists, ready for JSON."""
        return _plain(self)


def roc_curves(
    classes: Sequence[str], shows: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]
) -> tuple[RocCurve, ...]:
    """Compute the ROC curve of each class, by scikit-learn.

    Args:
        classes: Their names.
        shows: Which classes pictures show, shape (pictures, classes).
        scores: Probabilities, shape (pictures, classes).

    Returns:
        One curve a class, but of those that all pictures show or none does.

    >>> shows, scores = np.array([[True], [False], [True]]), np.float32([[0.9], [0.5], [0.25]])
    >>> (curve,) = roc_curves(["ant"], shows, scores)
    >>> curve.false_positive_rate, curve.true_positive_rate
    ((0.0, 0.0, 1.0, 1.0), (0.0, 0.5, 0.5, 1.0))
    >>> curve.thresholds[-2:]
    (0.5, 0.25)
    """
    found = []
    for label, name in enumerate(classes):
        own = shows[:, label]
        if own.any() and not own.all():
            wrong, right, thresholds = sklearn.metrics.roc_curve(own, scores[:, label])
            found.append(RocCurve(name, *_points(wrong, right, thresholds[1:])))
    return tuple(found)


def precision_recall_curves(
    classes: Sequence[str], shows: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]
) -> tuple[PrecisionRecallCurve, ...]:
    """Compute the precision-recall curve of each class, by scikit-learn.

    Args:
        classes: Their names.
        shows: Which classes pictures show, shape (pictures, classes).
        scores: Probabilities, shape (pictures, classes).

    Returns:
        One curve a class, but of those that no picture shows.
    """
    found = []
    for label, name in enumerate(classes):
        own = shows[:, label]
        if own.any():
            precision, recall, thresholds = sklearn.metrics.precision_recall_curve(
                own, scores[:, label], drop_intermediate=True
            )
            points = _points(recall[::-1], precision[::-1], thresholds[::-1])
            found.append(PrecisionRecallCurve(name, *points))
    return tuple(found)


def _points(
    across: npt.NDArray[np.float64], up: npt.NDArray[np.float64], thresholds: npt.NDArray[np.floating]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float | None, ...]]:
    """Thin a curve, the first point of which has no threshold."""
    length = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))))
    chosen = np.arange(len(length))
    if len(chosen) > POINTS:
        chosen = np.searchsorted(length, np.linspace(0, length[-1], POINTS))
        chosen[-1] = len(length) - 1
        chosen = np.unique(chosen)
    levels = [None, *thresholds.tolist()]
    return (
        tuple(across[chosen].tolist()),
        tuple(up[chosen].tolist()),
        tuple(levels[place] for place in chosen),
    )


def _plain(curve: RocCurve | PrecisionRecallCurve) -> dict[str, Any]:
    return {key: list(value) if key != "name" else value for key, value in asdict(curve).items()}

"""Numbers: how far off each is, beside what always saying the mean would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

from tfxfer.contracts import Figure, Predictions
from tfxfer.evaluation.gains import TTAGain, gain_of, gain_rows
from tfxfer.evaluation.intervals import Interval, Measure, explained, intervals_of, printed
from tfxfer.evaluation.subgroups import Subgroup, subgroup_rows, subgroups_of
from tfxfer.evaluation.weighted.decisions import Values, Weights

__all__ = ["NumberScore", "RegressionReport", "judge_regression"]

_Numbers = npt.NDArray[np.float64]

_SAME = 1e-14
"""Numbers whose variance is less than this share of their mean square differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class NumberScore:
    """How well one number is read off pictures, in its own unit but for ``r2``.

    Attributes:
        name: What the number is.
        mean_absolute_error: Mean of how far off it is.
        root_mean_squared_error: Root of the mean of the squares of that.
        median_absolute_error: Half of the pictures are no further off than this.
        r2: Coefficient of determination, at most 1: the share of the variance that is accounted for.
        baseline_mean_absolute_error: What always saying the mean of these pictures would have.
        baseline_root_mean_squared_error: The same; it is their standard deviation.
        images: Pictures it was read off.
        intervals: ``mean_absolute_error``, ``root_mean_squared_error`` and ``r2`` -> 95 % interval, as
            ``Interval`` says.
    """

    name: str
    mean_absolute_error: float
    root_mean_squared_error: float
    median_absolute_error: float
    r2: float
    baseline_mean_absolute_error: float
    baseline_root_mean_squared_error: float
    images: int
    intervals: Mapping[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and strings, ready for JSON."""
        return {**asdict(self), "intervals": _plain(self.intervals)}


@dataclass(frozen=True, slots=True, eq=False)
class RegressionReport:
    """How good a model of numbers is on some pictures; printed, it is a table.

    Attributes:
        r2: Mean of the numbers' coefficients of determination, at most 1; always saying the mean of these
            pictures has 0.
        per_number: One entry a number, in the order of the scores.
        intervals: ``r2`` -> its 95 % interval, as ``Interval`` says.
        subgroups: The mean R2 of each group, where pictures have groups of ten pictures or more.
        tta: What test-time augmentation changes of the mean R2; None where there was none.
        predictions: What it was made from.
    """

    r2: float
    per_number: tuple[NumberScore, ...]
    intervals: Mapping[str, Interval]
    subgroups: tuple[Subgroup, ...]
    tta: TTAGain | None
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: mean R2."""
        return Figure("r2", self.r2)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {
            "r2": self.r2,
            "per_number": [score.to_dict() for score in self.per_number],
            "intervals": _plain(self.intervals),
            "subgroups": [group.to_dict() for group in self.subgroups],
            "tta": None if self.tta is None else self.tta.to_dict(),
        }

    def __str__(self) -> str:
        width = max(len(name) for name in ("number", *(score.name for score in self.per_number)))
        rows = [
            f"R2 {self.r2:.3f}{printed(self.intervals, 'r2', '.3f')} on "
            f"{len(self.predictions.files)} pictures",
            *gain_rows(self.tta),
            "",
            f"{'number':<{width}}  mean error    (of mean)        RMSE    (of mean)  median error      R2  "
            "pictures",
        ]
        for score in self.per_number:
            rows.append(
                f"{score.name:<{width}}  {score.mean_absolute_error:>10.4g}  "
                f"{score.baseline_mean_absolute_error:>11.4g}  {score.root_mean_squared_error:>10.4g}  "
                f"{score.baseline_root_mean_squared_error:>11.4g}  {score.median_absolute_error:>12.4g}  "
                f"{score.r2:>6.3f}  {score.images:>8}"
            )
        rows += ["", "(of mean): what always saying the mean of these pictures would have."]
        groups = subgroup_rows(self.subgroups, "r2", self.predictions)
        return "\n".join([*rows, *groups, *explained(self.intervals)])


def judge_regression(predictions: Predictions) -> RegressionReport:
    """Compare numbers that are said with the true ones.

    Args:
        predictions: Numbers with the true ones, one picture at least.

    Returns:
        The report. Where a number is the same on all pictures, its R2 is 1 if it is always said exactly, else
        0, as in scikit-learn.
    """
    truth, said = np.asarray(predictions.labels, np.float64), predictions.scores.astype(np.float64)
    intervals = intervals_of(_measure(predictions), len(truth))
    scores = tuple(
        _score(name, truth[:, index], said[:, index], _own(intervals, index))
        for index, name in enumerate(predictions.classes)
    )
    return RegressionReport(
        r2=float(np.mean([score.r2 for score in scores])),
        per_number=scores,
        intervals={name: interval for name, interval in intervals.items() if name == "r2"},
        subgroups=subgroups_of(predictions, "r2", _measure),
        tta=gain_of(predictions, "r2", _measure),
        predictions=predictions,
    )


def _score(name: str, truth: _Numbers, said: _Numbers, intervals: Mapping[str, Interval]) -> NumberScore:
    mean = np.full_like(truth, truth.mean())
    return NumberScore(
        name=name,
        mean_absolute_error=float(sklearn.metrics.mean_absolute_error(truth, said)),
        root_mean_squared_error=float(sklearn.metrics.root_mean_squared_error(truth, said)),
        median_absolute_error=float(sklearn.metrics.median_absolute_error(truth, said)),
        r2=_r2(truth, said),
        baseline_mean_absolute_error=float(sklearn.metrics.mean_absolute_error(truth, mean)),
        baseline_root_mean_squared_error=float(sklearn.metrics.root_mean_squared_error(truth, mean)),
        images=len(truth),
        intervals=intervals,
    )


def _r2(truth: _Numbers, said: _Numbers) -> float:
    """Return it; of one picture alone, which scikit-learn gives none for, by its rule for equal numbers."""
    if len(truth) < 2:
        return float(np.array_equal(truth, said))
    return float(sklearn.metrics.r2_score(truth, said))


def _measure(predictions: Predictions) -> Measure:
    """Return what computes, for any weights, the mean R2 and each number's own figures by name and index."""
    truth = np.asarray(predictions.labels, np.float64)
    off = predictions.scores.astype(np.float64) - truth
    # Around the mean, so that squares of large numbers that vary little do not cancel.
    centred = truth - truth.mean(axis=0)

    def measure(weights: Weights) -> dict[str, Values]:
        total = weights.sum(axis=0, dtype=np.float64)
        squared = np.square(off).T @ weights / total
        mean = centred.T @ weights / total
        spread = np.square(centred).T @ weights / total - np.square(mean)
        varies = spread > _SAME * np.square(truth).T @ weights / total
        r2 = np.where(squared == 0, 1.0, 0.0)
        np.subtract(1, squared / np.where(varies, spread, 1), out=r2, where=varies)
        figures = {"r2": r2.mean(axis=0)}
        for index in range(len(off.T)):
            figures[f"mean_absolute_error {index}"] = np.abs(off[:, index]) @ weights / total
            figures[f"root_mean_squared_error {index}"] = np.sqrt(squared[index])
            figures[f"r2 {index}"] = r2[index]
        return figures

    return measure


def _own(intervals: Mapping[str, Interval], index: int) -> dict[str, Interval]:
    """Return the intervals of one number's figures."""
    ending = f" {index}"
    return {
        name.removesuffix(ending): interval for name, interval in intervals.items() if name.endswith(ending)
    }


def _plain(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval._asdict() for name, interval in intervals.items()}

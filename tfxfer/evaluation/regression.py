"""Numbers: how far off each is, beside what always saying the mean would be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

from tfxfer.contracts import Figure, Predictions

__all__ = ["NumberScore", "RegressionReport", "judge_regression"]

_Numbers = npt.NDArray[np.float64]


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
    """

    name: str
    mean_absolute_error: float
    root_mean_squared_error: float
    median_absolute_error: float
    r2: float
    baseline_mean_absolute_error: float
    baseline_root_mean_squared_error: float
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class RegressionReport:
    """How good a model of numbers is on some pictures; printed, it is a table.

    Attributes:
        r2: Mean of the numbers' coefficients of determination, at most 1; always saying the mean of these
            pictures has 0.
        per_number: One entry a number, in the order of the scores.
        predictions: What it was made from.
    """

    r2: float
    per_number: tuple[NumberScore, ...]
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: mean R2."""
        return Figure("r2", self.r2)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {"r2": self.r2, "per_number": [asdict(score) for score in self.per_number]}

    def __str__(self) -> str:
        width = max(len(name) for name in ("number", *(score.name for score in self.per_number)))
        rows = [
            f"R2 {self.r2:.3f} on {len(self.predictions.files)} pictures",
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
        return "\n".join([*rows, "", "(of mean): what always saying the mean of these pictures would have."])


def judge_regression(predictions: Predictions) -> RegressionReport:
    """Compare numbers that are said with the true ones.

    Args:
        predictions: Numbers with the true ones, one picture at least.

    Returns:
        The report. Where a number is the same on all pictures, its R2 is 1 if it is always said exactly, else
        0, as in scikit-learn.
    """
    truth, said = np.asarray(predictions.labels, np.float64), predictions.scores.astype(np.float64)
    scores = tuple(
        _score(name, truth[:, index], said[:, index]) for index, name in enumerate(predictions.classes)
    )
    return RegressionReport(
        r2=float(np.mean([score.r2 for score in scores])), per_number=scores, predictions=predictions
    )


def _score(name: str, truth: _Numbers, said: _Numbers) -> NumberScore:
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
    )


def _r2(truth: _Numbers, said: _Numbers) -> float:
    """Return it; of one picture alone, which scikit-learn gives none for, by its rule for equal numbers."""
    if len(truth) < 2:
        return float(np.array_equal(truth, said))
    return float(sklearn.metrics.r2_score(truth, said))

"""Areas under the curves of one class against the others, by scikit-learn, defined at the edges too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import sklearn.metrics

__all__ = ["average_precision", "mean_of_known", "roc_auc"]


def roc_auc(shows: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]) -> float | None:
    """Return the area under the ROC curve; None where all pictures show the class, or none does."""
    if shows.all() or not shows.any():
        return None
    return float(sklearn.metrics.roc_auc_score(shows, scores))


def average_precision(shows: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]) -> float:
    """Return precision over all thresholds, weighted by the recall each adds; 0 where no picture shows it.

    scikit-learn says so too, but with a warning.
    """
    return float(sklearn.metrics.average_precision_score(shows, scores)) if shows.any() else 0.0


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of those that are known, or None where none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None

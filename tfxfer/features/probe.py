"""A linear classifier on features, by scikit-learn: what any training has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfxfer.contracts import Task
from tfxfer.errors import SettingError

__all__ = ["Probe", "classifier", "linear_probe"]

_STEPS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A linear classifier that has learnt.

    Attributes:
        task: What it has learnt.
    """

    task: Task
    _fitted: Any

    def predict(self, features: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Predict from features, shape (pictures, features).

        Returns:
            Class indices, shape (pictures,); for numbers these, shape (pictures, numbers).
        """
        found: npt.NDArray[Any] = self._fitted.predict(features)
        return found

    def score(self, features: npt.NDArray[np.float32], targets: npt.NDArray[Any]) -> float:
        """Return the accuracy, or for numbers R², on features and what is true of them."""
        return float(self._fitted.score(features, targets))


def linear_probe(
    features: npt.NDArray[np.float32],
    targets: npt.NDArray[Any],
    *,
    task: Task = "single_label",
    strength: float = 1.0,
) -> Probe:
    """Fit a linear classifier on features: logistic regression by L-BFGS, or ridge regression in closed form.

    Args:
        features: Shape (pictures, features), from ``pooled_features``; they are standardised here.
        targets: As ``Photos.targets`` gives them.
        task: ``"single_label"`` or ``"regression"``.
        strength: How strongly weights are held near 0; above 0.

    Returns:
        The classifier.

    Raises:
        SettingError: Several labels, another number of targets, one class alone, or no strength.

    Source:
        Kornblith et al. 2019, https://arxiv.org/abs/1805.08974: logistic regression on pooled features.

    >>> features = np.float32([[0, 1], [0, 2], [5, 1], [5, 2]])
    >>> linear_probe(features, np.array([0, 0, 1, 1])).predict(np.float32([[6, 1]]))
    array([1])
    """
    if task == "multi_label":
        raise SettingError("a linear probe learns one class a picture or numbers, not multi_label.")
    if len(features) != len(targets):
        raise SettingError(f"there are {len(features)} pictures' features and {len(targets)} targets.")
    if strength <= 0:
        raise SettingError(f"strength must be above 0, got {strength:g}.")
    if task == "single_label" and len(np.unique(targets)) < 2:
        raise SettingError("a linear probe tells classes apart, and there is one alone; give two or more.")
    line = (
        make_pipeline(StandardScaler(), Ridge(alpha=strength))
        if task == "regression"
        else classifier(strength)
    )
    return Probe(task, line.fit(features, targets))


def classifier(strength: float) -> Any:
    """Return scikit-learn's logistic regression on standardised features, yet to be fitted."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1 / strength, max_iter=_STEPS))

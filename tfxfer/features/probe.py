"""A linear classifier on features, by scikit-learn: what any training has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfxfer.contracts import LABEL_THRESHOLD, Task
from tfxfer.errors import SettingError

__all__ = ["PROBE_STRENGTH", "Probe", "classifier", "linear_probe"]

PROBE_STRENGTH = 30.0
"""Where many features are of few pictures, which wants a probe held: of 10 to 50 pictures a class of ants and
bees, tiles and CIFAR-10, between 10 and 100 nothing did better on all."""

_STEPS = 1000

_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A linear classifier that has learnt, its standardisation within its weights.

    Attributes:
        task: What it has learnt.
        kernel: Shape (features, outputs), float64.
        bias: Shape (outputs,), float64.
    """

    task: Task
    kernel: _Numbers
    bias: _Numbers

    @property
    def parameters(self) -> int:
        """How many numbers it has."""
        return self.kernel.size + self.bias.size

    def scores(self, features: npt.NDArray[np.float32]) -> _Numbers:
        """Return probabilities, or numbers in their own units, shape (pictures, outputs).

        Args:
            features: Shape (pictures, features).
        """
        logits = features @ self.kernel + self.bias
        if self.task == "regression":
            return logits
        return np.asarray(softmax(logits, axis=1) if self.task == "single_label" else expit(logits))

    def predict(self, features: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Predict from features, shape (pictures, features).

        Returns:
            Class indices, shape (pictures,); for several labels 0 and 1, and for numbers these, shape
            (pictures, outputs).
        """
        scores = self.scores(features)
        if self.task == "single_label":
            return np.asarray(scores.argmax(axis=1))
        return scores if self.task == "regression" else (scores >= LABEL_THRESHOLD).astype(np.int64)

    def score(self, features: npt.NDArray[np.float32], targets: npt.NDArray[Any]) -> float:
        """Return the accuracy on features and what is true of them; of several labels, all must be right.

        For numbers R², its mean where there are several.
        """
        measure = r2_score if self.task == "regression" else accuracy_score
        return float(measure(targets, self.predict(features)))


def linear_probe(
    features: npt.NDArray[np.float32],
    targets: npt.NDArray[Any],
    *,
    task: Task = "single_label",
    strength: float = 1.0,
    weights: npt.NDArray[np.floating[Any]] | None = None,
    outputs: int | None = None,
) -> Probe:
    """Fit a linear classifier on features: logistic regression by L-BFGS, or ridge regression in closed form.

    Of several labels, each has a logistic regression of its own.

    Args:
        features: Shape (pictures, features), from ``pooled_features``; they are centred here, and divided
            by the root of half their own variance and half the mean of all features' variances. Of few
            pictures the variance of one feature says little, and to divide by it alone makes much of what
            hardly moves.
        targets: As ``Photos.targets`` gives them.
        task: What is learnt.
        strength: How strongly weights are held near 0; above 0.
        weights: How much each picture counts, shape (pictures,); None is all alike.
        outputs: Number of classes where these pictures may not show all; None counts them.

    Returns:
        The classifier.

    Raises:
        SettingError: Another number of targets, features that are NaN, one class alone, or no strength.

    Source:
        Kornblith et al. 2019, https://arxiv.org/abs/1805.08974: logistic regression on pooled features;
        variances shrunk towards their mean as in Friedman 1989, https://doi.org/10.2307/2289860, equation 18.

    >>> features = np.float32([[0, 1], [0, 2], [5, 1], [5, 2]])
    >>> linear_probe(features, np.array([0, 0, 1, 1])).predict(np.float32([[6, 1]]))
    array([1])
    """
    if len(features) != len(targets):
        raise SettingError(f"there are {len(features)} pictures' features and {len(targets)} targets.")
    if not np.isfinite(features).all():
        raise SettingError(
            "some features are NaN or infinite; look at the weights of what made them, and at the pictures."
        )
    if strength <= 0:
        raise SettingError(f"strength must be above 0, got {strength:g}.")
    if task == "single_label" and len(np.unique(targets)) < 2:
        raise SettingError("a linear probe tells classes apart, and there is one alone; give two or more.")
    scaler = _ShrunkenScaler().fit(features)
    scaled = scaler.transform(features)
    if task == "regression":
        line = Ridge(alpha=strength).fit(scaled, np.reshape(targets, (len(targets), -1)), weights)
        kernel, bias = np.atleast_2d(line.coef_).T, np.atleast_1d(line.intercept_)
    elif task == "multi_label":
        columns = [_label(scaled, column, strength, weights) for column in np.transpose(targets)]
        kernel, bias = (np.stack(each, axis=-1) for each in zip(*columns, strict=True))
    else:
        kernel, bias = _classes(scaled, targets, strength, weights, outputs)
    # What is standardised first and weighed then may as well be weighed at once.
    kernel = kernel.astype(np.float64) / scaler.scale_[:, None]
    return Probe(task, kernel, bias - scaler.mean_ @ kernel)


def classifier(strength: float) -> Any:
    """Return scikit-learn's logistic regression behind the scaling of ``linear_probe``, yet to be fitted."""
    return make_pipeline(_ShrunkenScaler(), _logistic(strength))


class _ShrunkenScaler(StandardScaler):
    """Divide by the root of half the own variance and half the mean of all."""

    def fit(self, X: npt.NDArray[Any], y: Any = None, sample_weight: Any = None) -> _ShrunkenScaler:
        """Note down what to subtract, and what to divide by."""
        super().fit(X, y, sample_weight)
        shrunken = np.sqrt((self.var_ + self.var_.mean()) / 2)
        self.scale_ = np.where(shrunken > 0, shrunken, 1.0)
        return self


def _logistic(strength: float) -> Any:
    return LogisticRegression(C=1 / strength, max_iter=_STEPS)


def _classes(
    scaled: npt.NDArray[Any], labels: npt.NDArray[Any], strength: float, weights: Any, outputs: int | None
) -> tuple[_Numbers, _Numbers]:
    line = _logistic(strength).fit(scaled, labels, weights)
    shown = line.classes_.astype(np.int64)
    count = outputs or int(shown.max()) + 1
    # Of the classes that are shown the largest logit is at least 0, and the others are as rare as may be.
    kernel, bias = np.zeros((scaled.shape[1], count)), np.full(count, -np.log(_total(labels, weights) + 1))
    # Of two classes scikit-learn has but the second's weights: the first's are 0.
    bias[shown] = 0.0
    kernel[:, shown[-len(line.coef_) :]] = line.coef_.T
    bias[shown[-len(line.coef_) :]] = line.intercept_
    return kernel, bias


def _label(
    scaled: npt.NDArray[Any], column: npt.NDArray[Any], strength: float, weights: Any
) -> tuple[_Numbers, float]:
    """Learn one label; of one that all pictures have, or none has, there is but to be sure of it."""
    if len(np.unique(column)) == 1:
        odds = np.log(_total(column, weights) + 1)
        return np.zeros(scaled.shape[1]), float(odds if column[0] else -odds)
    line = _logistic(strength).fit(scaled, column, weights)
    return line.coef_[0], float(line.intercept_[0])


def _total(targets: npt.NDArray[Any], weights: Any) -> float:
    """Say how many pictures there are, each for as much as it counts."""
    return float(len(targets) if weights is None else np.sum(weights))

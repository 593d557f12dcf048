"""How well frozen features tell what pictures show, without training a network: four scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import Normalizer
from threadpoolctl import threadpool_limits

from tfxfer.features.probe import PROBE_STRENGTH, classifier

__all__ = [
    "accuracy_interval",
    "h_score",
    "log_evidence",
    "log_me",
    "nearest",
    "nearest_neighbours",
    "probed",
    "score_margin",
]

Features = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]
Targets = npt.NDArray[Any]
"""Class indices, shape (pictures,), or columns: several labels as 0 and 1, or numbers."""

FOLDS = 5
NEIGHBOURS = 5
GROUPS = 10
"""Of pictures that a score is computed without, one after the other, for its interval."""

_STUDENT = 2.262
"""The quantile at 97.5 % of Student's t with nine degrees of freedom, one less than there are groups."""
_ROUNDS = 100
_LEAST = 1e-12
_SETTLED = 1e-6
"""Relative change of the ratio of precisions at which LogME's fixed point is taken to be reached."""


def log_me(features: Features, targets: Targets) -> float:
    """Return LogME: the logarithm of the evidence of a linear model of the targets, a picture and a column.

    Each class is a column of 0 and 1, and each number one of its own, modelled as ``features @ w`` with
    noise; the precisions of ``w`` and of the noise are those that maximize the evidence.

    Args:
        features: Shape (pictures, features).
        targets: Class indices, shape (pictures,); or shape (pictures, columns), 0 and 1 for several labels,
            or numbers. Labels that all pictures have or none has are passed over.

    Returns:
        The mean over columns of the log evidence divided by the number of pictures; larger is better. It
        compares features of the same pictures, and says nothing by itself.

    Source:
        You et al. 2021, https://arxiv.org/abs/2102.11005, algorithm 1; by the singular values, as in
        https://arxiv.org/abs/2110.10545.

    >>> told = np.eye(2).repeat(8, axis=0)
    >>> drawn = np.random.default_rng(0).normal(size=(16, 2))
    >>> labels = np.arange(2).repeat(8)
    >>> log_me(told, labels) > log_me(drawn, labels)
    True
    """
    values = features.astype(np.float64)
    left, singular, _ = np.linalg.svd(values, full_matrices=False)
    spectrum = np.zeros(values.shape[1])
    spectrum[: len(singular)] = singular**2
    evidences = []
    for truth in _columns(targets):
        shares = np.zeros_like(spectrum)
        shares[: len(singular)] = (left.T @ truth) ** 2
        evidences.append(_best_evidence(spectrum, shares, float(truth @ truth), len(truth)))
    return float(np.mean(evidences)) / len(values)


def _columns(targets: Targets) -> npt.NDArray[np.float64]:
    """Return the columns that say anything, one a row; or the first, where all pictures are alike."""
    columns: npt.NDArray[np.float64]
    if targets.ndim == 1:
        columns = (targets == np.unique(targets)[:, None]).astype(np.float64)
        return columns
    columns = targets.T.astype(np.float64)
    telling = np.ptp(columns, axis=1) > 0
    return columns[telling] if telling.any() else columns[:1]


def log_evidence(
    alpha: float,
    beta: float,
    *,
    spectrum: npt.NDArray[np.float64],
    shares: npt.NDArray[np.float64],
    total: float,
    count: int,
) -> float:
    """Return the log evidence of one column of labels.

    Args:
        alpha: Precision of the weights.
        beta: Precision of the noise.
        spectrum: Squared singular values of the features, one a feature.
        shares: Squared projections of the column on the left singular vectors, one a feature.
        total: The column's squared length.
        count: Number of pictures.

    Returns:
        The logarithm of the density, in nats.
    """
    length, rest = _residues(alpha / beta, spectrum, shares, total)
    return 0.5 * float(
        len(spectrum) * math.log(alpha)
        + count * math.log(beta / (2 * math.pi))
        - np.log(alpha + beta * spectrum).sum()
        - beta * rest
        - alpha * length
    )


def h_score(features: Features, labels: Labels) -> float:
    """Return the H-score with a shrunk covariance: how much of the features' spread is between classes.

    Args:
        features: Shape (pictures, features).
        labels: Class indices, shape (pictures,).

    Returns:
        The trace of the inverse covariance times the covariance of class means, at least 0; larger is better.

    Source:
        Bao et al. 2019, https://arxiv.org/abs/2212.10082; with the shrinkage of Ibrahim et al. 2021,
        https://arxiv.org/abs/2110.06893, without which few pictures and many features say nothing.

    >>> told = np.eye(2).repeat(8, axis=0) + 1e-3 * np.random.default_rng(0).normal(size=(16, 2))
    >>> round(h_score(told, np.arange(2).repeat(8)), 1)
    1.0
    """
    values = features.astype(np.float64)
    centred = values - values.mean(axis=0)
    if not centred.any():
        return 0.0
    fitted = LedoitWolf(assume_centered=True).fit(centred)
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(classes), centred.shape[1]))
    np.add.at(sums, members, centred)
    means = sums / counts[:, None]
    # The trace as a sum over classes: no covariance of means is ever made.
    solved = np.linalg.solve(fitted.covariance_, means.T)
    weighted = (counts / len(values)) * np.einsum("cf,fc->c", means, solved)
    return float((1 - fitted.shrinkage_) * weighted.sum())


def nearest(features: Features) -> npt.NDArray[np.int64]:
    """Return which five pictures are nearest to each by angle, itself left out, shape (pictures, 5)."""
    unit = Normalizer().fit_transform(features.astype(np.float64))
    model = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(unit)
    found: npt.NDArray[np.int64] = model.kneighbors(return_distance=False)  # of what it was fitted on
    return found


def nearest_neighbours(features: Features, labels: Labels) -> npt.NDArray[np.bool_]:
    """Tell each picture by the five that are nearest by angle, itself left out.

    Args:
        features: Shape (pictures, features).
        labels: Class indices, shape (pictures,); at least six pictures.

    Returns:
        Which are told right, shape (pictures,).
    """
    count = int(labels.max()) + 1
    votes = np.stack([np.bincount(labels[each], minlength=count) for each in nearest(features)])
    right: npt.NDArray[np.bool_] = votes.argmax(axis=1) == labels
    return right


def probed(features: Features, labels: Labels, *, seed: int = 0) -> npt.NDArray[np.bool_]:
    """Tell each picture by a logistic regression that has not seen it, five folds in turn.

    Args:
        features: Shape (pictures, features).
        labels: Class indices, shape (pictures,); at least two pictures a class.
        seed: Seed of the folds.

    Returns:
        Which are told right, shape (pictures,).
    """
    folds = min(FOLDS, int(np.unique(labels, return_counts=True)[1].min()))
    cut = StratifiedKFold(folds, shuffle=True, random_state=seed)
    right: npt.NDArray[np.bool_] = (
        cross_val_predict(classifier(PROBE_STRENGTH), features.astype(np.float64), labels, cv=cut) == labels
    )
    return right


def accuracy_interval(right: npt.NDArray[np.bool_], *, seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap interval that holds 95 % of the accuracies of pictures drawn anew.

    Args:
        right: Which pictures are told right, shape (pictures,).
        seed: Seed of the draws.

    Returns:
        Its ends, in 0..1.

    >>> accuracy_interval(np.ones(10, bool))
    (1.0, 1.0)
    """
    drawn = np.random.default_rng(seed).integers(0, len(right), (1000, len(right)))
    low, high = np.quantile(right[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def score_margin(
    score: Callable[[Features, Targets], float], features: Features, targets: Targets, *, seed: int = 0
) -> float:
    """Return half of a score's 95 % interval over pictures drawn anew, by the delete-a-group jackknife.

    It is no bootstrap: pictures drawn twice would be told for sure, and LogME and the H-score rise by that.

    Args:
        score: What is computed, without one group of pictures at a time, such as ``log_me``.
        features: Shape (pictures, features), or what else it is computed of.
        targets: As in ``log_me``.
        seed: Seed of the groups; each has its share of every class, and of low and high numbers.

    Returns:
        How far the interval goes to either side, at least 0.

    Source:
        Kott 2001, The Delete-a-Group Jackknife, Journal of Official Statistics 17(4).
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(targets)), *np.atleast_2d(targets.T)))
    groups = np.empty(len(targets), np.int64)
    groups[order] = np.arange(len(targets)) % GROUPS
    without = [groups != group for group in np.unique(groups)]
    with threadpool_limits(1):  # a group a core: threads within would but wait for each other
        side_by_side = joblib.Parallel(joblib.cpu_count(), prefer="threads")
        scores = np.array(
            side_by_side(joblib.delayed(score)(features[rest], targets[rest]) for rest in without)
        )
    return float(_STUDENT * math.sqrt((len(scores) - 1) * scores.var()))


def _best_evidence(
    spectrum: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], total: float, count: int
) -> float:
    alpha = beta = 1.0
    for _ in range(_ROUNDS):
        ratio = alpha / beta
        length, rest = _residues(ratio, spectrum, shares, total)
        freedom = float((spectrum / (spectrum + ratio)).sum())
        # Features that tell a class apart wholly leave no noise, and those that are all 0 need no weights.
        alpha = max(freedom, _LEAST) / max(length, _LEAST)
        beta = max(count - freedom, _LEAST) / max(rest, _LEAST)
        if abs(alpha / beta - ratio) <= _SETTLED * ratio:
            break
    return log_evidence(alpha, beta, spectrum=spectrum, shares=shares, total=total, count=count)


def _residues(
    ratio: float, spectrum: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], total: float
) -> tuple[float, float]:
    """Return the squared length of the best weights, and that of what they leave of the column."""
    length = float((spectrum * shares / (spectrum + ratio) ** 2).sum())
    rest = float((shares * (ratio / (spectrum + ratio)) ** 2).sum()) + max(total - float(shares.sum()), 0.0)
    return length, rest

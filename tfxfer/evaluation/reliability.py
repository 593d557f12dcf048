"""Probabilities beside how often they come true."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse

from tfxfer.contracts import Predictions
from tfxfer.evaluation.intervals import Measure
from tfxfer.evaluation.weighted.decisions import Values, Weights

__all__ = ["BINS", "Reliability", "ReliabilityBin", "judge_reliability", "reliability_measure"]

BINS = 15
"""The range of probabilities, 0 to 1, is cut into so many bins of one width."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """What is said with probabilities in one range, and how often it is so.

    Attributes:
        low: Lower end of the range, which is not in it but for 0.
        high: Upper end, which is.
        count: How much is said so: pictures, or with several labels pairs of picture and label.
        confidence: Mean of the probabilities; None where nothing is.
        accuracy: Share of what is said that is so, in 0..1; None where nothing is.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities mean what they say.

    Of one label a picture, what is looked at is the probability of the likeliest class, and whether it is the
    true one. Of several, that of every label of every picture, and whether the picture shows it.

    Attributes:
        expected_calibration_error: Mean over the bins of how far accuracy is from confidence, each bin
            weighing as much as it holds; in 0..1.
        brier_score: Mean square of how far probabilities are from the truth, 1 or 0: of one label summed over
            the classes, in 0..2; of several, the mean over the labels, in 0..1.
        log_loss: Cross-entropy in nats: of one label minus the logarithm of the true class's probability; of
            several, the mean over the labels. Probabilities count as 2.2e-16 at least.
        bins: 15 bins of one width, from 0 to 1: what a reliability diagram draws.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3, with their 15 bins; Brier 1950,
        Verification of forecasts expressed in terms of probability.
    """

    expected_calibration_error: float
    brier_score: float
    log_loss: float
    bins: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists and numbers, ready for JSON."""
        return {**asdict(self), "bins": [asdict(each) for each in self.bins]}


class _Said(NamedTuple):
    """What is said and whether it is so; each of shape (pictures, statements a picture)."""

    confidence: Values
    right: npt.NDArray[np.bool_]
    bins: npt.NDArray[np.intp]

    @classmethod
    def by(cls, predictions: Predictions) -> _Said:
        scores, labels = predictions.scores.astype(np.float64), np.asarray(predictions.labels)
        if predictions.task == "multi_label":
            confidence, right = scores, labels.astype(bool)
        else:
            confidence = scores.max(axis=1, keepdims=True)
            right = (scores.argmax(axis=1) == labels)[:, np.newaxis]
        return cls(confidence, right, np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1))


def judge_reliability(predictions: Predictions) -> Reliability:
    """Hold probabilities against the truth.

    Args:
        predictions: Probabilities with labels, one picture at least; not numbers.

    Returns:
        The figures, and what a reliability diagram draws.

    >>> scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]], np.float32)
    >>> found = judge_reliability(Predictions(("ant", "bee"), ("a", "b", "c"), scores, np.array([0, 1, 0])))
    >>> round(found.expected_calibration_error, 3)  # 2/3 · |1/2 - 0.9| + 1/3 · |1 - 0.6|
    0.4
    """
    said = _Said.by(predictions)
    where = said.bins.ravel()
    counts = np.bincount(where, minlength=BINS)
    confidence, right = (
        np.bincount(where, values.ravel(), minlength=BINS) for values in (said.confidence, said.right)
    )
    # Of none of these does scikit-learn make a mean over several labels, nor the first at all.
    one = np.ones((len(said.bins), 1), np.float32)
    figures = {name: float(value[0]) for name, value in reliability_measure(predictions)(one).items()}
    return Reliability(
        **figures,
        bins=tuple(
            ReliabilityBin(
                low=index / BINS,
                high=(index + 1) / BINS,
                count=int(count),
                confidence=float(confidence[index] / count) if count else None,
                accuracy=float(right[index] / count) if count else None,
            )
            for index, count in enumerate(counts)
        ),
    )


def reliability_measure(predictions: Predictions) -> Measure:
    """Return what computes the three figures of ``Reliability`` for any weights of the pictures."""
    said = _Said.by(predictions)
    pictures, statements = said.bins.shape
    rows = np.repeat(np.arange(pictures), statements)
    off = (said.right - said.confidence).ravel() / statements
    by_bin = scipy.sparse.csr_array((off, (said.bins.ravel(), rows)), shape=(BINS, pictures))
    squares, losses = _squares(predictions), _losses(predictions)

    def measure(weights: Weights) -> dict[str, Values]:
        total = weights.sum(axis=0, dtype=np.float64)
        return {
            "expected_calibration_error": np.abs(by_bin @ weights).sum(axis=0) / total,
            "brier_score": squares @ weights / total,
            "log_loss": losses @ weights / total,
        }

    return measure


def _truth(predictions: Predictions) -> npt.NDArray[np.float64]:
    labels = np.asarray(predictions.labels)
    several = predictions.task == "multi_label"
    return labels.astype(np.float64) if several else np.eye(len(predictions.classes))[labels]


def _squares(predictions: Predictions) -> Values:
    """Return each picture's share of the Brier score."""
    squares = np.square(predictions.scores.astype(np.float64) - _truth(predictions))
    over: Any = np.mean if predictions.task == "multi_label" else np.sum
    return np.asarray(over(squares, axis=1))


def _losses(predictions: Predictions) -> Values:
    """Return each picture's cross-entropy."""
    smallest = np.finfo(np.float64).eps
    scores = predictions.scores.astype(np.float64)
    if predictions.task == "multi_label":
        truth = _truth(predictions)
        given = np.clip(scores, smallest, 1 - smallest)
        return np.asarray(-(truth * np.log(given) + (1 - truth) * np.log1p(-given)).mean(axis=1))
    own = scores[np.arange(len(scores)), np.asarray(predictions.labels)] / scores.sum(axis=1)
    return np.asarray(-np.log(np.clip(own, smallest, 1 - smallest)))

"""How far an exported file may be from its model, by what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.stats

from tfxfer.contracts import LABEL_THRESHOLD, Predictions, Task
from tfxfer.data import Photos
from tfxfer.evaluation import judge_reliability
from tfxfer.exports.artifact import Comparison

__all__ = ["EXACT", "FILES_BOUND", "PARITY_BOUND", "Bounds", "Yardstick"]

PARITY_BOUND = 1e-3
"""No score of an exported float32 file may differ by more than this from the model's.

Of classes, in probability; of numbers, in standard deviations of each over the training pictures.
"""

FILES_BOUND = 0.05
"""Likewise of scores that a form gives of files, which its own decoder reads: pixels may differ by 1 or 2."""

_SAME_NUMBER = 0.1
"""Numbers this close are the same to somebody who reads them, in such standard deviations."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a form may lose.

    Attributes:
        agreement: The least share of pictures of which it must say the same, in 0..1.
        loss: The largest part of the merit that it may lose; one picture is always allowed.
        exact: Whether no score at all may differ, but by ``PARITY_BOUND``.
        known: How far ``known`` may be off in the mean, in standard deviations. (Nearly all pictures are
            known: a file that calls all of them so agrees on most.)
    """

    agreement: float
    loss: float
    exact: bool = False
    known: float = 0.0


EXACT = Bounds(agreement=1.0, loss=0.0, exact=True)


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """A model's own scores, which those of its files are held against.

    Attributes:
        task: What the scores are of.
        expected: The model's scores, shape (pictures, classes), float32.
        scale: What a difference is measured in, shape (classes,): 1 for probabilities.
        truth: What the pictures show, as ``Photos.targets`` has it.
        names: The classes or numbers.
    """

    task: Task
    expected: Scores
    scale: npt.NDArray[np.float64]
    truth: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    names: tuple[str, ...]

    @classmethod
    def of(
        cls, photos: Photos, expected: Scores, truth: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    ) -> Self:
        """Measure by the photos' task, and numbers by how they vary over the training pictures."""
        scale = np.ones(expected.shape[1])
        if photos.task == "regression":
            deviations = np.std(photos.targets("train"), axis=0, dtype=np.float64)
            # As in the head: of a number that is always the same, the unit is its own.
            scale = np.where(deviations > 0, deviations, scale)
            # A large number that varies little is no finer than float32 is there.
            finest = np.spacing(np.abs(expected).max(axis=0))
            scale = np.maximum(scale, 4 * finest / PARITY_BOUND)
        return cls(photos.task, expected, scale, truth, photos.classes)

    def at(self, places: Sequence[int]) -> Self:
        """Return one for some of the pictures."""
        some = list(places)
        return replace(self, expected=self.expected[some], truth=self.truth[some])

    def compare(self, scores: Scores) -> Comparison:
        """Hold scores of the same pictures against the model's and the truth.

        Args:
            scores: Shape (pictures, classes), float32.
        """
        differences = self._differences(scores)
        before, after = self._merits(self.expected), self._merits(scores)
        change = np.nan_to_num(after - before, nan=-np.inf)
        by_class = self._by_class(change)
        return Comparison(
            images=len(scores),
            disagreements=self._disagreements(scores, differences),
            agreement=float(np.mean(self._same(scores, differences))),
            largest_difference=float(differences.max()),
            mean_difference=float(differences.mean()),
            merit=float(after.mean()),
            merit_change=float(change.mean()),
            interval=_interval(change.mean(axis=1)),
            class_changes={name: float(own.mean()) for name, own in by_class.items()},
            class_intervals={name: _interval(own) for name, own in by_class.items()},
            calibration_error_change=self._calibration_change(scores),
        )

    def complaint(self, found: Comparison, bounds: Bounds) -> str:
        """Say what of a form is past its bounds; nothing where it is within them."""
        unit = " standard deviations" if self.task == "regression" else ""
        largest = f"largest difference {found.largest_difference:.2g}{unit}"
        # Written so that NaN, which compares with nothing, is refused.
        if bounds.exact and (found.disagreements or not found.largest_difference <= PARITY_BOUND):
            return (
                f"disagrees with the model on {found.disagreements} of {found.images} pictures ({largest}, "
                f"bound {PARITY_BOUND:g})"
            )
        said = []
        if not -found.merit_change <= max(bounds.loss, 1 / found.images) + 1e-9:
            said.append(self._told_loss(found, bounds))
        if not (1 - found.agreement) * found.images <= max((1 - bounds.agreement) * found.images, 1) + 1e-6:
            worst = "" if said else self._where(found, ", losing most")
            said.append(
                f"says the same as the model of {found.agreement:.1%} of {found.images} pictures "
                f"(bound {bounds.agreement:.1%}){worst}"
            )
        return ", and ".join(said)

    def _told_loss(self, found: Comparison, bounds: Bounds) -> str:
        low, high = sorted(-end for end in found.interval)
        where = self._where(found, ", most")
        if self.task == "regression":
            return (
                f"is further off by {-found.merit_change:.3f} standard deviations (95 % {low:z.3f} to "
                f"{high:z.3f}, bound {bounds.loss:g}){where}"
            )
        return (
            f"loses {-100 * found.merit_change:.1f} points of accuracy (95 % {100 * low:z.1f} to "
            f"{100 * high:z.1f}, bound {100 * bounds.loss:g}) on {found.images} pictures{where}"
        )

    def _where(self, found: Comparison, most: str) -> str:
        """Name the class or number that loses most, and how much; nothing where none does."""
        worst, change = min(found.class_changes.items(), key=lambda each: each[1], default=("", 0.0))
        if not change < 0:
            return ""
        if self.task == "regression":
            return f"{most} in {worst} ({-change:.3f})"
        return f"{most} on {worst} ({-100 * change:.1f})"

    def _merits(self, scores: Scores) -> npt.NDArray[np.float64]:
        """How right each picture is, shape (pictures, 1 or classes)."""
        if self.task == "regression":
            return -np.abs(scores.astype(np.float64) - self.truth) / self.scale
        if self.task == "multi_label":
            return np.asarray((scores >= LABEL_THRESHOLD) == (self.truth > 0.5), np.float64)
        return np.asarray(scores.argmax(axis=1) == self.truth, np.float64)[:, np.newaxis]

    def _by_class(self, change: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        """Return the change on each picture that shows a class, or of each number."""
        if self.task == "regression":
            return {name: change[:, column] for column, name in enumerate(self.names)}
        shown = self.truth[:, np.newaxis] == np.arange(len(self.names))
        if self.task == "multi_label":
            shown = self.truth > 0.5
        columns = np.broadcast_to(change, shown.shape)
        return {
            name: columns[shown[:, label], label]
            for label, name in enumerate(self.names)
            if shown[:, label].any()
        }

    def _calibration_change(self, scores: Scores) -> float | None:
        if self.task == "regression" or not np.isfinite(scores).all():
            return None
        before, after = (
            judge_reliability(Predictions(self.names, (), each, self.truth, self.task))
            for each in (self.expected, scores)
        )
        return after.expected_calibration_error - before.expected_calibration_error

    def _same(self, scores: Scores, differences: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        if self.task == "regression":
            return np.asarray((differences <= _SAME_NUMBER).all(axis=1))
        if self.task == "multi_label":
            flipped = (scores >= LABEL_THRESHOLD) != (self.expected >= LABEL_THRESHOLD)
            return np.asarray(~flipped.any(axis=1))
        return np.asarray(scores.argmax(axis=1) == self.expected.argmax(axis=1))

    def _disagreements(self, scores: Scores, differences: npt.NDArray[np.float64]) -> int:
        """Count pictures of which something else is said, but for what rounding alone decides."""
        if self.task == "multi_label":
            flipped = (scores >= LABEL_THRESHOLD) != (self.expected >= LABEL_THRESHOLD)
            decided = np.abs(self.expected - LABEL_THRESHOLD) > PARITY_BOUND
            return int(np.sum((flipped & decided).any(axis=1)))
        if self.task == "regression":
            return int(np.sum(~(differences <= PARITY_BOUND).all(axis=1)))
        other = ~self._same(scores, differences)
        second, first = np.sort(self.expected, axis=1)[:, -2:].T
        return int(np.sum(other & (first - second > PARITY_BOUND)))

    def _differences(self, scores: Scores) -> npt.NDArray[np.float64]:
        return np.abs(scores.astype(np.float64) - self.expected) / self.scale


def _interval(change: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Of a mean over pictures, 95 %, by 2,000 drawings with a fixed seed."""
    if len(change) < 2 or np.ptp(change) == 0 or not np.isfinite(change).all():
        return float(change.mean()), float(change.mean())
    found = scipy.stats.bootstrap(
        (change,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)

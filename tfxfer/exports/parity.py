"""How far an exported file may be from its model, by what the model says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import LABEL_THRESHOLD, Task
from tfxfer.data import Photos

__all__ = ["PARITY_BOUND", "Yardstick"]

PARITY_BOUND = 1e-3
"""No score of an exported float32 file may differ by more than this from the model's.

Of classes, in probability; of numbers, in standard deviations of each over the training pictures.
"""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """A model's own scores, which those of its files are held against.

    Attributes:
        task: What the scores are of.
        expected: The model's scores, shape (pictures, classes), float32.
        scale: What a difference is measured in, shape (classes,): 1 for probabilities.
    """

    task: Task
    expected: Scores
    scale: npt.NDArray[np.float64]

    @classmethod
    def of(cls, photos: Photos, expected: Scores) -> Self:
        """Measure by the photos' task, and numbers by how they vary over the training pictures."""
        scale = np.ones(expected.shape[1])
        if photos.task == "regression":
            deviations = np.std(photos.targets("train"), axis=0, dtype=np.float64)
            # As in the head: of a number that is always the same, the unit is its own.
            scale = np.where(deviations > 0, deviations, scale)
            # A large number that varies little is no finer than float32 is there.
            finest = np.spacing(np.abs(expected).max(axis=0))
            scale = np.maximum(scale, 4 * finest / PARITY_BOUND)
        return cls(photos.task, expected, scale)

    @classmethod
    def of_known(cls, expected: npt.NDArray[np.float32]) -> Self:
        """Measure how far pictures are from being none of the classes, in standard deviations of that."""
        return cls("multi_label", cls.around_threshold(expected), np.ones(1))

    @staticmethod
    def around_threshold(known: npt.NDArray[np.float32]) -> Scores:
        """Put what is said from 0 on where a label is given from 0.5 on, shape (pictures, 1)."""
        return known[:, np.newaxis] + np.float32(LABEL_THRESHOLD)

    @property
    def unit(self) -> str:
        """What follows a difference in a message."""
        return " standard deviations" if self.task == "regression" else ""

    def largest_difference(self, scores: Scores) -> float:
        """Return the largest difference of any score, in its scale; NaN where a score is."""
        return float(self._differences(scores).max())

    def disagreements(self, scores: Scores) -> int:
        """Count pictures of which something else is said, but for what rounding alone decides."""
        if self.task == "regression":
            return int(np.sum(~(self._differences(scores) <= PARITY_BOUND).all(axis=1)))
        if self.task == "multi_label":
            flipped = (scores >= LABEL_THRESHOLD) != (self.expected >= LABEL_THRESHOLD)
            decided = np.abs(self.expected - LABEL_THRESHOLD) > PARITY_BOUND
            return int(np.sum((flipped & decided).any(axis=1)))
        second, first = np.sort(self.expected, axis=1)[:, -2:].T
        other = scores.argmax(axis=1) != self.expected.argmax(axis=1)
        return int(np.sum(other & (first - second > PARITY_BOUND)))

    def _differences(self, scores: Scores) -> npt.NDArray[np.float64]:
        return np.abs(scores.astype(np.float64) - self.expected) / self.scale

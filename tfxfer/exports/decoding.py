"""Scores of one picture become what is said of it, by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import LABEL_THRESHOLD, Task

__all__ = ["MultiLabelPrediction", "Prediction", "RegressionPrediction", "decode"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about one picture; printed, it is a line.

    Attributes:
        file: The picture.
        label: The likeliest class.
        probability: Its probability, in 0..1.
        scores: Every class -> its probability.
        known: Whether the picture shows any of the classes; None where the model does not say.
    """

    file: str
    label: str
    probability: float
    scores: dict[str, float]
    known: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        line = f"{self.file}  {self.label}  {self.probability:.1%}"
        return f"{line}  (none of these, it seems)" if self.known is False else line


@dataclass(frozen=True, slots=True)
class MultiLabelPrediction:
    """Which classes a model sees in one picture; printed, it is a line.

    Attributes:
        file: The picture.
        labels: The classes whose probability is 0.5 or more, in the order of the model's; there may be none.
        scores: Every class -> its probability, in 0..1.
    """

    file: str
    labels: tuple[str, ...]
    scores: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return asdict(self) | {"labels": list(self.labels)}

    def __str__(self) -> str:
        labels = "  ".join(f"{label} {self.scores[label]:.1%}" for label in self.labels)
        return f"{self.file}  {labels or 'no label'}"


@dataclass(frozen=True, slots=True)
class RegressionPrediction:
    """Which numbers a model reads off one picture; printed, it is a line.

    Attributes:
        file: The picture.
        numbers: Name -> number, in its own unit.
    """

    file: str
    numbers: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.file}  " + "  ".join(f"{name} {number:.6g}" for name, number in self.numbers.items())


def decode(
    task: Task,
    names: Sequence[str],
    file: str,
    scores: npt.NDArray[np.float32],
    *,
    known: float | None = None,
) -> Prediction | MultiLabelPrediction | RegressionPrediction:
    """Say in words what the scores of one picture mean.

    Args:
        task: What they are of.
        names: Classes, or names of numbers, in their order.
        file: The picture.
        scores: Shape (names,), float32.
        known: How far it is from being none of the classes, below 0 where it is; None where nobody said.

    Returns:
        The prediction of that task.

    >>> decode("multi_label", ["cat", "dog"], "a.jpg", np.array([0.75, 0.25], np.float32)).labels
    ('cat',)
    """
    named = {name: float(score) for name, score in zip(names, scores, strict=True)}
    if task == "regression":
        return RegressionPrediction(file, named)
    if task == "multi_label":
        return MultiLabelPrediction(
            file, tuple(name for name, score in named.items() if score >= LABEL_THRESHOLD), named
        )
    label = names[int(scores.argmax())]
    return Prediction(file, label, float(scores.max()), named, None if known is None else known >= 0)

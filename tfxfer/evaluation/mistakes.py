"""The pictures that a model is wrong about: the worst, and those it is surest of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tfxfer.contracts import LABEL_THRESHOLD, Predictions
from tfxfer.errors import SettingError

__all__ = ["Mistake", "confident_errors", "worst_mistakes"]

_LEAST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One picture with a wrong label.

    Attributes:
        file: The picture.
        shown: The classes that it shows, by its label.
        said: The classes that the model says.
        confidence: Probability of what is wrong: of the class that is said; with several labels, of the
            surest wrong one, a label that is left out among them. In 0..1.
        loss: Cross-entropy in nats; with several labels, the mean over them.
    """

    file: str
    shown: tuple[str, ...]
    said: tuple[str, ...]
    confidence: float
    loss: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {**asdict(self), "shown": list(self.shown), "said": list(self.said)}

    def __str__(self) -> str:
        said, shown = (", ".join(names) or "none" for names in (self.said, self.shown))
        return f"{self.file}  {said} ({self.confidence:.1%}), labelled {shown}"


def confident_errors(predictions: Predictions, *, most: int = 20) -> tuple[Mistake, ...]:
    """Return the mistakes that the model is surest of, the surest first.

    Args:
        predictions: Probabilities with labels; not numbers.
        most: How many at most; at least 1.

    Returns:
        One entry a picture with a wrong label.

    Raises:
        SettingError: They are numbers, or ``most`` is below 1.
    """
    return _first(predictions, most, lambda mistake: -mistake.confidence)


def worst_mistakes(predictions: Predictions, *, most: int = 20) -> tuple[Mistake, ...]:
    """Return the mistakes that cost most, those whose truth was thought least likely first.

    Args:
        predictions: Probabilities with labels; not numbers.
        most: How many at most; at least 1.

    Returns:
        One entry a picture with a wrong label.

    Raises:
        SettingError: They are numbers, or ``most`` is below 1.

    >>> scores = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]], np.float32)
    >>> for mistake in worst_mistakes(Predictions(("ant", "bee"), tuple("abc"), scores, np.array([1, 1, 1]))):
    ...     print(mistake)
    a  ant (90.0%), labelled bee
    c  ant (60.0%), labelled bee
    """
    return _first(predictions, most, lambda mistake: -mistake.loss)


def _first(predictions: Predictions, most: int, rank: Callable[[Mistake], float]) -> tuple[Mistake, ...]:
    if most < 1:
        raise SettingError(f"most must be at least 1, got {most}.")
    if predictions.task == "regression":
        raise SettingError("numbers are not wrong or right; mistakes are of labels.")
    made = _several(predictions) if predictions.task == "multi_label" else _single(predictions)
    return tuple(sorted(made, key=rank)[:most])


def _single(predictions: Predictions) -> list[Mistake]:
    labels, names = np.asarray(predictions.labels), predictions.classes
    scores = predictions.scores.astype(np.float64)
    said = scores.argmax(axis=1)
    return [
        Mistake(
            predictions.files[row],
            (names[labels[row]],),
            (names[said[row]],),
            confidence=float(scores[row, said[row]]),
            loss=float(-np.log(max(scores[row, labels[row]], _LEAST))),
        )
        for row in np.flatnonzero(said != labels)
    ]


def _several(predictions: Predictions) -> list[Mistake]:
    truth = np.asarray(predictions.labels).astype(bool)
    scores = predictions.scores.astype(np.float64)
    given = predictions.scores >= LABEL_THRESHOLD
    wrong, sure = given != truth, np.where(given, scores, 1 - scores)
    losses = -np.log(np.clip(np.where(truth, scores, 1 - scores), _LEAST, 1)).mean(axis=1)
    return [
        Mistake(
            predictions.files[row],
            _named(predictions, truth[row]),
            _named(predictions, given[row]),
            confidence=float(sure[row][wrong[row]].max()),
            loss=float(losses[row]),
        )
        for row in np.flatnonzero(wrong.any(axis=1))
    ]


def _named(predictions: Predictions, chosen: Any) -> tuple[str, ...]:
    return tuple(name for name, there in zip(predictions.classes, chosen, strict=True) if there)

"""The pictures that a model is wrong about: the worst, those it is surest of, numbers that are far off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import LABEL_THRESHOLD, Predictions
from tfxfer.errors import SettingError

__all__ = ["Mistake", "NumberMistake", "confident_errors", "how_far_off", "largest_errors", "worst_mistakes"]

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


@dataclass(frozen=True, slots=True)
class NumberMistake:
    """One picture whose numbers are read wrongly.

    Attributes:
        file: The picture.
        shown: The true numbers, each in its own unit.
        said: Those that the model says.
        off: How far off they are: the mean over the numbers of each one's error in standard deviations of the
            true ones, so that numbers of any unit count alike.
    """

    file: str
    shown: tuple[float, ...]
    said: tuple[float, ...]
    off: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {**asdict(self), "shown": list(self.shown), "said": list(self.said)}

    def __str__(self) -> str:
        said, shown = (", ".join(f"{number:.4g}" for number in each) for each in (self.said, self.shown))
        return f"{self.file}  {said}, labelled {shown}"


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


def largest_errors(predictions: Predictions, *, most: int = 20) -> tuple[NumberMistake, ...]:
    """Return the pictures whose numbers are furthest off, the furthest first.

    Args:
        predictions: Numbers with the true ones.
        most: How many at most; at least 1.

    Returns:
        One entry a picture.

    Raises:
        SettingError: They are probabilities, or ``most`` is below 1.

    >>> said, true = np.float32([[30], [52]]), np.float32([[31], [48]])
    >>> print(largest_errors(Predictions(("age",), ("a", "b"), said, true, "regression"))[0])
    b  52, labelled 48
    """
    _check_most(most)
    if predictions.task != "regression":
        raise SettingError("labels are right or wrong, not far off; errors are of numbers.")
    off = how_far_off(predictions)
    truth, said = np.asarray(predictions.labels, np.float64), predictions.scores.astype(np.float64)
    return tuple(
        NumberMistake(
            predictions.files[row], tuple(truth[row].tolist()), tuple(said[row].tolist()), float(off[row])
        )
        for row in np.argsort(-off, kind="stable")[:most]
    )


def how_far_off(predictions: Predictions) -> npt.NDArray[np.float64]:
    """Return of each picture how far its numbers are off, as ``NumberMistake`` has it.

    Args:
        predictions: Numbers with the true ones; one that is the same on all pictures counts in its own unit.
    """
    truth = np.asarray(predictions.labels, np.float64)
    spread = np.where(truth.std(axis=0) > 0, truth.std(axis=0), 1)
    return np.asarray((np.abs(predictions.scores - truth) / spread).mean(axis=1))


def _check_most(most: int) -> None:
    if most < 1:
        raise SettingError(f"most must be at least 1, got {most}.")


def _first(predictions: Predictions, most: int, rank: Callable[[Mistake], float]) -> tuple[Mistake, ...]:
    _check_most(most)
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

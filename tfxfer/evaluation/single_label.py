"""One class a picture: accuracy, areas under curves, per-class figures, confusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

from tfxfer.contracts import Figure, Predictions, Task
from tfxfer.errors import SettingError
from tfxfer.evaluation.areas import average_precision, mean_of_known, roc_auc
from tfxfer.evaluation.curves import (
    PrecisionRecallCurve,
    RocCurve,
    precision_recall_curves,
    roc_curves,
)
from tfxfer.evaluation.gains import TTAGain, gain_of, gain_rows
from tfxfer.evaluation.intervals import Interval, Measure, explained, intervals_of, printed
from tfxfer.evaluation.reliability import Reliability, judge_reliability, reliability_measure
from tfxfer.evaluation.subgroups import Subgroup, subgroup_rows, subgroups_of
from tfxfer.evaluation.weighted.decisions import Values, Weights, decision_figures
from tfxfer.evaluation.weighted.orderings import mean_orderings

__all__ = ["ClassScore", "Report", "choose_top", "judge_single_label"]

_TOP = 5
"""With more classes than these, it also counts whether the true one is among so many likeliest ones."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is told from the others.

    Attributes:
        name: The class.
        precision: Of the pictures called this class, the share that are; in 0..1.
        recall: Of the pictures of this class, the share called so; in 0..1.
        f1: Harmonic mean of the two; in 0..1.
        roc_auc: How often a picture of this class gets a higher probability of it than another one, in 0..1;
            None where all pictures are of this class, or none is.
        average_precision: Precision over all thresholds, weighted by the recall each adds; in 0..1.
        images: Pictures of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    average_precision: float
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """How good a model is on some pictures; printed, it is a table.

    A class that no picture shows counts in no mean over classes.

    Attributes:
        accuracy: Share of pictures with the right label, in 0..1.
        balanced_accuracy: Mean of the classes' recall, in 0..1.
        macro_f1: Mean of the classes' F1, in 0..1.
        weighted_f1: The same, each class weighing as many pictures as it has.
        cohen_kappa: How far labels agree with the truth beyond chance, at most 1; None where one class is all
            that is shown and said.
        roc_auc: Mean of the classes' areas under the ROC curve, each against the others; None where no
            picture can be told from another by its class.
        mean_average_precision: Mean of the classes' average precision, the area under the precision-recall
            curve, in 0..1.
        top_k: How many likeliest classes the next figure looks at, 5 if nobody said; None where nobody did
            and there are no more than five.
        top_k_accuracy: Share of pictures whose class is among so many likeliest ones, in 0..1; None likewise.
        per_class: One entry a class, in the order of the scores.
        confusion: Pictures by true class (row) and predicted class (column).
        calibration: How far probabilities mean what they say.
        intervals: Figure -> its 95 % interval, of all the above and of ``calibration``'s; as
            ``Interval`` says.
        subgroups: The accuracy of each group, where pictures have groups of ten pictures or more.
        roc_curves: One a class, but of those that all pictures show or none does.
        precision_recall_curves: One a class, but of those that no picture shows.
        tta: What test-time augmentation changes of the accuracy; None where there was none.
        predictions: What it was made from.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    weighted_f1: float
    cohen_kappa: float | None
    roc_auc: float | None
    mean_average_precision: float
    top_k: int | None
    top_k_accuracy: float | None
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: Reliability
    intervals: Mapping[str, Interval]
    subgroups: tuple[Subgroup, ...]
    roc_curves: tuple[RocCurve, ...]
    precision_recall_curves: tuple[PrecisionRecallCurve, ...]
    tta: TTAGain | None
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: accuracy."""
        return Figure("accuracy", self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {
            **{name: getattr(self, name) for name in _FIGURES},
            "per_class": [asdict(score) for score in self.per_class],
            "confusion": [list(row) for row in self.confusion],
            "calibration": self.calibration.to_dict(),
            "intervals": {name: interval._asdict() for name, interval in self.intervals.items()},
            "subgroups": [group.to_dict() for group in self.subgroups],
            "roc_curves": [curve.to_dict() for curve in self.roc_curves],
            "precision_recall_curves": [curve.to_dict() for curve in self.precision_recall_curves],
            "tta": None if self.tta is None else self.tta.to_dict(),
        }

    def __str__(self) -> str:
        images = sum(score.images for score in self.per_class)
        rows = [
            f"accuracy {self.accuracy:.1%}{printed(self.intervals, 'accuracy', '.1%')} on {images} "
            f"pictures, {self._top()}macro F1 {self.macro_f1:.3f}, calibration error "
            f"{self.calibration.expected_calibration_error:.3f}",
            *gain_rows(self.tta),
            "",
            *self._table(),
            *subgroup_rows(self.subgroups, "accuracy", self.predictions),
            *explained(self.intervals),
        ]
        return "\n".join(row.rstrip() for row in rows)

    def _top(self) -> str:
        return "" if self.top_k_accuracy is None else f"top-{self.top_k} {self.top_k_accuracy:.1%}, "

    def _table(self) -> list[str]:
        width = max(len(name) for name in ("class", *(score.name for score in self.per_class)))
        rows = [f"{'class':<{width}}  precision  recall     F1  pictures  most often taken for"]
        for index, score in enumerate(self.per_class):
            rows.append(
                f"{score.name:<{width}}  {score.precision:>9.3f}  {score.recall:>6.3f}  "
                f"{score.f1:>5.3f}  {score.images:>8}  {self._worst_confusion(index)}"
            )
        return rows

    def _worst_confusion(self, label: int) -> str:
        wrong = {i: count for i, count in enumerate(self.confusion[label]) if i != label and count}
        if not wrong:
            return ""
        worst = max(wrong, key=lambda index: wrong[index])
        return f"{self.per_class[worst].name} ({wrong[worst]})"


_FIGURES = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "weighted_f1",
    "cohen_kappa",
    "roc_auc",
    "mean_average_precision",
    "top_k",
    "top_k_accuracy",
)


def choose_top(top_k: int | None, *, task: Task, classes: int) -> int | None:
    """Settle among how many likeliest classes the true one is looked for.

    Args:
        top_k: So many; None leaves it to the number of classes.
        task: What the scores are of.
        classes: How many classes there are.

    Returns:
        So many; by default 5 where there are more classes than these, else None, which is not at all.

    Raises:
        SettingError: It is none that tells anything of so many classes, or the scores are of another task.

    >>> choose_top(None, task="single_label", classes=10), choose_top(None, task="single_label", classes=5)
    (5, None)
    """
    if top_k is None:
        return _TOP if task == "single_label" and classes > _TOP else None
    if task != "single_label":
        raise SettingError(f"top_k is for one label a picture, not {task}; leave it out.")
    if not 1 <= top_k < classes:
        raise SettingError(f"top_k must be in 1..{classes - 1}, fewer than there are classes, got {top_k}.")
    return top_k


def judge_single_label(predictions: Predictions, *, top_k: int | None = None) -> Report:
    """Compare the likeliest classes with the true ones.

    Args:
        predictions: Scores with labels, one picture at least.
        top_k: As ``choose_top`` returns it.

    Returns:
        The report. A class that no picture shows does not count in the mean; one that is never predicted
        counts as 0.
    """
    truth, said = np.asarray(predictions.labels), predictions.scores.argmax(axis=1)
    everything = list(range(len(predictions.classes)))
    scores = _class_scores(predictions, truth, said)
    shown = [score for score in scores if score.images]
    confusion = sklearn.metrics.confusion_matrix(truth, said, labels=everything)
    shows = truth[:, np.newaxis] == np.arange(len(everything))
    return Report(
        accuracy=float(sklearn.metrics.accuracy_score(truth, said)),
        balanced_accuracy=float(np.mean([score.recall for score in shown])),
        macro_f1=float(np.mean([score.f1 for score in shown])),
        weighted_f1=float(sklearn.metrics.f1_score(truth, said, average="weighted", zero_division=0.0)),
        cohen_kappa=_kappa(truth, said),
        roc_auc=mean_of_known([score.roc_auc for score in scores]),
        mean_average_precision=float(np.mean([score.average_precision for score in shown])),
        top_k=top_k,
        top_k_accuracy=float(_in_top(predictions.scores, truth, top_k).mean()) if top_k else None,
        per_class=scores,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        calibration=judge_reliability(predictions),
        intervals=intervals_of(_measure(predictions, top_k), len(truth)),
        subgroups=subgroups_of(predictions, "accuracy", _decisions),
        roc_curves=roc_curves(predictions.classes, shows, predictions.scores),
        precision_recall_curves=precision_recall_curves(predictions.classes, shows, predictions.scores),
        tta=gain_of(predictions, "accuracy", _decisions),
        predictions=predictions,
    )


def _class_scores(
    predictions: Predictions, truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]
) -> tuple[ClassScore, ...]:
    everything = list(range(len(predictions.classes)))
    columns = sklearn.metrics.precision_recall_fscore_support(
        truth, said, labels=everything, zero_division=0.0
    )
    return tuple(
        ClassScore(
            name,
            float(precision),
            float(recall),
            float(f1),
            roc_auc(truth == label, predictions.scores[:, label]),
            average_precision(truth == label, predictions.scores[:, label]),
            int(count),
        )
        for label, (name, precision, recall, f1, count) in enumerate(
            zip(predictions.classes, *columns, strict=True)
        )
    )


def _kappa(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float | None:
    """Return it, or None where scikit-learn would divide by 0."""
    if len(np.unique(np.concatenate((truth, said)))) < 2:
        return None
    return float(sklearn.metrics.cohen_kappa_score(truth, said))


def _in_top(
    scores: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], top_k: int
) -> npt.NDArray[np.bool_]:
    """Say of which pictures the class is among the likeliest, as scikit-learn's top-k accuracy has it."""
    likeliest = np.argsort(scores, axis=1, kind="stable")[:, -top_k:]
    return np.asarray((likeliest == truth[:, np.newaxis]).any(axis=1))


def _decisions(predictions: Predictions) -> Measure:
    truth, said = np.asarray(predictions.labels).astype(np.int64), predictions.scores.argmax(axis=1)
    return lambda weights: decision_figures(truth, said, weights, classes=len(predictions.classes))


def _measure(predictions: Predictions, top_k: int | None) -> Measure:
    truth = np.asarray(predictions.labels).astype(np.int64)
    decisions, reliability = _decisions(predictions), reliability_measure(predictions)
    shows = truth[:, np.newaxis] == np.arange(len(predictions.classes))
    in_top = _in_top(predictions.scores, truth, top_k).astype(np.float32) if top_k else None

    def measure(weights: Weights) -> dict[str, Values]:
        figures = {
            **decisions(weights),
            **mean_orderings(shows, predictions.scores, weights),
            **reliability(weights),
        }
        if in_top is not None:
            figures["top_k_accuracy"] = in_top @ weights / weights.sum(axis=0, dtype=np.float64)
        return figures

    return measure

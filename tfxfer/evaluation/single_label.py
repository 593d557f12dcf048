"""One class a picture: accuracy, per-class figures, confusions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sklearn.metrics

from tfxfer.contracts import Figure, Predictions

__all__ = ["ClassScore", "Report", "judge_single_label"]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is told from the others.

    Attributes:
        name: The class.
        precision: Of the pictures called this class, the share that are; in 0..1.
        recall: Of the pictures of this class, the share called so; in 0..1.
        f1: Harmonic mean of the two; in 0..1.
        images: Pictures of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """How good a model is on some pictures; printed, it is a table.

    Attributes:
        accuracy: Share of pictures with the right label, in 0..1.
        macro_f1: Mean of the classes' F1, in 0..1.
        per_class: One entry a class, in the order of the scores.
        confusion: Pictures by true class (row) and predicted class (column).
        predictions: What it was made from.
    """

    accuracy: float
    macro_f1: float
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: accuracy."""
        return Figure("accuracy", self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "per_class": [asdict(score) for score in self.per_class],
            "confusion": [list(row) for row in self.confusion],
        }

    def __str__(self) -> str:
        width = max(len(score.name) for score in self.per_class)
        width = max(width, len("class"))
        images = sum(score.images for score in self.per_class)
        rows = [
            f"accuracy {self.accuracy:.1%} on {images} pictures, macro F1 {self.macro_f1:.3f}",
            "",
            f"{'class':<{width}}  precision  recall     F1  pictures  most often taken for",
        ]
        for index, score in enumerate(self.per_class):
            rows.append(
                f"{score.name:<{width}}  {score.precision:>9.3f}  {score.recall:>6.3f}  "
                f"{score.f1:>5.3f}  {score.images:>8}  {self._worst_confusion(index)}"
            )
        return "\n".join(row.rstrip() for row in rows)

    def _worst_confusion(self, label: int) -> str:
        wrong = {i: count for i, count in enumerate(self.confusion[label]) if i != label and count}
        if not wrong:
            return ""
        worst = max(wrong, key=lambda index: wrong[index])
        return f"{self.per_class[worst].name} ({wrong[worst]})"


def judge_single_label(predictions: Predictions) -> Report:
    """Compare the likeliest classes with the true ones.

    Args:
        predictions: Scores with labels, one picture at least.

    Returns:
        The report. A class that no picture shows does not count in the mean; one that is never predicted
        counts as 0.
    """
    truth, said = np.asarray(predictions.labels), predictions.scores.argmax(axis=1)
    everything = list(range(len(predictions.classes)))
    precision, recall, f1, images = sklearn.metrics.precision_recall_fscore_support(
        truth, said, labels=everything, zero_division=0.0
    )
    confusion = sklearn.metrics.confusion_matrix(truth, said, labels=everything)
    present = images > 0
    return Report(
        accuracy=float(np.mean(truth == said)),
        macro_f1=float(np.mean(f1[present])),
        per_class=tuple(
            ClassScore(name, float(p), float(r), float(f), int(count))
            for name, p, r, f, count in zip(predictions.classes, precision, recall, f1, images, strict=True)
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        predictions=predictions,
    )

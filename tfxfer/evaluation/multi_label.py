"""Any number of classes a picture: per-class figures, their means, and pictures that are wholly right."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

from tfxfer.contracts import LABEL_THRESHOLD, Figure, Predictions

__all__ = ["LabelScore", "MultiLabelReport", "judge_multi_label"]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well it is told whether pictures show one class.

    Attributes:
        name: The class.
        precision: Of the pictures given this label, the share that show it; in 0..1.
        recall: Of the pictures that show it, the share given the label; in 0..1.
        f1: Harmonic mean of the two; in 0..1.
        average_precision: Precision over all thresholds, weighted by the recall each adds; in 0..1.
        images: Pictures that show it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    average_precision: float
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class MultiLabelReport:
    """How good a model of several labels is on some pictures; printed, it is a table.

    A label is given where its probability is 0.5 or more.

    Attributes:
        mean_average_precision: Mean of the classes' average precision, in 0..1.
        macro_f1: Mean of the classes' F1, in 0..1.
        micro_f1: F1 of all labels of all pictures together, in 0..1.
        subset_accuracy: Share of pictures with every label right, in 0..1.
        per_class: One entry a class, in the order of the scores.
        predictions: What it was made from.
    """

    mean_average_precision: float
    macro_f1: float
    micro_f1: float
    subset_accuracy: float
    per_class: tuple[LabelScore, ...]
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: mean average precision."""
        return Figure("mean_average_precision", self.mean_average_precision)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {
            "mean_average_precision": self.mean_average_precision,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "subset_accuracy": self.subset_accuracy,
            "threshold": LABEL_THRESHOLD,
            "per_class": [asdict(score) for score in self.per_class],
        }

    def __str__(self) -> str:
        width = max(len(name) for name in ("class", *(score.name for score in self.per_class)))
        rows = [
            f"mean average precision {self.mean_average_precision:.3f} on {len(self.predictions.files)} "
            f"pictures, macro F1 {self.macro_f1:.3f}, micro F1 {self.micro_f1:.3f}, "
            f"every label right on {self.subset_accuracy:.1%}",
            "",
            f"{'class':<{width}}  precision  recall     F1  average precision  pictures",
        ]
        for score in self.per_class:
            rows.append(
                f"{score.name:<{width}}  {score.precision:>9.3f}  {score.recall:>6.3f}  {score.f1:>5.3f}  "
                f"{score.average_precision:>17.3f}  {score.images:>8}"
            )
        return "\n".join(rows)


def judge_multi_label(predictions: Predictions) -> MultiLabelReport:
    """Compare labels that are given with the true ones, and probabilities at all thresholds.

    Args:
        predictions: Scores with labels, one picture at least.

    Returns:
        The report. A class that no picture shows counts as 0, and not in the means; one that is never given
        counts as 0. Where no picture shows any, the means are 0.
    """
    truth = np.asarray(predictions.labels).astype(np.int64)
    given = (predictions.scores >= LABEL_THRESHOLD).astype(np.int64)
    everything = list(range(len(predictions.classes)))
    precision, recall, f1, images = (
        np.array(column)
        for column in zip(*(_told(truth[:, label], given[:, label]) for label in everything), strict=True)
    )
    average = np.array([_average_precision(truth[:, i], predictions.scores[:, i]) for i in everything])
    present = images > 0
    # Of the flattened table, since scikit-learn takes one column for a task of another kind.
    micro = sklearn.metrics.f1_score(truth.ravel(), given.ravel(), zero_division=0.0)
    columns = (predictions.classes, precision, recall, f1, average, images)
    return MultiLabelReport(
        mean_average_precision=float(np.mean(average[present])) if present.any() else 0.0,
        macro_f1=float(np.mean(f1[present])) if present.any() else 0.0,
        micro_f1=float(micro),
        subset_accuracy=float(np.mean((truth == given).all(axis=1))),
        per_class=tuple(
            LabelScore(name, float(p), float(r), float(f), float(area), int(count))
            for name, p, r, f, area, count in zip(*columns, strict=True)
        ),
        predictions=predictions,
    )


def _told(truth: npt.NDArray[np.int64], given: npt.NDArray[np.int64]) -> tuple[float, float, float, int]:
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
        truth, given, average="binary", zero_division=0.0
    )
    return precision, recall, f1, int(truth.sum())


def _average_precision(truth: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> float:
    """Return it, or 0 where no picture shows the class: scikit-learn does so too, but with a warning."""
    return float(sklearn.metrics.average_precision_score(truth, scores)) if truth.any() else 0.0

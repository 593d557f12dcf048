"""Any number of classes a picture: per-class figures, their means, and pictures that are wholly right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sklearn.metrics

from tfxfer.contracts import LABEL_THRESHOLD, Figure, Predictions
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
from tfxfer.evaluation.weighted.decisions import Values, Weights, f1_of, mean_of_shown
from tfxfer.evaluation.weighted.orderings import mean_orderings

__all__ = ["LabelScore", "MultiLabelReport", "judge_multi_label"]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well it is told whether pictures show one class.

    Attributes:
        name: The class.
        precision: Of the pictures given this label, the share that show it; in 0..1.
        recall: Of the pictures that show it, the share given the label; in 0..1.
        f1: Harmonic mean of the two; in 0..1.
        roc_auc: How often a picture that shows it gets a higher probability of it than one that does not, in
            0..1; None where all pictures show it, or none does.
        average_precision: Precision over all thresholds, weighted by the recall each adds; in 0..1.
        images: Pictures that show it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
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
        hamming_loss: Share of all labels of all pictures that are wrong, in 0..1.
        roc_auc: Mean of the classes' areas under the ROC curve; None where it is defined of none.
        per_class: One entry a class, in the order of the scores.
        calibration: How far probabilities mean what they say.
        intervals: Figure -> its 95 % interval, of all the above and of ``calibration``'s; as ``Interval``
            says.
        subgroups: The mean average precision of each group, where pictures have groups of ten pictures or
            more.
        roc_curves: One a class, but of those that all pictures show or none does.
        precision_recall_curves: One a class, but of those that no picture shows.
        tta: What test-time augmentation changes of the mean average precision; None where there was none.
        predictions: What it was made from.
    """

    mean_average_precision: float
    macro_f1: float
    micro_f1: float
    subset_accuracy: float
    hamming_loss: float
    roc_auc: float | None
    per_class: tuple[LabelScore, ...]
    calibration: Reliability
    intervals: Mapping[str, Interval]
    subgroups: tuple[Subgroup, ...]
    roc_curves: tuple[RocCurve, ...]
    precision_recall_curves: tuple[PrecisionRecallCurve, ...]
    tta: TTAGain | None
    predictions: Predictions

    @property
    def headline(self) -> Figure:
        """The figure that sums it up: mean average precision."""
        return Figure("mean_average_precision", self.mean_average_precision)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain lists, numbers and strings, ready for JSON."""
        return {
            **{name: getattr(self, name) for name in _FIGURES},
            "threshold": LABEL_THRESHOLD,
            "per_class": [asdict(score) for score in self.per_class],
            "calibration": self.calibration.to_dict(),
            "intervals": {name: interval._asdict() for name, interval in self.intervals.items()},
            "subgroups": [group.to_dict() for group in self.subgroups],
            "roc_curves": [curve.to_dict() for curve in self.roc_curves],
            "precision_recall_curves": [curve.to_dict() for curve in self.precision_recall_curves],
            "tta": None if self.tta is None else self.tta.to_dict(),
        }

    def __str__(self) -> str:
        return "\n".join(
            [
                f"mean average precision {self.mean_average_precision:.3f}"
                f"{printed(self.intervals, 'mean_average_precision', '.3f')} on "
                f"{len(self.predictions.files)} pictures, macro F1 {self.macro_f1:.3f}, "
                f"micro F1 {self.micro_f1:.3f}, every label right on {self.subset_accuracy:.1%}, "
                f"calibration error {self.calibration.expected_calibration_error:.3f}",
                *gain_rows(self.tta),
                "",
                *self._table(),
                *subgroup_rows(self.subgroups, "mean_average_precision", self.predictions),
                *explained(self.intervals),
            ]
        )

    def _table(self) -> list[str]:
        width = max(len(name) for name in ("class", *(score.name for score in self.per_class)))
        rows = [f"{'class':<{width}}  precision  recall     F1  average precision  pictures"]
        for score in self.per_class:
            rows.append(
                f"{score.name:<{width}}  {score.precision:>9.3f}  {score.recall:>6.3f}  {score.f1:>5.3f}  "
                f"{score.average_precision:>17.3f}  {score.images:>8}"
            )
        return rows


_FIGURES = ("mean_average_precision", "macro_f1", "micro_f1", "subset_accuracy", "hamming_loss", "roc_auc")


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
    scores = tuple(
        _label_score(name, truth[:, label], given[:, label], predictions.scores[:, label])
        for label, name in enumerate(predictions.classes)
    )
    shown = [score for score in scores if score.images]
    return MultiLabelReport(
        mean_average_precision=mean_of_known([score.average_precision for score in shown]) or 0.0,
        macro_f1=mean_of_known([score.f1 for score in shown]) or 0.0,
        # Of the flattened table, since scikit-learn takes one column for a task of another kind.
        micro_f1=float(sklearn.metrics.f1_score(truth.ravel(), given.ravel(), zero_division=0.0)),
        subset_accuracy=float(np.mean((truth == given).all(axis=1))),
        hamming_loss=float(sklearn.metrics.hamming_loss(truth.ravel(), given.ravel())),
        roc_auc=mean_of_known([score.roc_auc for score in scores]),
        per_class=scores,
        calibration=judge_reliability(predictions),
        intervals=intervals_of(_measure(predictions), len(truth)),
        subgroups=subgroups_of(predictions, "mean_average_precision", _orderings),
        roc_curves=roc_curves(predictions.classes, truth == 1, predictions.scores),
        precision_recall_curves=precision_recall_curves(predictions.classes, truth == 1, predictions.scores),
        tta=gain_of(predictions, "mean_average_precision", _orderings),
        predictions=predictions,
    )


def _label_score(
    name: str, truth: npt.NDArray[np.int64], given: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]
) -> LabelScore:
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
        truth, given, average="binary", zero_division=0.0
    )
    shows = truth.astype(bool)
    area, averaged = roc_auc(shows, scores), average_precision(shows, scores)
    return LabelScore(name, float(precision), float(recall), float(f1), area, averaged, int(truth.sum()))


def _orderings(predictions: Predictions) -> Measure:
    truth = np.asarray(predictions.labels).astype(bool)
    return lambda weights: mean_orderings(truth, predictions.scores, weights)


def _measure(predictions: Predictions) -> Measure:
    truth = np.asarray(predictions.labels).astype(bool)
    given = predictions.scores >= LABEL_THRESHOLD
    shown, said, both = (
        scipy.sparse.csr_array(each.T, dtype=np.float32) for each in (truth, given, truth & given)
    )
    orderings, reliability = _orderings(predictions), reliability_measure(predictions)
    whole, wrong = (truth == given).all(axis=1), (truth != given).mean(axis=1)

    def measure(weights: Weights) -> dict[str, Values]:
        total = weights.sum(axis=0, dtype=np.float64)
        of_truth, of_given, of_both = (np.asarray(each @ weights, np.float64) for each in (shown, said, both))
        f1 = f1_of(of_both, shown=of_truth, given=of_given)
        together = [each.sum(axis=0) for each in (of_both, of_truth, of_given)]
        return {
            **orderings(weights),
            "macro_f1": mean_of_shown(f1, of_truth),
            "micro_f1": f1_of(together[0], shown=together[1], given=together[2]),
            "subset_accuracy": whole.astype(np.float64) @ weights / total,
            "hamming_loss": wrong @ weights / total,
            **reliability(weights),
        }

    return measure

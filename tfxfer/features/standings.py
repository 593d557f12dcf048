"""Candidates side by side: what a comparison of backbones found, as values, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from tfxfer.backbones import write_count
from tfxfer.contracts import Task

__all__ = ["Estimate", "RankedBackbone", "Ranking"]

_MEASURES: dict[Task, str] = {
    "single_label": "accuracy",
    "multi_label": "mean average precision",
    "regression": "R²",
}
_MEASURED = "The probe measures these very pictures, with the backbone frozen."
_RELIABILITY = (
    "How far scores can be believed: over eight data sets, LogME and the H-score order networks as "
    f"fine-tuning does with a weighted Kendall's tau of 0.67 on average (TLlib, model selection). {_MEASURED}"
)


class Estimate(NamedTuple):
    """A score of some pictures, and where it would fall with pictures drawn anew.

    Attributes:
        value: Accuracy or mean average precision, in 0..1; R², at most 1; LogME or the H-score.
        low: Lower end of the 95 % interval; of accuracy by the bootstrap, else by the jackknife.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RankedBackbone:
    """One candidate.

    Attributes:
        name: Its name in the catalogue.
        probe: Cross-validated accuracy of a logistic regression on its frozen features; of several labels the
            mean average precision, of numbers R² of a ridge regression, its mean over them.
        neighbours: The same of the five nearest other pictures, or of their mean.
        log_me: LogME, in nats a picture and class or number; comparable between candidates alone.
        h_score: H-score, shrunk; None for several labels and for numbers.
        parameters: Parameters without the head.
        macs: Multiply-adds for a picture of its own size.
        size: Bytes of its ``.tflite`` file in float32; None where LiteRT cannot run it.
        latency: Seconds for one picture by LiteRT on one core of this machine; None likewise.
        on_front: Whether no other candidate is as fast and better by the probe.
    """

    name: str
    probe: Estimate
    neighbours: Estimate
    log_me: Estimate
    h_score: Estimate | None
    parameters: int
    macs: int
    size: int | None
    latency: float | None
    on_front: bool = False


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order.

    Attributes:
        entries: The best by the probe first.
        images: How many training pictures they were compared on.
        left_out: Name of a candidate that could not be compared -> why.
        task: What the pictures are for.
    """

    entries: tuple[RankedBackbone, ...]
    images: int
    left_out: Mapping[str, str]
    task: Task = "single_label"

    @property
    def measure(self) -> str:
        """What the probe and the neighbours are judged by."""
        return _MEASURES[self.task]

    def __str__(self) -> str:
        classes = self.task == "single_label"
        scores = f"{'backbone':<32}{'probe':>8}{'95 %':>16}{'5-NN':>8}{'LogME':>15}"
        scores += f"{'H-score' if classes else '':>{14 * classes}}"
        rows = [f"{scores}{'parameters':>13}{'MACs':>8}{'MB':>8}{'ms':>8}"]
        rows += [_row(entry, self.task) for entry in self.entries]
        rows += [f"{name}: left out, {why}" for name, why in self.left_out.items()]
        rows.append(f"{self.images:,} training pictures. *: none is as fast and better by the probe.")
        if classes:
            return "\n".join([*rows, _RELIABILITY])
        rows.append(f"Probe and 5-NN by {self.measure}; the H-score is of one class a picture, and left out.")
        return "\n".join([*rows, _MEASURED])

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        entries = [
            {
                name: value._asdict() if isinstance(value, Estimate) else value
                for name, value in asdict(entry).items()
            }
            for entry in self.entries
        ]
        about = {"task": self.task, "measure": self.measure, "images": self.images}
        return {**about, "backbones": entries, "left_out": dict(self.left_out)}


def _row(entry: RankedBackbone, task: Task) -> str:
    form = ".3f" if task == "regression" else ".1%"
    probe, interval = f"{entry.probe.value:{form}}", f"{entry.probe.low:{form}} to {entry.probe.high:{form}}"
    h_score = _with_margin(entry.h_score, 2).rjust(14) if entry.h_score else ""
    size = "-" if entry.size is None else f"{entry.size / 1e6:.1f}"
    latency = "-" if entry.latency is None else f"{1000 * entry.latency:.1f}"
    return (
        f"{entry.name + (' *' if entry.on_front else ''):<32}{probe:>8}{interval:>16}"
        f"{entry.neighbours.value:>8{form}}{_with_margin(entry.log_me, 3):>15}{h_score}"
        f"{entry.parameters:>13,}{write_count(entry.macs):>8}{size:>8}{latency:>8}"
    )


def _with_margin(score: Estimate, digits: int) -> str:
    return f"{score.value:.{digits}f} ±{score.high - score.value:.{digits}f}"

"""Candidates side by side: what a comparison of backbones found, as values, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

__all__ = ["Estimate", "RankedBackbone", "Ranking"]

_RELIABILITY = (
    "How far scores can be believed: over eight data sets, LogME and the H-score order networks as "
    "fine-tuning does with a weighted Kendall's tau of 0.67 on average (TLlib, model selection). The probe "
    "measures these very pictures, with the backbone frozen."
)


class Estimate(NamedTuple):
    """A score of some pictures, and where it would fall with pictures drawn anew.

    Attributes:
        value: A share in 0..1, LogME or the H-score.
        low: Lower end of the 95 % interval; of a share by the bootstrap, else by the jackknife.
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
        probe: Cross-validated accuracy of a logistic regression on its frozen features.
        neighbours: Accuracy of the five nearest other pictures.
        log_me: LogME, in nats a picture and class; comparable between candidates alone.
        h_score: H-score, shrunk.
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
    h_score: Estimate
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
    """

    entries: tuple[RankedBackbone, ...]
    images: int
    left_out: Mapping[str, str]

    def __str__(self) -> str:
        head = f"{'backbone':<32}{'probe':>8}{'95 %':>16}{'5-NN':>8}{'LogME':>15}{'H-score':>14}"
        rows = [f"{head}{'parameters':>13}{'MB':>8}{'ms':>8}"]
        rows += [_row(entry) for entry in self.entries]
        rows += [f"{name}: left out, {why}" for name, why in self.left_out.items()]
        rows.append(f"{self.images:,} training pictures. *: none is as fast and better by the probe.")
        return "\n".join([*rows, _RELIABILITY])

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        entries = [
            {
                name: value._asdict() if isinstance(value, Estimate) else value
                for name, value in asdict(entry).items()
            }
            for entry in self.entries
        ]
        return {"images": self.images, "backbones": entries, "left_out": dict(self.left_out)}


def _row(entry: RankedBackbone) -> str:
    interval = f"{entry.probe.low:.1%} to {entry.probe.high:.1%}"
    size = "-" if entry.size is None else f"{entry.size / 1e6:.1f}"
    latency = "-" if entry.latency is None else f"{1000 * entry.latency:.1f}"
    return (
        f"{entry.name + (' *' if entry.on_front else ''):<32}{entry.probe.value:>8.1%}{interval:>16}"
        f"{entry.neighbours.value:>8.1%}{_with_margin(entry.log_me, 3):>15}"
        f"{_with_margin(entry.h_score, 2):>14}{entry.parameters:>13,}"
        f"{size:>8}{latency:>8}"
    )


def _with_margin(score: Estimate, digits: int) -> str:
    return f"{score.value:.{digits}f} ±{score.high - score.value:.{digits}f}"

"""What came of writing a model in one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Artifact", "Comparison", "KnownComparison"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a written model says of held-out pictures, beside what the model itself does.

    Attributes:
        images: How many pictures.
        disagreements: On how many something else is said, but for what rounding alone decides.
        agreement: Share of pictures of which the same is said, in 0..1: the same label, all the same labels,
            or all numbers within 0.1 standard deviations.
        largest_difference: Largest difference of any probability; of numbers, in standard deviations of each.
        mean_difference: Mean of these differences.
        merit: What the written model reaches: of one label, the share of pictures with the right one, of
            several the share of labels that are right, both in 0..1; of numbers, the mean error in standard
            deviations, with a minus before it.
        merit_change: That, less what the model itself reaches.
        interval: Its 95 % interval, by a paired bootstrap over the pictures.
        class_changes: Class or number -> the same on its pictures alone, where there are any.
        class_intervals: Their 95 % intervals, likewise.
        calibration_error_change: The expected calibration error of the written model, less the model's own,
            as ``tfxfer.evaluation.Reliability`` has it; None of numbers, and where a score is none.
    """

    images: int
    disagreements: int
    agreement: float
    largest_difference: float
    mean_difference: float
    merit: float
    merit_change: float
    interval: tuple[float, float]
    class_changes: Mapping[str, float] = field(default_factory=dict)
    class_intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    calibration_error_change: float | None = None


@dataclass(frozen=True, slots=True)
class KnownComparison:
    """What a written model takes for none of the classes, beside what the model itself does.

    Attributes:
        images: How many pictures.
        disagreements: On how many it says otherwise, but for what rounding alone decides.
        agreement: Share of pictures of which the same is said, in 0..1.
        largest_difference: Largest difference of ``known``, in standard deviations over validation pictures.
        mean_difference: Mean of these differences.
        turned_away: How many of the pictures, each of which shows a class, it takes for none of the classes.
        refused: Why the file does not tell it; empty where it does.
    """

    images: int
    disagreements: int
    agreement: float
    largest_difference: float
    mean_difference: float
    turned_away: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One exported form of a model, loaded again and compared with it.

    Attributes:
        format: The name of one of ``tfxfer.exports.FORMATS``.
        path: The file, or the folder of a SavedModel; it is not there where the form was refused.
        size: Bytes on disk, or what they would have been.
        comparison: How it does beside the model; None where its runtime cannot load or run it, and it is
            refused.
        refused: Why it was not handed out; empty where it was.
        made: How, where there were several ways: by which converter, and how many operations stayed float.
        tried: What came of each way, the one that was taken last: its size, and on validation pictures its
            figures and the time that one takes.
        ranges_from: From how many training pictures the ranges of int8 and int16 were taken; 0 of others.
        known: How it does in telling what is none of the classes; None where the form or the model does not.
        files: How it does where it reads JPEG and PNG files itself; None where it takes pixels alone.
        accepted: What of it is past its bounds, where it was handed out all the same; else empty.
    """

    format: str
    path: Path
    size: int
    comparison: Comparison | None
    refused: str = ""
    made: str = ""
    tried: tuple[Mapping[str, Any], ...] = ()
    known: KnownComparison | None = None
    files: Comparison | None = None
    ranges_from: int = 0
    accepted: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is within the bounds of its form."""
        return not (self.refused or self.accepted)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON; ``accuracy`` is the comparison's ``merit``.

        Without a comparison, ``images`` is 0 and its other figures are None.
        """
        files = self.files
        return {
            "file": str(self.path),
            "bytes": self.size,
            **_figures(self.comparison),
            "known": None if self.known is None else asdict(self.known),
            "files_images": files.images if files else 0,
            "files_largest_difference": files.largest_difference if files else None,
            "made": self.made,
            "ranges_from": self.ranges_from,
            "tried": [dict(trial) for trial in self.tried],
            "passed": self.passed,
            "refused": self.refused,
            "accepted": self.accepted,
        }


def _figures(found: Comparison | None) -> dict[str, Any]:
    return {
        "images": found.images if found else 0,
        "agreement": found and found.agreement,
        "accuracy": found and found.merit,
        "accuracy_change": found and found.merit_change,
        "accuracy_change_interval": found and list(found.interval),
        "class_changes": found and dict(found.class_changes),
        "class_change_intervals": found
        and {name: list(ends) for name, ends in found.class_intervals.items()},
        "calibration_error_change": found and found.calibration_error_change,
        "disagreements": found and found.disagreements,
        "largest_difference": found and found.largest_difference,
        "mean_difference": found and found.mean_difference,
    }

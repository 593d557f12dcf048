"""The better of two converters' files; where they fall short, with the worst operations in float32."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import Task
from tfxfer.errors import BundleError
from tfxfer.exports.artifact import Comparison
from tfxfer.exports.known import KnownYardstick
from tfxfer.exports.litert import LiteRTModel, Outputs
from tfxfer.exports.parity import Bounds, Yardstick
from tfxfer.exports.quantizing.quantizer import Operation, Quantizer

__all__ = ["Referee", "Trial", "best_float16", "best_int8", "best_int16x8"]

_AIM: dict[Task, float] = {"single_label": 0.01, "multi_label": 0.01, "regression": 0.03}
"""The mean difference, of probabilities or in standard deviations, up to which int8 is left as it is."""
_BUDGET = 0.5
"""Share of the float32 file that one with float operations may take."""
_LARGER = 1.1
"""Of float16 files, the nearer one may be so many times as large as the other."""
_QUANTIZER = "ai-edge-quantizer"
_SMALL = 0.01
"""Share of the file below which it does not matter how much int8 saves in an operation."""
_STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32)
"""How many operations stay float, one attempt after the other."""
_MEASURED = 32
"""Pictures by which operations are compared: each is a file of its own, that all of these go through."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One file that was tried.

    Attributes:
        model: What the file is to hold.
        by: What made it.
        floating: The operations that stayed float.
        found: How it does on the validation pictures; None where LiteRT cannot load or run it.
        complaint: What of it is past its bounds there, or why it does not run.
        milliseconds: Median time of a picture on one thread; None likewise.
        healthy: Whether nothing is to be treated.
    """

    model: bytes
    by: str
    floating: tuple[Operation, ...]
    found: Comparison | None
    complaint: str
    milliseconds: float | None
    healthy: bool

    @property
    def rank(self) -> tuple[bool, float]:
        """What is larger for the better one; accuracy on few pictures says less than differences do."""
        return (not self.complaint, -self.found.mean_difference if self.found else -math.inf)

    def __str__(self) -> str:
        count = len(self.floating)
        kinds = f", {count} operation{'s' * (count != 1)} in float32" if count else ""
        return f"{self.by}{kinds}"

    def to_dict(self) -> dict[str, Any]:
        """Return its figures as plain values, ready for JSON; of what does not run there are none."""
        return {
            "made": str(self),
            "bytes": len(self.model),
            "accuracy": self.found and self.found.merit,
            "agreement": self.found and self.found.agreement,
            "mean_difference": self.found and self.found.mean_difference,
            "milliseconds": self.milliseconds,
            "fails": "" if self.found else self.complaint,
            "floating": [f"{each.kind} {each.output}" for each in self.floating],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Referee:
    """What files that are tried are held against.

    Attributes:
        images: Validation pictures, shape (pictures, height, width, 3), uint8.
        yardstick: What the model says of them.
        bounds: What counts as holding up.
        known: What it says of whether they show any of the classes; None where it does not.
    """

    images: npt.NDArray[np.uint8]
    yardstick: Yardstick
    bounds: Bounds
    known: KnownYardstick | None = None

    def tried(self, model: bytes, by: str, floating: Sequence[Operation] = ()) -> Trial:
        """Run a file on the pictures.

        Args:
            model: What it holds.
            by: What made it.
            floating: The operations that stayed float.
        """
        try:
            said, milliseconds = _timed_outputs(model, self.images)
        except BundleError as error:
            return Trial(model, by, tuple(floating), None, f"does not run ({error})", None, False)
        found = self.yardstick.compare(np.stack([each.scores for each in said]))
        complaint = self.yardstick.complaint(found, self.bounds)
        if self.known is not None:
            telling = self.known.compare(np.array([each.known for each in said], np.float32))
            complaint = complaint or self.known.complaint(telling, self.bounds)
        healthy = not complaint and found.mean_difference <= _AIM[self.yardstick.task]
        return Trial(model, by, tuple(floating), found, complaint, milliseconds, healthy)


def best_float16(referee: Referee, *, by_tensorflow: bytes, by_quantizer: bytes) -> list[Trial]:
    """Try both files, and take the nearer one, unless it does not run or is more than a tenth larger.

    Returns:
        Both, the better last.
    """
    trials = [
        referee.tried(by_tensorflow, "TensorFlow"),
        referee.tried(by_quantizer, _QUANTIZER),
    ]
    most = _LARGER * min(len(trial.model) for trial in trials)
    return sorted(trials, key=lambda trial: (trial.found is not None, len(trial.model) <= most, trial.rank))


def best_int8(
    referee: Referee, by_tensorflow: Callable[[], bytes], quantizer: Quantizer, *, largest: int
) -> list[Trial]:
    """Try both converters, then the first operations in float32, then one after the other until it holds up.

    Those first which, as the only one in int8, change the scores most for the bytes they save. (The error of
    each tensor in a network that is int8 throughout, as ai-edge-quantizer tells it, is that of all operations
    in front of it too: on two MobileNets, 20 operations left float by it gained less than 6 by this.)

    Args:
        referee: Holds them against the model.
        by_tensorflow: Makes an int8 file by TensorFlow's converter.
        quantizer: Makes them by ai-edge-quantizer.
        largest: Bytes of the float32 file, of which at most half are spent, beside what is float in any case.

    Returns:
        All that was tried, the best last.
    """
    trials = [
        referee.tried(by_tensorflow(), "TensorFlow"),
        referee.tried(quantizer.quantized(), _QUANTIZER),
    ]
    if quantizer.first and not any(trial.healthy for trial in trials):
        trials.append(referee.tried(quantizer.quantized(quantizer.first), _QUANTIZER, quantizer.first))
    if not any(trial.healthy for trial in trials):
        some = slice(None, None, -(-len(referee.images) // _MEASURED))  # evenly: they are sorted by class
        worst = _by_effect(quantizer, referee.images[some], referee.yardstick.expected[some])
        for count in (step for step in _STEPS if step <= len(worst)):
            model = quantizer.quantized(worst[:count])
            if len(model) - quantizer.apart > _BUDGET * (largest - quantizer.apart):
                break
            trials.append(referee.tried(model, _QUANTIZER, worst[:count]))
            if trials[-1].healthy:
                break
    return sorted(trials, key=lambda trial: trial.rank)


def best_int16x8(referee: Referee, quantizer: Quantizer) -> list[Trial]:
    """Try the file, and where it is past its bounds, one whose first operations stay float.

    Its error is that of int8 weights, to three digits: it is large where the first operations' are uneven.

    Returns:
        All that was tried, the best last.
    """
    trials = [referee.tried(quantizer.quantized(), _QUANTIZER)]
    if quantizer.first and trials[0].complaint:
        trials.append(referee.tried(quantizer.quantized(quantizer.first), _QUANTIZER, quantizer.first))
    return sorted(trials, key=lambda trial: trial.rank)


def _by_effect(
    quantizer: Quantizer, images: npt.NDArray[np.uint8], expected: npt.NDArray[np.float32]
) -> list[Operation]:
    """Return operations by how much each, alone in int8, changes the scores for the bytes it saves."""
    everything = quantizer.operations
    whole = len(quantizer.quantized(everything))

    def harm(operation: Operation) -> float:
        alone = quantizer.quantized([each for each in everything if each != operation])
        try:
            effect = float(np.abs(LiteRTModel(alone).all_scores(images) - expected).mean())
        except BundleError:  # in int8 it does not run at all
            return math.inf
        saved = max(whole - len(alone), _SMALL * whole)
        return math.inf if math.isnan(effect) else effect / saved

    harms = {operation: harm(operation) for operation in everything}
    return sorted(everything, key=lambda each: harms[each], reverse=True)


def _timed_outputs(model: bytes, images: npt.NDArray[np.uint8]) -> tuple[list[Outputs], float]:
    runner = LiteRTModel(model, threads=1)
    said, seconds = [], []
    for image in images:
        started = time.perf_counter()
        said.append(runner.outputs(image))
        seconds.append(time.perf_counter() - started)
    return said, 1000 * float(np.median(seconds))

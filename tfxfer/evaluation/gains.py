"""What test-time augmentation changes, picture by picture, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tfxfer.augment import view_count
from tfxfer.contracts import Predictions
from tfxfer.evaluation.intervals import Interval, Measure, intervals_of

__all__ = ["TTAGain", "gain_of", "gain_rows"]


@dataclass(frozen=True, slots=True)
class TTAGain:
    """How much better or worse the mean over a picture's views is than the picture alone; prints as a line.

    Attributes:
        views: Which views there are beside the picture, as ``evaluate`` takes them.
        count: How many a picture is seen in, itself included.
        figure: The report's headline figure, of which all the others are.
        value: With test-time augmentation.
        without: Of the pictures alone.
        change: The former, less the latter.
        interval: The 95 % interval of the change, by the paired bootstrap: both are judged on the same
            pictures, drawn anew; None of one picture alone.
    """

    views: tuple[str, ...]
    count: int
    figure: str
    value: float
    without: float
    change: float
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        interval = None if self.interval is None else self.interval._asdict()
        return {**asdict(self), "views": list(self.views), "interval": interval}

    def __str__(self) -> str:
        interval = "" if self.interval is None else " [{:+z.3f}, {:+z.3f}]".format(*self.interval)
        return (
            f"test-time augmentation by {' and '.join(self.views)}, {self.count} views a picture: "
            f"{self.figure.replace('_', ' ')} {self.value:.3f} instead of {self.without:.3f}, change "
            f"{self.change:+z.3f}{interval}"
        )


def gain_of(
    predictions: Predictions, figure: str, measure: Callable[[Predictions], Measure]
) -> TTAGain | None:
    """Compare what is said with test-time augmentation with what is said without.

    Args:
        predictions: Scores with labels, and what is said of the pictures alone.
        figure: Name of the figure.
        measure: Makes of some predictions what computes that figure.

    Returns:
        The gain, or None where there is no test-time augmentation. A figure that is undefined counts as 0.
    """
    if predictions.plain is None:
        return None
    ours, theirs = measure(predictions), measure(replace(predictions, scores=predictions.plain))
    images = len(predictions.files)
    one = np.ones((images, 1), np.float32)
    value, without = (float(np.nan_to_num(each(one)[figure][0])) for each in (ours, theirs))
    change = intervals_of(lambda weights: {figure: ours(weights)[figure] - theirs(weights)[figure]}, images)
    return TTAGain(
        predictions.tta,
        view_count(predictions.tta),
        figure,
        value,
        without,
        value - without,
        change.get(figure),
    )


def gain_rows(gain: TTAGain | None) -> list[str]:
    """Return what is printed of a gain, or nothing where there is none."""
    return [] if gain is None else [str(gain)]

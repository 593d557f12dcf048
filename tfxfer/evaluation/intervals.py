"""Where figures would fall with pictures drawn anew: percentile intervals by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np

from tfxfer.evaluation.weighted.decisions import Values, Weights

__all__ = ["Interval", "Measure", "explained", "intervals_of", "printed"]

_RESAMPLES = 1000
_AT_ONCE = 10_000_000  # counts of pictures, 40 MB


class Interval(NamedTuple):
    """The ends of a 95 % interval, in the figure's own unit.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float


Measure: TypeAlias = Callable[[Weights], Mapping[str, Values]]
"""Weights of shape (pictures, weightings) -> figures by name, of shape (weightings,), NaN where undefined."""


def intervals_of(measure: Measure, pictures: int, *, seed: int = 0) -> dict[str, Interval]:
    """Return the intervals that hold 95 % of figures of as many pictures, drawn anew with replacement.

    A picture counts as often as it is drawn, in 1,000 draws; where pictures are not independent of one
    another, as several of one patient are not, the truth is wider.

    Args:
        measure: What is computed.
        pictures: How many there are.
        seed: Seed of the draws.

    Returns:
        Figure -> interval. One picture alone has none, nor has a figure that no draw defines; draws that
        leave it undefined do not count.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13: the percentile interval.

    >>> found = intervals_of(lambda weights: {"share": weights[:30].sum(axis=0) / weights.sum(axis=0)}, 100)
    >>> round(found["share"].low, 2), round(found["share"].high, 2)
    (0.22, 0.39)
    """
    if pictures < 2:
        return {}
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[Values]] = {}
    for at_once in _portions(pictures):
        picked = generator.integers(0, pictures, (at_once, pictures)) * at_once + np.arange(at_once)[:, None]
        counts = np.bincount(picked.ravel(), minlength=pictures * at_once).astype(np.float32)
        for name, values in measure(counts.reshape(pictures, at_once)).items():
            drawn.setdefault(name, []).append(values)
    found = {}
    for name, portions in drawn.items():
        values = np.concatenate(portions)
        if len(defined := values[np.isfinite(values)]):
            low, high = np.quantile(defined, (0.025, 0.975))
            found[name] = Interval(float(low), float(high))
    return found


def printed(intervals: Mapping[str, Interval], figure: str, form: str) -> str:
    """Return what is printed behind a figure: its interval in brackets, or nothing where it has none.

    >>> printed({"accuracy": Interval(0.9, 1)}, "accuracy", ".0%")
    ' [90%, 100%]'
    """
    if figure not in intervals:
        return ""
    low, high = intervals[figure]
    return f" [{low:{form}}, {high:{form}}]"


def explained(intervals: Mapping[str, Interval]) -> list[str]:
    """Return what is printed below figures with intervals."""
    return ["", "[ ]: the 95 % interval, by the bootstrap over pictures."] if intervals else []


def _portions(pictures: int) -> list[int]:
    most = max(1, _AT_ONCE // pictures)
    whole, rest = divmod(_RESAMPLES, most)
    return [most] * whole + [rest] * bool(rest)

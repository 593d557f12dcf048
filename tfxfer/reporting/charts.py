"""Charts as coordinates, which a page draws as SVG: its text and colours are the page's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfxfer.data import data_uri
from tfxfer.explaining import viridis

__all__ = ["LARGEST_TABLE", "confusion_chart", "curve_charts", "reliability_chart", "training_charts"]

LARGEST_TABLE = 25
"""With more classes than these, a confusion matrix is a picture, and no table."""

_FEW = 10
"""What so few say is mostly chance, and they are drawn hollow."""

_CURVES = 10
"""So many classes have their curves drawn, those that are told worst."""

_WIDTH, _HEIGHT, _SIDE = 640, 270, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 22, 24, 44


def training_charts(training: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Draw the losses of a fit, and below them its metric on validation, phase after phase.

    Args:
        training: As the card has it, or None.
    """
    if training is None:
        return []
    first = training["phases"][0]["history"]
    metric = next((name for name in first if name.startswith("val_") and not name.endswith("loss")), None)
    charts = [_epochs("Loss", training, {"training": "loss", "validation": "val_loss"})]
    if metric:
        title = f"{metric.removeprefix('val_').replace('_', ' ').capitalize()} on validation"
        charts.append(_epochs(title, training, {"validation": metric}))
    return charts


@dataclass(frozen=True)
class _Frame:
    """Where epochs and values lie in a chart.

    Attributes:
        epochs: How many there are.
        ticks: Values, ascending, of which the first is at the floor and the last at the top.
    """

    epochs: int
    ticks: Sequence[float]

    def x(self, epoch: float) -> float:
        return _LEFT + (epoch - 0.5) / self.epochs * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def points(self, values: Sequence[float | None], start: int) -> list[tuple[float, float]]:
        """Place values one epoch after the other; what was no number is left out."""
        placed = enumerate(values, start=start + 1)
        return [(self.x(epoch), self.y(value)) for epoch, value in placed if value is not None]

    def axes(self) -> dict[str, Any]:
        return {
            "width": _WIDTH,
            "height": _HEIGHT,
            "left": _LEFT,
            "right": _WIDTH - _RIGHT,
            "floor": _HEIGHT - _BOTTOM,
            "top": _TOP,
            "rows": [{"y": self.y(tick), "text": f"{tick:.4g}"} for tick in self.ticks],
            "columns": [{"x": self.x(epoch), "text": str(epoch)} for epoch in _whole(self.epochs)],
        }


def _epochs(title: str, training: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Draw some figures, role -> name in the history, of all phases side by side."""
    phases = training["phases"]
    starts = [0, *accumulate(len(phase["history"]["val_loss"]) for phase in phases)]
    told = [value for phase in phases for name in names.values() for value in phase["history"].get(name, ())]
    numbers = [value for value in told if value is not None]
    frame = _Frame(starts[-1], _ticks(min(numbers, default=0.0), max(numbers, default=1.0)))
    lines, dots = [], []
    for role, name in names.items():
        for phase, start in zip(phases, starts, strict=False):
            values = phase["history"].get(name, ())
            lines.append({"role": role, "points": frame.points(values, start)})
            if phase["name"] == training["kept"] and role == "validation":
                best = phase["best_epoch"]
                dots += frame.points(values[best - 1 : best], start + best - 1)
    return {
        **frame.axes(),
        "title": title,
        "roles": list(names),
        "phases": [
            {"x": frame.x(start + 0.5), "name": phase["name"]}
            for phase, start in zip(phases, starts, strict=False)
        ],
        "lines": lines,
        "dots": dots,
        "alt": _epochs_told(title, training, names),
    }


def _epochs_told(title: str, training: Mapping[str, Any], names: Mapping[str, str]) -> str:
    told = []
    for phase in training["phases"]:
        for role, name in names.items():
            values = [value for value in phase["history"].get(name, ()) if value is not None]
            if values:
                told.append(f"phase {phase['name']}, {role}: from {values[0]:.3g} to {values[-1]:.3g}")
    return f"{title}, epoch by epoch; {'; '.join(told)}."


def reliability_chart(calibration: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Draw how often what is said comes true, beside how surely it is said."""
    if calibration is None:
        return None
    plot = _SIDE - _LEFT - _RIGHT
    bars = [
        {
            "x": _LEFT + each["low"] * plot + 1,
            "width": (each["high"] - each["low"]) * plot - 2,
            "y": _TOP + (1 - each["accuracy"]) * plot,
            "height": each["accuracy"] * plot,
            "few": each["count"] < _FEW,
            "mark": _TOP + (1 - each["confidence"]) * plot,
            "alt": f"said with {each['confidence']:.1%}: right {each['accuracy']:.1%} of {each['count']:,}",
        }
        for each in calibration["bins"]
        if each["count"]
    ]
    alt = f"Reliability diagram; {'; '.join(bar['alt'] for bar in bars)}."
    return {**_square(), "bars": bars, "alt": alt}


def curve_charts(test: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Draw ROC and precision-recall curves of the classes that are told worst, the first two in colour.

    Args:
        test: The report's ``to_dict()``.
    """
    shown = [each for each in test.get("per_class", ()) if each["images"]]
    worst = sorted(shown, key=lambda each: each["average_precision"])[:_CURVES]
    ways = (
        ("ROC", "roc_curves", "roc_auc", ("false_positive_rate", "true_positive_rate")),
        ("Precision-recall", "precision_recall_curves", "average_precision", ("recall", "precision")),
    )
    charts = []
    for title, key, area, axes in ways:
        known = {each["name"]: each for each in test.get(key, ())}
        drawn = [(each["name"], each[area], known[each["name"]]) for each in worst if each["name"] in known]
        lines = [
            {"name": name, "area": value, "points": _placed(*(curve[axis] for axis in axes))}
            for name, value, curve in drawn
        ]
        if lines:
            told = ", ".join(f"{line['name']} {line['area']:.3f}" for line in lines)
            alt = f"{title} curves; areas below them: {told}."
            names = [axis.replace("_", " ") for axis in axes]
            charts.append({**_square(), "title": title, "axes": names, "lines": lines, "alt": alt})
    return charts


def _placed(across: Sequence[float], up: Sequence[float]) -> list[tuple[float, float]]:
    """Place shares in a square."""
    plot = _SIDE - _LEFT - _RIGHT
    return [(_LEFT + x * plot, _TOP + (1 - y) * plot) for x, y in zip(across, up, strict=True)]


def _square() -> dict[str, Any]:
    """Return where the axes of a square chart of shares are."""
    plot, ticks = _SIDE - _LEFT - _RIGHT, (0, 0.25, 0.5, 0.75, 1)
    return {
        "size": _SIDE,
        "height": _TOP + plot + _BOTTOM,
        "left": _LEFT,
        "right": _LEFT + plot,
        "top": _TOP,
        "floor": _TOP + plot,
        "rows": [{"y": _TOP + (1 - tick) * plot, "text": f"{tick:.0%}"} for tick in ticks],
        "columns": [{"x": _LEFT + tick * plot, "text": f"{tick:.0%}"} for tick in ticks],
    }


def confusion_chart(test: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any] | None:
    """Colour a confusion matrix by the share of each row: a table, or a picture where it would be too large.

    Returns:
        ``rows`` of cells with ``count``, ``ground`` and ``ink`` (colours); or ``data``, a PNG as a
        data URI; None where there is no matrix.
    """
    if "confusion" not in test:
        return None
    counts = np.array(test["confusion"], np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # The square root, so that rare confusions show beside the diagonal.
    colours = viridis((1 - np.sqrt(shares)).astype(np.float32))
    if len(classes) > LARGEST_TABLE:
        colours[counts == 0] = 255
        scale = max(1, 600 // len(classes))
        enlarged = np.kron(colours, np.ones((scale, scale, 1), np.uint8))
        return {"data": data_uri(Image.fromarray(enlarged), form="PNG"), "side": scale * len(classes)}
    cells = [
        [{"count": int(count), **_colours(colour)} for count, colour in zip(*row, strict=True)]
        for row in zip(counts, colours, strict=True)
    ]
    return {"rows": [{"name": name, "cells": row} for name, row in zip(classes, cells, strict=True)]}


def _colours(ground: npt.NDArray[np.uint8]) -> dict[str, str]:
    """Return a ground, and black or white ink, whichever is further from it: 4.5 to 1 at least."""
    red, green, blue = (_linear(int(value) / 255) for value in ground)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # WCAG 2: (lighter + 0.05) / (darker + 0.05), equal for black and white at 0.179.
    ink = "#000" if luminance > 0.179 else "#fff"
    return {"ground": "#" + "".join(f"{value:02x}" for value in ground), "ink": ink}


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Return round numbers, evenly apart, the first and last of which hold a range.

    >>> _ticks(0.03, 0.97)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> _ticks(2.0, 2.0)
    [2.0, 3.0]
    """
    span = high - low
    if span <= abs(high) * 1e-9:
        return [low, low + 1]
    scale = 10.0 ** math.floor(math.log10(span))
    for step in (scale * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < most:
            return [round(place * step, 12) for place in range(first, last + 1)]
    raise AssertionError("ten times a range's own scale holds it")


def _whole(count: int, *, most: int = 10) -> list[int]:
    """Return which of ``count`` epochs are numbered.

    >>> _whole(28)
    [1, 5, 10, 15, 20, 25]
    """
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, count) if count / step <= most)
    return [1, *range(max(step, 2), count + 1, step)] if step > 1 else list(range(1, count + 1))

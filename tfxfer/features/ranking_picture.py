"""A ranking as a scatter picture: what the probe reaches against latency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfxfer import runtime
from tfxfer.errors import SettingError
from tfxfer.features.standings import RankedBackbone, Ranking

__all__ = ["draw_ranking"]

_INK, _PALE, _DOT = "#1f2430", "#6b7280", "#0072b2"


def draw_ranking(ranking: Ranking, file: str | Path) -> Path:
    """Draw candidates as dots with their intervals, and a line through those that nothing beats.

    Args:
        ranking: From ``rank``; candidates without a latency are passed over.
        file: PNG, SVG or PDF file to write.

    Returns:
        The file.

    Raises:
        SettingError: Another kind of file, or nothing to draw.
        MissingExtra: matplotlib is not installed.
    """
    if not (timed := [entry for entry in ranking.entries if entry.latency is not None]):
        raise SettingError("LiteRT can run none of these backbones, so there is no latency to draw.")
    with runtime.drawn(file, "the ranking", figsize=(9, 6), dpi=150, layout="constrained") as figure:
        _draw(figure.add_subplot(), timed, ranking.measure)
    return Path(file)


def _draw(axes: Any, entries: Sequence[RankedBackbone], measure: str) -> None:
    unit, factor = ("", 1) if measure == "R²" else (" %", 100)
    places = [1000 * (entry.latency or 0) for entry in entries]
    values = [factor * entry.probe.value for entry in entries]
    ends = [
        [factor * (entry.probe.value - entry.probe.low) for entry in entries],
        [factor * (entry.probe.high - entry.probe.value) for entry in entries],
    ]
    front = sorted((x, y) for x, y, entry in zip(places, values, entries, strict=True) if entry.on_front)
    axes.plot(*zip(*front, strict=True), color=_INK, linewidth=1.1, alpha=0.45, zorder=1)
    axes.errorbar(places, values, yerr=ends, fmt="o", color=_DOT, ecolor="#b9c3d3", capsize=3, zorder=2)
    for x, y, entry in zip(places, values, entries, strict=True):
        colour = _INK if entry.on_front else _PALE
        axes.annotate(entry.name, (x, y), (6, 5), textcoords="offset points", fontsize=8, color=colour)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter("")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}{unit}")
    axes.set_xlabel("milliseconds a picture, LiteRT on one core of this machine", color=_PALE)
    axes.set_title(f"{measure} of a linear probe against latency; bars hold 95 %", loc="left", color=_INK)
    axes.grid(color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)

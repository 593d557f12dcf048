"""A search as a picture: how it went, what made the difference, and which settings go with which results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfxfer import runtime
from tfxfer.searching.ranges import Value

if TYPE_CHECKING:
    from tfxfer.searching.outcome import Search, Trial

__all__ = ["draw_search"]

_INK, _BLUE, _ORANGE, _PALE = "#1f2430", "#0072b2", "#d55e00", "#e5e7eb"


def draw_search(found: Search, file: str | Path) -> Path:
    """Draw the values of trials in their order, the importances, and the trials as lines across all settings.

    Args:
        found: From ``search``.
        file: PNG, SVG or PDF file to write.

    Returns:
        The file.

    Raises:
        SettingError: Another kind of file.
        MissingExtra: matplotlib is not installed.
    """
    with runtime.drawn(file, "the search", figsize=(11, 7.5), dpi=150, layout="constrained") as figure:
        above, below = figure.subfigures(2, 1)
        history, shares = above.subplots(1, 2)
        _draw_history(history, found)
        _draw_importances(shares, found)
        _draw_parallel(below, found)
    return Path(file)


def _draw_history(axes: Any, found: Search) -> None:
    """Draw a dot a trial and a line of the best so far."""
    for state, colour in (("complete", _BLUE), ("pruned", "#b9c3d3")):
        mine = [trial for trial in found.trials if trial.state == state and trial.value is not None]
        axes.plot([trial.number for trial in mine], [trial.value for trial in mine], "o", color=colour)
    best: list[tuple[int, float]] = []
    for trial in found.trials:
        if trial.state == "complete" and trial.value is not None:
            value = trial.value if not best else found.judge.best([trial.value, best[-1][1]])
            best.append((trial.number, value))
    axes.step(*zip(*best, strict=True), where="post", color=_ORANGE)
    axes.set_xlabel("trial")
    axes.set_title(
        f"validation {found.judge.name.replace('_', ' ')}; pale dots were pruned, the line is the best",
        loc="left",
        fontsize=9,
    )
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.grid(color=_PALE, linewidth=0.8)


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator  # a figure is there, so matplotlib is

    return MaxNLocator(integer=True)


def _draw_importances(axes: Any, found: Search) -> None:
    names = list(found.importances)[::-1]
    axes.barh(names, [100 * found.importances[name] for name in names], color=_BLUE)
    few = "" if names else ": too few trials ran to their end"
    axes.set_title(f"what made the difference, by fANOVA{few}", loc="left", fontsize=9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} %")


def _draw_parallel(figure: Any, found: Search) -> None:
    """Draw complete trials as lines from setting to setting, the better the bluer."""
    axes = figure.subplots()
    names, trials = list(found.best.settings), list(reversed(found.ranked))
    places = [_places([trial.settings[name] for trial in trials]) for name in names]
    for rank, trial in enumerate(trials):
        share = (rank + 1) / len(trials)
        line = [column[rank] for column in places]
        best = trial is found.best
        axes.plot(
            range(len(names)),
            line,
            "o-" if len(names) == 1 else "-",
            color=_ORANGE if best else _BLUE,
            alpha=1.0 if best else 0.15 + 0.6 * share,
            linewidth=2.5 if best else 1.2,
        )
    axes.set_xticks(range(len(names)), [_axis(name, trials) for name in names], fontsize=8)
    axes.set_yticks([])
    axes.set_ylim(-0.05, 1.05)
    for place in range(len(names)):
        axes.axvline(place, color=_INK, linewidth=0.6)
    axes.set_title("complete trials: the better the darker, the best in orange", loc="left", fontsize=9)


def _places(values: Sequence[Value]) -> list[float]:
    """Bring a setting's values to 0..1: numbers by size or order of magnitude, names as sorted."""
    if any(value is None or isinstance(value, str) for value in values):
        names = sorted({str(value) for value in values})
        numbers = [float(names.index(str(value))) for value in values]
    else:
        numbers = [float(value or 0) for value in values]
        if min(numbers) > 0 and max(numbers) / min(numbers) > 30:
            numbers = [math.log(number) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [(number - low) / (high - low) if high > low else 0.5 for number in numbers]


def _axis(name: str, trials: Sequence[Trial]) -> str:
    """Name an axis, with what its lower and its upper end stand for."""
    values = [trial.settings[name] for trial in trials]
    if any(value is None or isinstance(value, str) for value in values):
        return f"{name}\n{' to '.join(sorted({str(value) for value in values})).replace('None', 'none')}"
    numbers = [float(value or 0) for value in values]
    return f"{name}\n{min(numbers):.2g} to {max(numbers):.2g}"

"""Training as pictures: the curve of a search for a rate, and the losses of a fit, epoch by epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfxfer import runtime
from tfxfer.contracts import FitLog, RateSearch

__all__ = ["draw_log", "draw_rates"]

_INK, _BLUE, _ORANGE, _PALE = "#1f2430", "#0072b2", "#d55e00", "#e5e7eb"


def draw_rates(found: RateSearch, file: str | Path) -> Path:
    """Draw the loss against the rate, and what is suggested.

    Args:
        found: From ``find_rate``.
        file: PNG, SVG or PDF file to write.

    Returns:
        The file.

    Raises:
        SettingError: Another kind of file.
        MissingExtra: matplotlib is not installed.
    """
    with runtime.drawn(file, "the rates", figsize=(7, 4.5), dpi=150, layout="constrained") as figure:
        axes = figure.add_subplot()
        axes.plot(found.rates, found.losses, color=_BLUE)
        axes.axvline(found.suggestion, color=_INK, linewidth=1, linestyle="--")
        axes.set_xscale("log")
        axes.set_ylim(top=min(max(found.losses), 2 * found.losses[0]))
        axes.set_xlabel("learning rate")
        axes.set_title(f"loss, smoothed; suggested: {found.suggestion:.1e}", loc="left")
        axes.grid(color=_PALE, linewidth=0.8)
    return Path(file)


def draw_log(log: FitLog, file: str | Path) -> Path:
    """Draw the losses of a fit, and its metric on validation, phase after phase.

    Args:
        log: From ``fit``.
        file: PNG, SVG or PDF file to write.

    Returns:
        The file.

    Raises:
        SettingError: Another kind of file.
        MissingExtra: matplotlib is not installed.
    """
    metric = next(iter(log.validation_metrics))
    with runtime.drawn(file, "the log", figsize=(9, 6), dpi=150, layout="constrained") as figure:
        above, below = figure.subplots(2, 1, sharex=True)
        _draw_phases(above, log, {"loss": _ORANGE, "val_loss": _BLUE})
        _draw_phases(below, log, {f"val_{metric}": _BLUE})
        above.set_title("training loss (orange) and validation loss (blue)", loc="left", color=_INK)
        below.set_title(
            f"{metric.replace('_', ' ')} on validation; a dot is the epoch that was kept", loc="left"
        )
        below.set_xlabel("epoch")
        below.locator_params(axis="x", integer=True)
    return Path(file)


def _draw_phases(axes: Any, log: FitLog, names: dict[str, str]) -> None:
    """Draw some figures of all phases side by side, with a line where the next phase begins."""
    start = 1
    for phase in log.phases:
        epochs = range(start, start + len(phase.history["val_loss"]))
        alone = "." if len(epochs) == 1 else ""  # a line of one point is none
        # A probe that the guard keeps has no training loss.
        for name, colour in ((name, each) for name, each in names.items() if name in phase.history):
            axes.plot(epochs, phase.history[name], marker=alone, color=colour)
            if phase.name == log.kept and name.startswith("val_"):
                axes.plot(epochs[phase.best_epoch - 1], phase.best(name), "o", color=colour)
        axes.axvline(start - 0.5, color=_INK, linewidth=0.8, linestyle=":")
        axes.annotate(phase.name, (start - 0.4, 1), xycoords=("data", "axes fraction"), va="top", fontsize=8)
        start = epochs.stop
    axes.grid(color=_PALE, linewidth=0.8)

"""What is told on standard error: what was chosen, which phase and epoch it is, and how well it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["ProgressBar", "tell_chosen"]


def tell_chosen(chosen: Mapping[str, str], *, progress: bool, console: Console | None) -> None:
    """Say what was chosen and why, a line each, where progress is shown.

    Args:
        chosen: Setting -> its value and why.
        progress: Whether it is.
        console: Where; None is standard error.
    """
    console = console or Console(stderr=True)
    for name, words in chosen.items() if progress else ():
        console.print(f"{name}: {words}.", markup=False, highlight=False, soft_wrap=True)


class ProgressBar(keras.callbacks.Callback):
    """Show a phase's progress inside a ``with``; where nobody watches, one line an epoch.

    Args:
        phase: The phase's name.
        epochs: Epochs at most.
        first: The number of its first epoch, counted from 0 over all phases.
        console: Where to write; None writes to standard error.
    """

    def __init__(self, phase: str, *, epochs: int, first: int = 0, console: Console | None = None) -> None:
        super().__init__()
        self._phase = phase
        self._epochs = epochs
        self._first = first
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:<6}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}  {task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left at most"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(phase, total=epochs, figures="")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it stands, and the terminal as it was."""
        self._bar.stop()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Move on by an epoch and show its figures."""
        figures = "  ".join(
            f"{name.replace('val_', 'validation ').replace('_', ' ')} {value:.3f}"
            for name, value in (logs or {}).items()
            if name in ("loss", "val_loss") or (name.startswith("val_") and not name.endswith("loss"))
        )
        done = epoch + 1 - self._first
        self._bar.update(self._task, completed=done, figures=figures)
        if not self._console.is_terminal:
            line = f"{self._phase:<6} epoch {done}/{self._epochs}  {figures}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

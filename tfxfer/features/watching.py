"""A bar that says how many views are done, how fast it goes, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["tell_engine", "watched"]


def tell_engine(engine: str, why: str, *, console: Console | None) -> None:
    """Say what runs the frozen part where it is not LiteRT.

    Args:
        engine: Its name.
        why: Why it is not LiteRT; nothing where it is.
        console: Where to write; None is standard error.
    """
    if why:
        line = f"features: by {engine}, since {why}."
        (console or Console(stderr=True)).print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watched(total: int, *, engine: str, console: Console | None) -> Iterator[Callable[[int], None]]:
    """Show how far an extraction is; where nobody watches, say at the end what it took.

    Args:
        total: Views in all.
        engine: What runs the frozen part.
        console: Where to write; None is standard error.

    Yields:
        What to call with how many more views are done.
    """
    console = console or Console(stderr=True)
    started = time.perf_counter()
    bar = Progress(
        TextColumn("features"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    task = bar.add_task("features", total=total)
    with bar:
        yield lambda done: bar.update(task, advance=done)
    if not console.is_terminal:
        seconds = time.perf_counter() - started
        rate = total / max(seconds, 1e-9)
        line = f"features: {total:,} views by {engine} in {seconds:.1f} s ({rate:,.0f} a second)"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Rate(ProgressColumn):
    """Views a second."""

    def render(self, task: Task) -> Text:
        """Write the rate, once there is one."""
        return Text(f"{task.speed:,.0f} views a second" if task.speed else "")

"""Where a drawing begins and ends: a file that names a kind of picture, and matplotlib, if it is there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfxfer.errors import MissingExtra, SettingError
from tfxfer.runtime.targets import whole_file

__all__ = ["drawn"]

_SUFFIXES = (".png", ".svg", ".pdf")


@contextmanager
def drawn(file: str | Path, what: str, **settings: Any) -> Iterator[Any]:
    """Begin a picture, and write it when all of it was drawn.

    Args:
        file: PNG, SVG or PDF file to write.
        what: What is to be drawn, for the message.
        settings: As ``matplotlib.figure.Figure`` takes them.

    Yields:
        An empty ``Figure``, which needs no screen.

    Raises:
        SettingError: The file's name does not end as a picture's that can be drawn.
        MissingExtra: matplotlib is not installed.
    """
    target = Path(file)
    if target.suffix.lower() not in _SUFFIXES:
        raise SettingError(f"{file} names no kind of picture; end it in .png, .svg or .pdf.")
    try:
        figures = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingExtra(
            f"a picture of {what} needs matplotlib, which is not installed; pip install 'tfxfer[plot]'."
        ) from error
    figure = figures.Figure(**settings)
    yield figure
    with whole_file(target) as draft:
        figure.savefig(draft, facecolor="white")

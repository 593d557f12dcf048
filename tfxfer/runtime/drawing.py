"""Where a drawing begins: a file that names a kind of picture, and matplotlib, if it is there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from tfxfer.errors import MissingExtra, SettingError

__all__ = ["check_picture_file", "new_figure"]

_SUFFIXES = (".png", ".svg", ".pdf")


def check_picture_file(file: str | Path) -> Path:
    """Return the file as a path.

    Raises:
        SettingError: Its name does not end as a picture's that can be drawn.
    """
    target = Path(file)
    if target.suffix.lower() not in _SUFFIXES:
        raise SettingError(f"{file} names no kind of picture; end it in .png, .svg or .pdf.")
    return target


def new_figure(what: str, **settings: Any) -> Any:
    """Return an empty ``matplotlib.figure.Figure``, which needs no screen.

    Args:
        what: What is to be drawn, for the message.
        settings: As ``Figure`` takes them.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        figures = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingExtra(
            f"a picture of {what} needs matplotlib, which is not installed; pip install 'tfxfer[plot]'."
        ) from error
    return figures.Figure(**settings)

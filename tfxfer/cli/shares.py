"""A share on the command line: in per cent, or as a number."""

from __future__ import annotations

import math

import click

__all__ = ["share"]


def share(text: str) -> float:
    """Read ``5%`` and ``0.05`` alike.

    Raises:
        click.BadParameter: It is neither, or out of range.

    >>> share("5%"), share("0.05")
    (0.05, 0.05)
    """
    digits = text.strip()
    try:
        value = float(digits.removesuffix("%")) / (100 if digits.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise click.BadParameter(f"{text!r} is no share; give 0% to 100%, or 0 to 1.")
    return value

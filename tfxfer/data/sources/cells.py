"""What stands in a cell of a table, as text."""

from __future__ import annotations

import math
import os
from typing import Any

from tfxfer.data.sources.tables import Row
from tfxfer.errors import DataError

__all__ = ["filled_cell", "printable", "text_of"]


def text_of(where: str, row: Row, column: str) -> str:
    """Return a cell as text, empty where nothing is given.

    Raises:
        DataError: It holds neither text nor one number.
    """
    value: Any = row.cells.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):  # Python's JSON may hold NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float | os.PathLike):
        return str(value).strip()
    raise DataError(
        f"{where} has {type(value).__name__} in column {column!r}; write text or one number there."
    )


def filled_cell(where: str, row: Row, column: str) -> str:
    """Return a cell as text.

    Raises:
        DataError: There is nothing in it, or neither text nor one number.
    """
    text = text_of(where, row, column)
    if not text:
        raise DataError(f"{where} has nothing in column {column!r}; fill it in, or remove the row.")
    return text


def printable(where: str, role: str, text: str) -> str:
    """Return a name as it is.

    Raises:
        DataError: It holds characters that cannot be written down.
    """
    if not text.isprintable():
        raise DataError(f"{where} has a {role} that cannot be written down ({text!r}); give it another name.")
    return text

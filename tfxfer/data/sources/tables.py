"""A table, in a file or a DataFrame, becomes rows of named cells, each knowing where it stood."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tfxfer.errors import DataError, SettingError

__all__ = ["TABLE_SUFFIXES", "DataFrame", "Row", "Table", "read_table"]


class DataFrame(Protocol):
    """What is asked of a pandas DataFrame; pandas itself is not imported."""

    @property
    def columns(self) -> Any:
        """Names of the columns."""

    def isna(self) -> Any:
        """Say which cells are missing, as another DataFrame."""

    def to_dict(self, orient: Any) -> Any:
        """Give the rows as dictionaries where ``orient`` is ``"records"``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        where: What people find it by, such as ``"row 7"``.
        cells: Column -> value; None, or absent, where nothing was given.
    """

    where: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table.

    Attributes:
        name: What messages call it.
        folder: The folder that its paths start from.
        columns: Names of the columns, in order.
        rows: The rows, in order.
    """

    name: str
    folder: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(table: str | Path | DataFrame) -> Table:
    """Read a table whole.

    Args:
        table: A file in UTF-8: ``.csv`` or ``.tsv``, whose first row names the columns, or ``.jsonl``
            (``.ndjson``), an object a line; or a pandas DataFrame. Blank lines do not count.

    Returns:
        Its rows. In a CSV or TSV the names of the columns are row 1, as a spreadsheet counts.

    Raises:
        DataError: The file is missing or no such table, or a row of it is none.
        SettingError: It is neither a file nor a DataFrame.
    """
    if not isinstance(table, str | Path):
        return _from_frame(table)
    path = Path(table)
    if path.is_dir():
        raise DataError(f"{path} is a folder; give the table in it, or read it with from_folder.")
    if path.suffix.lower() not in _READERS:
        raise DataError(
            f"{path} is not a table that is read: one ends in {', '.join(TABLE_SUFFIXES)}; save it as CSV in "
            "UTF-8, or give it as a pandas DataFrame."
        )
    columns, rows = _READERS[path.suffix.lower()](str(path), _text(path))
    return _filled(Table(str(path), path.parent, tuple(columns), tuple(rows)))


def _filled(table: Table) -> Table:
    if not table.rows:
        raise DataError(
            f"{table.name} lists no pictures; give it one row a picture, with its path and its label."
        )
    return table


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(
            f"{path} does not exist; give a table that lists pictures, one a row, with paths and labels."
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be opened ({error.strerror}); see to its permissions.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start + 1} is 0x{error.object[error.start]:02x}); save "
            "it again as UTF-8."
        ) from error


def _read_csv(name: str, text: str, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    numbered = _csv_rows(name, text, delimiter)
    _, columns = next(numbered, (1, []))
    if len(columns) == 1 and columns[0].count(";"):
        raise DataError(
            f"{name} separates its columns by semicolons ({columns[0]}); save it again with commas, or as "
            ".tsv with tabs."
        )
    rows = []
    for number, cells in numbered:
        if len(cells) != len(columns):
            raise DataError(
                f"{name}, row {number} has {len(cells)} {'cell' if len(cells) == 1 else 'cells'}, and row 1 "
                f"names {len(columns)} columns; mend the row, and put a cell that holds the separator in "
                "quotes."
            )
        rows.append(Row(f"row {number}", dict(zip(columns, cells, strict=True))))
    return columns, rows


def _csv_rows(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Read row by row, with the number that a spreadsheet gives it; blank ones are counted and left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if cells:
                yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(
            f"{name}, row {number + 1} cannot be read ({error}); a quote inside a quoted cell is "
            "written twice."
        ) from error


def _read_tsv(name: str, text: str) -> tuple[list[str], list[Row]]:
    return _read_csv(name, text, "\t")


def _read_jsonl(name: str, text: str) -> tuple[list[str], list[Row]]:
    rows = []
    # Not splitlines(): JSON text may hold separators that Python breaks lines at, and JSON does not.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            rows.append(Row(f"line {number}", _json_object(f"{name}, line {number}", line)))
    return list(dict.fromkeys(column for row in rows for column in row.cells)), rows


def _json_object(where: str, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or too long a number"
        raise DataError(f"{where} is not JSON ({reason}); each line is an object of its own.") from error
    if not isinstance(value, dict):
        raise DataError(
            f"{where} is no JSON object ({line.strip()[:40]}); write each picture as one, such as "
            '{"path": "a.jpg", "label": "cat"}.'
        )
    return value


def _from_frame(frame: DataFrame) -> Table:
    if not all(hasattr(frame, name) for name in ("columns", "isna", "to_dict")):
        raise SettingError(
            f"a table must be a file or a pandas DataFrame, got {type(frame).__name__}; "
            "pandas.DataFrame(…) makes one of most things."
        )
    columns = tuple(str(name) for name in frame.columns)
    name = "the DataFrame"
    if repeated := [column for column in columns if columns.count(column) > 1]:
        raise DataError(f"{name} has two columns {repeated[0]!r}; rename or drop one.")
    missing = frame.isna().to_dict("records")
    rows = [
        Row(
            f"iloc[{number}]",
            {str(column): None if absent[column] else value for column, value in cells.items()},
        )
        for number, (cells, absent) in enumerate(zip(frame.to_dict("records"), missing, strict=True))
    ]
    return _filled(Table(name, Path(os.curdir), columns, tuple(rows)))


_READERS: Mapping[str, Callable[[str, str], tuple[list[str], list[Row]]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
}

TABLE_SUFFIXES = tuple(_READERS)

"""Several labels, or numbers, that come as one row a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tfxfer.contracts import TASKS, Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import RandomAccess, Seen
from tfxfer.data.sources.assembly import assembled_rows, class_names
from tfxfer.errors import DataError, SettingError, did_you_mean

if TYPE_CHECKING:
    from tfxfer.data.pixels.streaming import Stream

__all__ = ["Row", "check_task", "column_names", "from_rows", "label_rows", "shown_in"]

Row: TypeAlias = tuple[str, ...] | tuple[float, ...]
"""Names of the classes that a picture shows; or numbers, one a column."""


def check_task(task: str) -> None:
    """Refuse a task that is not known.

    Raises:
        SettingError: It is not.
    """
    if task not in TASKS:
        hint = did_you_mean(task, TASKS) or "."
        raise SettingError(f"no task {task!r}{hint} There are {', '.join(TASKS)}.")


def label_rows(where: str, values: Any, count: int, *, task: Task) -> list[Row]:
    """Read what several pictures show.

    Args:
        where: What messages call the pictures.
        values: Names of classes, a list a picture; or numbers, of shape (pictures, columns); for regression
            also of shape (pictures,).
        count: Number of pictures.
        task: ``"multi_label"`` or ``"regression"``.

    Returns:
        One row a picture; those of several labels are all names, or all numbers.

    Raises:
        DataError: They are of another kind or shape.

    >>> label_rows("images", [["cat", "dog"], []], 2, task="multi_label")
    [('cat', 'dog'), ()]
    >>> label_rows("images", np.array([1.5, 2]), 2, task="regression")
    [(1.5,), (2.0,)]
    """
    if task == "multi_label" and isinstance(values, list | tuple) and all(map(_is_names, values)):
        rows: list[Row] = [tuple(map(str, each)) for each in values]
        if len(rows) != count:
            raise DataError(
                f"labels must be one a picture, {count} since {where} has {count}, got {len(rows)}."
            )
        return rows
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        wanted = "rows of 0 and 1, or lists of names" if task == "multi_label" else "numbers, or rows of them"
        raise DataError(f"labels for {task} are {wanted}, got {_kind(values)}.") from error
    if numbers.ndim == 1 and task == "regression":
        numbers = numbers[:, None]
    if numbers.ndim != 2 or len(numbers) != count:
        shape = f"({count}, numbers)" if task == "regression" else f"({count}, classes)"
        raise DataError(
            f"labels for {task} must be of shape {shape} since {where} has {count}, got {np.shape(numbers)}."
        )
    return [tuple(row) for row in numbers.tolist()]


def column_names(
    name: str, rows: Sequence[Row], classes: Sequence[str] | None, *, task: Task
) -> tuple[str, ...]:
    """Say what the columns of rows are called, or which names there are in them.

    Args:
        name: What messages call the source.
        rows: One a picture.
        classes: Their names; None takes those in the rows, sorted; or numbers the classes from 0, and calls
            numbers ``"number"``, or ``"number 0"`` and so on.
        task: What is learnt.

    Raises:
        DataError: Rows have another number of columns, or names that are none of the classes.
        SettingError: Two classes have one name.

    >>> column_names("the arrays", [("dog", "cat"), ()], None, task="multi_label")
    ('cat', 'dog')
    >>> column_names("the arrays", [(1.5,), (2.0,)], None, task="regression")
    ('number',)
    """
    names = [each for row in rows for each in row if isinstance(each, str)]
    if names or not any(rows):
        return tuple(class_names(name, names, classes, numbers=False))
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1:
        raise DataError(
            f"{name} has {' or '.join(map(str, widths))} labels a picture; for {task}, each picture has as "
            "many, one a column."
        )
    if classes is None:
        if task == "multi_label":
            return tuple(map(str, range(widths[0])))
        return ("number",) if widths == [1] else tuple(f"number {each}" for each in range(widths[0]))
    if len(set(classes)) != len(classes):
        raise SettingError(f"{name}: classes must each have a name of their own, got {', '.join(classes)}.")
    if widths != [len(classes)]:
        noun = "number" if task == "regression" else "class"
        raise DataError(
            f"{name} has labels in {widths[0]} columns, and classes names {len(classes)} "
            f"({', '.join(classes)}); name one {noun} a column."
        )
    return tuple(classes)


def shown_in(where: str, row: Row, names: Sequence[str], *, task: Task) -> Row:
    """Say what a row of columns shows: names of classes, or numbers.

    Raises:
        DataError: A class is neither 0 nor 1, or a number is none.

    >>> shown_in("000003", (0.0, 1.0), ("cat", "dog"), task="multi_label")
    ('dog',)
    """
    if any(isinstance(each, str) for each in row) or not row:
        return row
    for name, number in zip(names, map(float, row), strict=True):
        if task == "multi_label" and number not in (0, 1):
            raise DataError(
                f"{where} has {number:g} for class {name!r}; each class is 1 where a picture shows it, and "
                "0 where not."
            )
        if not math.isfinite(number):
            raise DataError(f"{where} has {number:g} for {name!r}, where regression needs a number.")
    if task == "multi_label":
        return tuple(name for name, value in zip(names, row, strict=True) if value)
    return tuple(map(float, row))


def from_rows(
    source: RandomAccess | Stream,
    seen: Mapping[Part, Sequence[Seen]],
    rows: Sequence[Row],
    *,
    classes: Sequence[str] | None,
    task: Task,
    seed: int,
    resize: Resize,
) -> Photos:
    """Make a data set of pictures and the rows of labels that go with them, one after the other.

    Args:
        source: Where pixels are got.
        seen: Part -> its pictures, in the source's order.
        rows: One a picture, part after part.
        classes: Names, as for ``column_names``.
        task: ``"multi_label"`` or ``"regression"``.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size.

    Raises:
        DataError: As ``column_names``, ``shown_in`` and ``assembled_rows`` say.
        SettingError: Two classes have one name.
    """
    names = column_names(str(source), rows, classes, task=task)
    left = iter(rows)
    shown = {
        part: [
            replace(each, shown=shown_in(f"{source}: {each.key}", next(left), names, task=task))
            for each in pictures
        ]
        for part, pictures in seen.items()
    }
    return assembled_rows(source, shown, names=names, task=task, seed=seed, resize=resize)


def _is_names(row: Any) -> bool:
    return isinstance(row, list | tuple | set | frozenset) and all(isinstance(each, str) for each in row)


def _kind(values: Any) -> str:
    first = next(iter(values), None) if isinstance(values, list | tuple) else values
    return (
        f"{type(first).__name__} in a {type(values).__name__}"
        if first is not values
        else type(values).__name__
    )

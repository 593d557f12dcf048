"""What a table says that its pictures show: one class, several, or numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from tfxfer.contracts import TASKS, Task
from tfxfer.data.sources.cells import filled_cell, printable, text_of
from tfxfer.data.sources.tables import Row
from tfxfer.errors import DataError, SettingError, did_you_mean

__all__ = ["Labelling", "Labels", "Truth", "choose_labelling", "labels_of", "truth_of"]

Truth: TypeAlias = str | tuple[str, ...] | tuple[float, ...]
"""A class, the classes that are shown in the order of their names, or numbers."""

YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
"""How a column of one class says whether a picture shows it, in any letter case."""

FEWEST_A_STRATUM = 8
"""Pictures of several labels are balanced by what at least so many have in common."""

PORTIONS = 10
FEWEST_A_PORTION = 20
"""Numbers are cut into ten portions by size, or fewer of at least so many pictures."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """Which columns say what a picture shows, and how.

    Attributes:
        task: What is learnt.
        columns: One, or one a class or number.
        separator: What stands between the labels in a cell, where one column holds several.
    """

    task: Task
    columns: tuple[str, ...]
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What all pictures of a table show.

    Attributes:
        classes: Names of classes or numbers.
        labels: One a picture, as ``ImageRecord`` has it.
        targets: The same.
        strata: Names of what labels are indices into: the classes, where a picture shows one.
    """

    classes: tuple[str, ...]
    labels: tuple[int, ...]
    targets: tuple[tuple[int, ...] | tuple[float, ...] | None, ...]
    strata: tuple[str, ...]


def choose_labelling(
    label: str | Sequence[str], *, task: Task | None = None, separator: str | None = None
) -> Labelling:
    """Tell what is learnt by what is asked for.

    Args:
        label: A column, or several.
        task: What is learnt; None is ``"multi_label"`` where there are several columns or a separator, else
            ``"single_label"``.
        separator: What stands between the labels in a cell.

    Returns:
        The labelling.

    Raises:
        SettingError: No such task, or one that does not go with the columns or the separator.
    """
    columns = (label,) if isinstance(label, str) else tuple(label)
    if task is None:
        task = "multi_label" if len(columns) != 1 or separator else "single_label"
    if task not in TASKS:
        hint = did_you_mean(task, TASKS) or "."
        raise SettingError(f"no task {task!r}{hint} There are {', '.join(TASKS)}.")
    if not columns or len(set(columns)) != len(columns):
        raise SettingError(
            f"label must name at least one column, and none twice, got {', '.join(columns) or 'none'}."
        )
    if task == "single_label" and len(columns) > 1:
        raise SettingError(
            f"single_label takes one column of labels, got {', '.join(columns)}; multi_label takes a column "
            "a class, regression a column a number."
        )
    if separator is not None and (task != "multi_label" or len(columns) > 1 or not separator.strip()):
        raise SettingError(
            f"separator is for several labels in one column (multi_label), got {separator!r} for {task} with "
            f"{', '.join(columns)}."
        )
    if task == "multi_label" and len(columns) == 1 and separator is None:
        separator = ";"
    return Labelling(task, columns, separator)


def truth_of(labelling: Labelling, where: str, row: Row) -> Truth:
    """Read what one row says that its picture shows.

    Raises:
        DataError: It says nothing, or what cannot be understood.
    """
    if labelling.task == "regression":
        return tuple(_number(where, row, column) for column in labelling.columns)
    if labelling.separator is not None:
        return _listed(where, row, labelling.columns[0], labelling.separator)
    if labelling.task == "multi_label":
        return tuple(column for column in labelling.columns if _ticked(where, row, column))
    return printable(where, "label", filled_cell(where, row, labelling.columns[0]))


def labels_of(labelling: Labelling, truths: Sequence[Truth]) -> Labels:
    """Turn what all rows say into indices and numbers.

    Args:
        labelling: As the rows were read.
        truths: One a picture, in the order of the records.

    Returns:
        Classes, which are sorted, or in the order of their columns; and what splits are balanced by.
    """
    if labelling.task == "regression":
        return _numbers(labelling, cast("Sequence[tuple[float, ...]]", truths))
    if labelling.task == "multi_label":
        return _several(labelling, cast("Sequence[tuple[str, ...]]", truths))
    classes = tuple(sorted(set(cast("Sequence[str]", truths))))
    index = {name: number for number, name in enumerate(classes)}
    labels = tuple(index[cast("str", truth)] for truth in truths)
    return Labels(classes, labels, (None,) * len(truths), classes)


def _several(labelling: Labelling, truths: Sequence[tuple[str, ...]]) -> Labels:
    counts = Counter(name for truth in truths for name in truth)
    classes = labelling.columns if labelling.separator is None else tuple(sorted(counts))
    index = {name: number for number, name in enumerate(classes)}
    chosen = _strata(truths, counts)
    strata = tuple(sorted(set(chosen)))
    return Labels(
        classes,
        labels=tuple(strata.index(name) for name in chosen),
        targets=tuple(tuple(sorted(index[name] for name in truth)) for truth in truths),
        strata=strata,
    )


def _strata(truths: Sequence[tuple[str, ...]], counts: Counter[str]) -> list[str]:
    """Name each picture's stratum: all of its labels where enough pictures have just these, else its rarest.

    The first is what Sechidis et al. 2011, https://doi.org/10.1007/978-3-642-23808-6_10, call stratification
    by label sets. What is still too small is put together.
    """
    sets = Counter(truths)
    names = [
        " and ".join(truth)
        if sets[truth] >= FEWEST_A_STRATUM
        else min(truth, key=lambda name: (counts[name], name), default="")
        for truth in truths
    ]
    sizes = Counter(names)
    return [name if name and sizes[name] >= FEWEST_A_STRATUM else "other labels" for name in names]


def _numbers(labelling: Labelling, truths: Sequence[tuple[float, ...]]) -> Labels:
    """Cut the first of the numbers into portions of the same number of pictures."""
    portions = max(1, min(PORTIONS, len(truths) // FEWEST_A_PORTION))
    order = sorted(range(len(truths)), key=lambda index: (truths[index], index))
    labels = [0] * len(truths)
    for rank, index in enumerate(order):
        labels[index] = rank * portions // len(truths)
    firsts = [[truths[index][0] for index in order if labels[index] == each] for each in range(portions)]
    strata = tuple(f"{labelling.columns[0]} {values[0]:g} to {values[-1]:g}" for values in firsts)
    return Labels(labelling.columns, tuple(labels), tuple(truths), strata)


def _listed(where: str, row: Row, column: str, separator: str) -> tuple[str, ...]:
    value = row.cells.get(column)
    if isinstance(value, list | tuple):
        if not all(isinstance(each, str) for each in value):
            raise DataError(
                f"{where} has a list in column {column!r} that holds more than text; write names."
            )
        names = list(value)
    else:
        names = text_of(where, row, column).split(separator)
    return tuple(sorted({printable(where, "label", name.strip()) for name in names if name.strip()}))


def _ticked(where: str, row: Row, column: str) -> bool:
    text = text_of(where, row, column)
    if text.lower() not in YES:
        raise DataError(
            f"{where} has {text!r} in column {column!r}; where each class has a column, it holds 1 or 0."
        )
    return YES[text.lower()]


def _number(where: str, row: Row, column: str) -> float:
    text = filled_cell(where, row, column)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{where} has {text!r} in column {column!r}, where regression needs a number.")
    return number

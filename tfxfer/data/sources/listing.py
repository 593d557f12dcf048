"""A table that lists pictures becomes records, with the split it lays down or one cut for it."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tfxfer.contracts import PARTS, ImageRecord, Part, Resize, Split, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Files
from tfxfer.data.sources.cells import filled_cell, printable, text_of
from tfxfer.data.sources.labelling import Labelling, Truth, choose_labelling, labels_of, truth_of
from tfxfer.data.sources.tables import DataFrame, Row, Table, read_table
from tfxfer.data.splits.cutting import PART_NAMES, complete_split
from tfxfer.errors import DataError, SettingError, TfxferWarning, did_you_mean

__all__ = ["from_table", "labelled_rows"]

_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row, understood: ``part`` and ``group`` are None where the table gives none."""

    where: str
    path: str
    label: Truth
    part: Part | None
    group: str | None


def from_table(
    table: str | Path | DataFrame,
    *,
    root: str | Path | None = None,
    path: str = "path",
    label: str | Sequence[str] = "label",
    task: Task | None = None,
    separator: str | None = None,
    split: str | None = None,
    group: str | None = None,
    seed: int = 0,
    resize: Resize = "crop",
) -> Photos:
    r"""Read a table that lists pictures, one a row, into records, classes and a split; no pixels yet.

    Spaces around cells do not count. A row that repeats another changes nothing, and the order of rows
    does not matter. Classes are the labels, sorted as text.

    Several labels a picture stand in one cell, between semicolons, or in a column a class that holds 1 or 0
    (or true and false, yes and no); numbers to be learnt stand in a column each. A picture may have no label
    where it may have several. Parts are balanced by the labels that pictures have in common, or by the size
    of the first number.

    Args:
        table: A ``.csv``, ``.tsv`` or ``.jsonl`` file in UTF-8, or a pandas DataFrame.
        root: Folder that paths start from, and that no picture lies outside of; None takes the table's
            own folder, and for a DataFrame the current one.
        path: The column of paths.
        label: The column of labels: text, or numbers, which are taken as names of classes unless ``task``
            says otherwise; or several columns.
        task: What is learnt: ``"single_label"``, ``"multi_label"`` or ``"regression"``; None is the second
            where there are several columns or a separator, else the first.
        separator: What stands between several labels in one cell; ``";"`` for ``"multi_label"``. A list in a
            JSONL file needs none.
        split: The column that says train, validation (or val) or test, in any letter case. Where only
            train and one other occur, the other is the test set and validation is cut from train; where
            only train does, all three are cut from it. None cuts 70/15/15.
        group: The column of what must stay together, such as a patient, a product or a scene: no group is
            in two parts. A row with an empty cell stands alone. None lets each picture stand alone.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size, as in ``from_folder``.

    Returns:
        The data set.

    Raises:
        DataError: The table cannot be read or lacks a column; a row lacks its path, label or part, or
            contradicts another; a file is not there; a group is in two parts; there is one class only, or
            one with too few pictures or groups.
        SettingError: ``table`` is neither, or ``resize`` is; or a task that does not go with the columns.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines = [f"{i}.png,{'cat' if i < 20 else 'dog'},owner {i // 2}" for i in range(40)]
    ...     for i in range(40):
    ...         Path(folder, f"{i}.png").touch()
    ...     _ = Path(folder, "pets.csv").write_text("\n".join(["path,label,owner", *lines]))
    ...     print(from_table(f"{folder}/pets.csv", group="owner"))
    class       train  validation        test
    cat            14           2           4
    dog            14           2           4
    """
    labelling = choose_labelling(label, task=task, separator=separator)
    read = read_table(table)
    _check_columns(read, {"path": path, "split": split, "group": group}, labelling.columns)
    home = _home(read, root)
    entries = [_entry(read, row, home, path, labelling, split, group) for row in read.rows]
    entries = _once(read, entries)
    _check_files(read, entries, home)
    if labelling.task != "regression":
        _check_classes(read, entries, labelling)
    # As from folders: by class, then by path; else by path.
    by_class = labelling.task == "single_label"
    entries.sort(key=lambda entry: (str(entry.label) if by_class else "", entry.path))
    found = labels_of(labelling, [entry.label for entry in entries])
    records = tuple(
        ImageRecord(entry.path, label, entry.group, target)
        for entry, label, target in zip(entries, found.labels, found.targets, strict=True)
    )
    cut = _split(read, entries, records, found.strata, seed)
    if labelling.task == "multi_label":
        _check_learnt(read, records, found.classes, cut)
    strata = () if by_class else found.strata
    return Photos(Files(home), found.classes, records, cut, resize, task=labelling.task, strata=strata)


def labelled_rows(
    table: str | Path | DataFrame,
    *,
    classes: Sequence[str],
    task: Task = "single_label",
    root: str | Path | None = None,
    path: str = "path",
    label: str | Sequence[str] | None = None,
    separator: str | None = None,
    split: str | None = None,
    group: str | None = None,
) -> tuple[list[Path], list[tuple[int, ...] | tuple[float, ...]], list[str | None] | None]:
    """List the pictures to judge a model by, with what they truly show.

    Args:
        table: As in ``from_table``.
        classes: The model's classes, of which the table may lack some, and may not have others; or the names
            of its numbers.
        task: What the model says of a picture.
        root: As in ``from_table``.
        path: The column of paths.
        label: The column of labels, or one a class; or one a number, in the order of the model's. None is
            ``"label"``, or for several labels without it, and for numbers, the columns that bear their names.
        separator: What stands between several labels in one cell, as in ``from_table``.
        split: The column that says which part a picture is in, of which the test part is taken, else the
            validation part, else train. None takes all rows.
        group: The column of what pictures are of, such as a hospital, to be judged by itself too; a row with
            an empty cell is of no group. None has no groups.

    Returns:
        Files; for each the indices of its classes, or its numbers; and its group, or None where there are
        no groups.

    Raises:
        DataError: The table cannot be read or lacks a column; a row lacks its path, label or part,
            contradicts another, or has an unknown class; a file is not there.
        SettingError: ``table`` is neither a file nor a DataFrame; or the columns are not the model's.
    """
    read = read_table(table)
    if label is None:
        named = task == "regression" or (task == "multi_label" and "label" not in read.columns)
        label = classes if named and separator is None else "label"
    elif task == "regression" and set(label) == set(classes):
        label = classes  # the model's order, whatever theirs is
    labelling = choose_labelling(label, task=task, separator=separator)
    _check_known(labelling, classes)
    grouped = {} if group is None else {"group": group}  # that there is one nobody asks for is no matter here
    _check_columns(read, {"path": path, "split": split, **grouped}, labelling.columns)
    home = _home(read, root)
    entries = _once(read, [_entry(read, row, home, path, labelling, split, group) for row in read.rows])
    if split is not None:
        there = {entry.part for entry in entries}
        judging = next(part for part in reversed(PARTS) if part in there)
        entries = [entry for entry in entries if entry.part == judging]
    shown = [_shown(read, entry, labelling, classes) for entry in entries]
    _check_files(read, entries, home)
    groups = None if group is None else [entry.group for entry in entries]
    return [home / entry.path for entry in entries], shown, groups


def _check_known(labelling: Labelling, classes: Sequence[str]) -> None:
    """Refuse columns that leave a class or number of the model's untold."""
    columns = labelling.columns
    if labelling.task == "regression":
        told = len(columns) == len(classes)
    else:
        told = labelling.task == "single_label" or bool(labelling.separator) or set(columns) == set(classes)
    if not told:
        raise SettingError(
            f"the model tells {', '.join(classes)}, and the columns of labels are {', '.join(columns)}; name "
            "one for each, numbers in the model's order, or leave them out."
        )


def _shown(
    table: Table, entry: _Entry, labelling: Labelling, classes: Sequence[str]
) -> tuple[int, ...] | tuple[float, ...]:
    """Return what a picture shows by the model's classes, or its numbers."""
    if labelling.task == "regression":
        return cast("tuple[float, ...]", entry.label)
    for name in _named(entry):
        if name not in classes:
            raise DataError(
                f"{table.name}, {entry.where} has a class {name!r} that is not among the known ones: "
                f"{', '.join(classes)}."
            )
    return tuple(sorted(classes.index(name) for name in _named(entry)))


def _home(table: Table, root: str | Path | None) -> Path:
    """Return the folder that paths start from."""
    home = Path(root) if root is not None else table.folder
    if not home.is_dir():
        raise DataError(
            f"{home} is no folder; --root (root=…) says which folder the paths of {table.name} start from."
        )
    return home


def _check_columns(table: Table, wanted: Mapping[str, str | None], labels: Sequence[str]) -> None:
    for role, column in (*wanted.items(), *(("label", column) for column in labels)):
        if column is None:
            if role in table.columns:
                warnings.warn(
                    f"{table.name} has a column {role!r} that is not used; --{role}-column {role} "
                    f"({role}={role!r}) takes it.",
                    TfxferWarning,
                    stacklevel=3,
                )
        elif column not in table.columns:
            hint = did_you_mean(column, table.columns) or "."
            raise DataError(
                f"{table.name} has no column {column!r}{hint} It has {', '.join(table.columns)}; say "
                f"with --{role}-column ({role}=…) which one holds the {role}."
            )
        elif table.columns.count(column) > 1:
            raise DataError(f"{table.name} has two columns {column!r}; rename or remove one.")


def _entry(
    table: Table,
    row: Row,
    home: Path,
    path: str,
    labelling: Labelling,
    split: str | None,
    group: str | None,
) -> _Entry:
    where = f"{table.name}, {row.where}"
    return _Entry(
        where=row.where,
        path=_relative(where, filled_cell(where, row, path), home),
        label=truth_of(labelling, where, row),
        part=None if split is None else _part(where, split, filled_cell(where, row, split)),
        group=None if group is None else printable(where, "group", text_of(where, row, group)) or None,
    )


def _part(where: str, column: str, word: str) -> Part:
    if word.lower() not in PART_NAMES:
        hint = did_you_mean(word, PART_NAMES) or "."
        raise DataError(
            f"{where} has {word!r} in column {column!r}{hint} A part is train, validation (or val) or test."
        )
    return PART_NAMES[word.lower()]


def _relative(where: str, path: str, home: Path) -> str:
    """Return a path relative to the root, tidied, with forward slashes."""
    base = os.path.abspath(home)  # noqa: PTH100 resolve() would follow links, and name files people do not know
    full = os.path.normpath(Path(base, path))
    if not Path(full).is_relative_to(base):
        raise DataError(
            f"{where}: {path} lies outside of {home}; say with --root (root=…) which folder holds all "
            "pictures."
        )
    return Path(full).relative_to(base).as_posix()


def _once(table: Table, entries: Sequence[_Entry]) -> list[_Entry]:
    """Keep one row a picture; those that say another thing of it are refused."""
    kept: dict[str, _Entry] = {}
    for entry in entries:
        first = kept.setdefault(entry.path, entry)
        for role in ("label", "part", "group"):
            one, other = getattr(first, role), getattr(entry, role)
            if one != other:
                raise DataError(
                    f"{table.name} gives {entry.path} the {role} {one!r} in {first.where} and {other!r} in "
                    f"{entry.where}; keep one of the rows."
                )
    return list(kept.values())


def _check_files(table: Table, entries: Sequence[_Entry], home: Path) -> None:
    # Not Path.is_file(), which passes on that a name is too long: a cell may hold a whole caption.
    absent = [entry for entry in entries if not os.path.isfile(home / entry.path)]  # noqa: PTH113
    if absent:
        listed = "\n".join(f"  {each.where}: {home / each.path}" for each in absent[:_NAMED_AT_MOST])
        more = len(absent) - _NAMED_AT_MOST
        raise DataError(
            f"{len(absent)} of {len(entries)} files that {table.name} lists are not there; mend their paths, "
            f"or say with --root (root=…) which folder they start from:\n{listed}"
            + (f"\n  … and {more} more" if more > 0 else "")
        )


def _check_classes(table: Table, entries: Sequence[_Entry], labelling: Labelling) -> None:
    """Refuse classes that cannot be learnt."""
    shown = {name for entry in entries for name in _named(entry)}
    learnt = {name for entry in entries if entry.part in (None, "train") for name in _named(entry)}
    for entry in entries:
        for name in _named(entry):
            if learnt and name not in learnt:
                raise DataError(
                    f"{table.name}, {entry.where} has class {name!r} in {entry.part}, and no row has it "
                    "in train; give train some of it, or remove it."
                )
    if labelling.task == "single_label":
        if len(shown) < 2:
            raise DataError(
                f"{table.name} holds one class only ({min(shown)}); a classifier needs at least two labels."
            )
        return
    cut = {entry.part for entry in entries} <= {None, "train"}
    counts = Counter(name for entry in entries if cut for name in _named(entry))
    for name, count in counts.items():
        if count < len(PARTS):
            raise DataError(
                f"{table.name} has {count} {'picture' if count == 1 else 'pictures'} of class {name!r}, too "
                f"few for a split into {', '.join(PARTS)}; add some until there are {len(PARTS)}, or leave "
                "the class out."
            )
    for column in labelling.columns:
        if not shown if labelling.separator else column not in shown:
            raise DataError(
                f"{table.name} says of no picture that it shows something in column {column!r}; leave the "
                "column out, or give it some that do."
            )


def _check_learnt(table: Table, records: Sequence[ImageRecord], classes: Sequence[str], cut: Split) -> None:
    """Refuse a cut that leaves a class without a picture to learn it from."""
    learnt = {label for index in cut.train for label in records[index].target or ()}
    absent = [label for label in range(len(classes)) if label not in learnt]
    if absent:
        raise DataError(
            f"{table.name} has few pictures of class {classes[absent[0]]!r}, and none of them fell into "
            "train; take another seed, add some, say with --split-column (split=…) which are in train, or "
            "leave the class out."
        )


def _named(entry: _Entry) -> tuple[str, ...]:
    return (entry.label,) if isinstance(entry.label, str) else tuple(map(str, entry.label))


def _split(
    table: Table, entries: Sequence[_Entry], records: Sequence[ImageRecord], classes: Sequence[str], seed: int
) -> Split:
    if entries[0].part is None:
        return complete_split(records, {"train": range(len(records))}, classes=classes, seed=seed)
    _check_groups(table, entries)
    members: dict[Part, list[int]] = {}
    for part in PARTS:
        if indices := [index for index, entry in enumerate(entries) if entry.part == part]:
            members[part] = indices
    if "train" not in members:
        raise DataError(
            f"{table.name} puts no picture in train, and {len(entries)} in {' and '.join(members)}; say "
            "train in the rows that are to be learnt from."
        )
    return complete_split(records, members, classes=classes, seed=seed)


def _check_groups(table: Table, entries: Sequence[_Entry]) -> None:
    first: dict[str, _Entry] = {}
    for entry in entries:
        if entry.group is None:
            continue
        other = first.setdefault(entry.group, entry)
        if other.part != entry.part:
            raise DataError(
                f"{table.name} has group {entry.group!r} in {other.part} ({other.where}) and in {entry.part} "
                f"({entry.where}): what is learnt from would judge itself. Put each group in one part."
            )

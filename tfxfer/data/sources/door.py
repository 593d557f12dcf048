"""Where pictures come from, a folder, a table, shards or TensorFlow Datasets, is told by what is given."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from tfxfer import data
from tfxfer.contracts import Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.truth import as_array
from tfxfer.data.sources.folders import from_folder, labelled_files
from tfxfer.data.sources.listing import from_table, labelled_rows
from tfxfer.data.sources.shard_index import is_shards
from tfxfer.data.sources.tables import TABLE_SUFFIXES, DataFrame
from tfxfer.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["COLUMN_ROLES", "Labelled", "check_apart", "is_folder", "is_tfds", "read_labelled", "read_photos"]

COLUMN_ROLES = ("path", "label", "split", "group")


def read_photos(
    source: str | Path | DataFrame,
    *,
    root: str | Path | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    task: Task | None = None,
    separator: str | None = None,
    data_dir: str | Path | None = None,
    download: bool = False,
    seed: int = 0,
    resize: Resize = "crop",
) -> Photos:
    """Read a folder, a table, shards or a data set of TensorFlow Datasets, by the function for it.

    Args:
        source: A folder of pictures, or of shards, as ``write_shards`` wrote them; a table's file, or a
            DataFrame; or ``"tfds:"`` and a name that TensorFlow Datasets knows.
        root: For a table, as there.
        columns: For a table, which column holds what: any of ``"path"``, ``"label"``, ``"split"`` and
            ``"group"`` -> the column's name, or for ``"label"`` several names. For TensorFlow Datasets, which
            feature is the ``"label"`` or the ``"group"``.
        task: For a table or TensorFlow Datasets, what is learnt, as there.
        separator: For a table, what stands between several labels in one cell, as there.
        data_dir: For TensorFlow Datasets, as in ``from_tfds``.
        download: For TensorFlow Datasets, as there.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size.

    Returns:
        The data set.

    Raises:
        DataError: As there.
        SettingError: As there; or a setting that is for another kind of source, or an unknown key.
    """
    columns = columns or {}
    for_tables = {"columns": columns or None, "task": task, "separator": separator, "root": root}
    if is_tfds(source):
        tables = {f"a {role} column": columns.get(role) for role in ("path", "split")}
        _refuse(source, {"separator": separator, "root": root, **tables})
        _check_roles(columns, ("label", "group"))
        prepared: dict[str, Any] = {"data_dir": data_dir, "download": download}
        return data.from_tfds(str(source), **prepared, **_features(columns, task), seed=seed, resize=resize)
    if data_dir is not None or download:
        raise SettingError(
            f"{'download' if data_dir is None else 'data_dir'} is for data sets of TensorFlow Datasets; "
            "leave it out, or give tfds: and a name."
        )
    if is_folder(source):
        _refuse(source, for_tables)
        if is_shards(Path(source)):
            return data.from_shards(source, seed=seed, resize=resize)
        return from_folder(source, seed=seed, resize=resize)
    _check_roles(columns, COLUMN_ROLES)
    single = {key: str(column) for key, column in columns.items() if key != "label"}
    return from_table(
        source,
        root=root,
        path=single.get("path", "path"),
        label=columns.get("label", "label"),
        task=task,
        separator=separator,
        split=single.get("split"),
        group=single.get("group"),
        seed=seed,
        resize=resize,
    )


class Labelled(NamedTuple):
    """Pictures to judge a model by.

    Attributes:
        files: The pictures.
        targets: What they show, as ``Photos.targets`` has it.
        groups: What each is of, such as a hospital, None for nothing; or None where nobody said.
    """

    files: list[Path]
    targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    groups: list[str | None] | None


def read_labelled(
    source: str | Path | DataFrame,
    *,
    classes: Sequence[str],
    task: Task = "single_label",
    root: str | Path | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    separator: str | None = None,
) -> Labelled:
    """List the pictures to judge a model by: of a folder by ``labelled_files``, a table by ``labelled_rows``.

    Args:
        source: A folder, a table's file, or a DataFrame.
        classes: The model's classes, or the names of its numbers.
        task: What the model says of a picture; a folder is for ``"single_label"``.
        root: For a table, as there.
        columns: For a table, which column holds what, as in ``read_photos``; each ``"group"`` is judged by
            itself too.
        separator: For a table, as there.

    Returns:
        The pictures.

    Raises:
        DataError: As there.
        SettingError: As there; or a setting for tables with a folder, a folder for another task, or an
            unknown key.
    """
    columns = columns or {}
    if is_folder(source):
        _refuse(source, {"columns": columns or None, "separator": separator, "root": root})
        if task != "single_label":
            raise SettingError(
                f"{source} is not a table, and folders have one label a picture; for {task}, give a "
                f"{', '.join(TABLE_SUFFIXES)} file."
            )
        files, labels = labelled_files(source, classes=classes)
        shows = [(label,) for label in labels]
        return Labelled(files, as_array(shows, task=task, classes=len(classes)), None)
    _check_roles(columns, COLUMN_ROLES)
    single = {key: str(column) for key, column in columns.items() if key != "label"}
    files, shown, groups = labelled_rows(
        source,
        classes=classes,
        task=task,
        root=root,
        path=single.get("path", "path"),
        label=columns.get("label"),
        separator=separator,
        split=single.get("split"),
        group=single.get("group"),
    )
    return Labelled(files, as_array(shown, task=task, classes=len(classes)), groups)


def check_apart(
    target: Path,
    source: str | Path | DataFrame,
    *,
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
) -> None:
    """Keep what is written out of a folder of pictures, where it would be the next run's class, and off them.

    Args:
        target: The folder to write to, as ``check_target`` gives it.
        source: What is read from, as for ``read_photos``.
        root: For a table, as there.
        data_dir: For TensorFlow Datasets, as there.

    Raises:
        SettingError: The target is inside the pictures' folder, or holds what is read from.
    """
    for given in (None if is_tfds(source) else source, root, data_dir):
        if not isinstance(given, str | Path):
            continue
        held = Path(os.path.abspath(given))  # noqa: PTH100 as check_target does, whose answer it is compared with
        if given is source and is_folder(source) and (target == held or held in target.parents):
            raise SettingError(f"{target} is inside the pictures' folder {held}; give one outside it.")
        if target == held or target in held.parents:
            raise SettingError(f"{target} holds {held}, and would replace it; give another folder.")


def is_folder(source: str | Path | DataFrame) -> TypeGuard[str | Path]:
    """Say whether a source is a folder, or a path to nothing that is not called like a table."""
    if not isinstance(source, str | Path) or is_tfds(source):
        return False
    path = Path(source)
    return path.is_dir() or not (path.is_file() or path.suffix.lower() in TABLE_SUFFIXES)


def is_tfds(source: str | Path | DataFrame) -> TypeGuard[str | Path]:
    """Say whether a source is a data set of TensorFlow Datasets."""
    return isinstance(source, str | Path) and str(source).startswith("tfds:")


def _features(columns: Mapping[str, str | Sequence[str]], task: Task | None) -> dict[str, Any]:
    """Say what ``from_tfds`` is to take; several labels are as they are in a table's columns."""
    label = columns.get("label")
    if task is None:
        task = "single_label" if label is None or isinstance(label, str) else "multi_label"
    return {"label": label, "group": columns.get("group"), "task": task}


def _refuse(source: str | Path, for_tables: Mapping[str, object]) -> None:
    for name, value in for_tables.items():
        if value is not None:
            raise SettingError(
                f"{source} is not a table, and {name} is for tables; leave it out, or give a "
                f"{', '.join(TABLE_SUFFIXES)} file."
            )


def _check_roles(columns: Mapping[str, str | Sequence[str]], roles: Sequence[str]) -> None:
    for key, column in columns.items():
        if key not in roles:
            hint = did_you_mean(key, roles) or "."
            raise SettingError(f"no role {key!r} for a column{hint} There are {', '.join(roles)}.")
        if not isinstance(column, str) and key != "label":
            raise SettingError(f"{key} is one column, got {', '.join(column)}; only labels have several.")

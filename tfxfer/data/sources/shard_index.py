"""What a folder of shards says of itself: its files, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfxfer import runtime
from tfxfer.contracts import PARTS, TASKS, Part, Task
from tfxfer.errors import DataError

__all__ = ["INDEX", "ShardIndex", "is_shards", "read_index", "shard_name"]

INDEX = "shards.json"


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """A folder of shards.

    Attributes:
        classes: Class names, or names of numbers.
        shards: Part -> file names, in order.
        pictures: File name -> how many pictures it holds.
        task: What is learnt of them.
    """

    classes: tuple[str, ...]
    shards: Mapping[Part, tuple[str, ...]]
    pictures: Mapping[str, int]
    task: Task = "single_label"


def shard_name(part: Part, number: int, count: int) -> str:
    """Return a shard's file name.

    >>> shard_name("train", 0, 4)
    'train-00000-of-00004.tfrecord'
    """
    return f"{part}-{number:05}-of-{count:05}.tfrecord"


def is_shards(folder: Path) -> bool:
    """Say whether a folder is one of shards."""
    return (folder / INDEX).is_file()


def read_index(folder: Path) -> ShardIndex:
    """Read what a folder of shards holds, and see that its files are there and whole by their size.

    Raises:
        DataError: It is no such folder, the index is damaged, or a shard is missing or has another size.
    """
    if not is_shards(folder):
        raise DataError(f"{folder} has no {INDEX}, so it holds no shards; tfxfer shards writes them.")
    index, manifest = (_read(folder / name) for name in (INDEX, runtime.OWN_MARK))
    try:
        found = _understood(index)
        sizes = {name: int(each["bytes"]) for name, each in manifest["files"].items()}
        wanted = {name: sizes[name] for names in found.shards.values() for name in names}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / INDEX} is damaged ({error!r}); write the shards again.") from error
    for name, size in wanted.items():
        path = folder / name
        if not path.is_file():
            raise DataError(f"{path} is missing; write the shards again.")
        if path.stat().st_size != size:
            raise DataError(
                f"{path} has {path.stat().st_size:,} bytes and was written with {size:,}; copy it again, or "
                "write the shards again."
            )
    return found


def _understood(index: Mapping[str, Any]) -> ShardIndex:
    shards: dict[Part, tuple[str, ...]] = {
        part: tuple(index["shards"][part]) for part in PARTS if index["shards"].get(part)
    }
    if "train" not in shards:
        raise ValueError("no shards of train")
    pictures = {name: int(count) for each in index["shards"].values() for name, count in each.items()}
    task = index.get("task", "single_label")  # those of earlier versions have one label
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}")
    return ShardIndex(tuple(map(str, index["classes"])), shards, pictures, task)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); write the shards again.") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} is damaged (no JSON object); write the shards again.")
    return value

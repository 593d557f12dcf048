"""A data set in TFRecord shards: encoded pictures with their labels, in few large files."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

import tfxfer
from tfxfer import runtime
from tfxfer.contracts import PARTS, ImageRecord, Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Content, RandomAccess, Seen
from tfxfer.data.pixels.decode import opened
from tfxfer.data.pixels.streaming import Stream, passed_through
from tfxfer.data.sources.assembly import assembled, class_names
from tfxfer.data.sources.row_text import number_text, numbers_in
from tfxfer.data.sources.rows import from_rows
from tfxfer.data.sources.shard_index import INDEX, read_index, shard_name
from tfxfer.errors import DataError, SettingError

__all__ = ["PICTURES_PER_SHARD", "from_shards", "write_shards"]

PICTURES_PER_SHARD = 1024
"""About 100 MB of photographs: few files, and still some to shuffle."""

_SHARDS_AT_ONCE = 8
_OPEN_AT_MOST = 64
"""A stream's shards are written at once: as many files as any system allows, with room to spare."""

_ROLES = {"path": "key", "image": "content"}
_LABELS: Mapping[Task, Any] = {
    "single_label": tf.io.FixedLenFeature([], tf.string),
    "multi_label": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
    "regression": tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
}
_REMEDY = "its shards were written anew meanwhile; read them again."


def write_shards(
    photos: Photos,
    to: str | Path,
    *,
    pictures_per_shard: int = PICTURES_PER_SHARD,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write a data set as TFRecord shards, its split laid down.

    Encoded pictures are kept as they are, byte by byte; pixels are written as PNG. The training part is
    mixed, by the pictures' names, so that classes do not come one after the other. The folder holds
    ``train-00000-of-00004.tfrecord`` and so on, ``shards.json`` (classes, counts, seed of the split) and
    ``manifest.json`` (sizes, SHA-256, versions); it appears whole or not at all.

    Each ``tf.train.Example`` has ``path``, ``label`` (the class's name), ``image``, and ``group`` where the
    record has one: bytes. Of several labels ``label`` has each name, and for regression it has the numbers,
    as float32, in which they are learnt.

    A stream is written as it comes: its training part is mixed within so many pictures as 64 shards hold.

    Args:
        photos: The data set.
        to: The folder to write.
        pictures_per_shard: How many pictures a file holds, at least 1.
        force: Whether a folder that is there already is replaced.

    Returns:
        The shards.

    Raises:
        DataError: Some pictures cannot be read.
        SettingError: The folder is there already or cannot be made, or a number is out of range.
    """
    if pictures_per_shard < 1:
        raise SettingError(f"pictures_per_shard must be at least 1, got {pictures_per_shard}.")
    runtime.check_target(to, force=force)
    if photos.left_out is None:
        photos.check()
    with runtime.whole_folder(to, force=force) as folder:
        shards: dict[Part, dict[str, int]] = {}
        for part in PARTS:
            if indices := _mixed(photos, part, pictures_per_shard):
                shards[part] = _write_part(photos, part, indices, folder, pictures_per_shard)
        _write_json(folder / INDEX, _index(photos, shards, pictures_per_shard))
        _write_json(folder / runtime.OWN_MARK, _manifest(folder))
    return tuple(Path(to) / name for names in shards.values() for name in names)


def from_shards(folder: str | Path, *, seed: int = 0, resize: Resize = "crop") -> Photos:
    """Read shards that ``write_shards`` wrote into records, classes and a split; pictures stay encoded.

    Records have the paths, labels, groups and parts that they were written with. They are in the order of
    the shards, which for the training part is a mixed one.

    Args:
        folder: The folder of shards.
        seed: Seed of the cut, where there are fewer than three parts: two parts alone are training and
            test, training alone is cut into all three.
        resize: How pictures are brought to a model's size, as in ``from_folder``.

    Returns:
        The data set.

    Raises:
        DataError: The folder is missing or holds no shards, or one is missing, cut short or damaged.
        SettingError: ``resize`` is neither way.
    """
    root = Path(folder)
    index = read_index(root)
    task = index.task
    sections = {
        part: partial(_section, [root / name for name in names], task=task)
        for part, names in index.shards.items()
    }
    seen = {
        part: [each for name in names for each in _seen_in(root / name, index.pictures[name], task)]
        for part, names in index.shards.items()
    }
    stream = Stream(str(root), sections, seen, _REMEDY)
    labels = [each.label for pictures in seen.values() for each in pictures]
    if task == "single_label":
        meanings = class_names(str(root), labels, index.classes, numbers=False)
        return assembled(stream, seen, meanings=meanings, seed=seed, resize=resize)
    rows = [numbers_in(label) if task == "regression" else tuple(label.splitlines()) for label in labels]
    return from_rows(stream, seen, rows, classes=index.classes, task=task, seed=seed, resize=resize)


def _mixed(photos: Photos, part: Part, size: int) -> list[int]:
    """Return a part's records, the training part's in an order that their names draw.

    Of a stream, only what comes near to each other changes places: so few shards are open at once.
    """
    indices = list(photos.split[part])
    if part != "train":
        return indices
    reach = len(indices) if isinstance(photos.source, RandomAccess) else _OPEN_AT_MOST * size
    windows = [indices[start : start + reach] for start in range(0, len(indices), reach)]
    return [
        index
        for window in windows
        for index in sorted(window, key=lambda each: _drawn(photos.records[each].path))
    ]


def _drawn(path: str) -> bytes:
    return hashlib.sha256(os.fsencode(path)).digest()


def _write_part(
    photos: Photos, part: Part, indices: Sequence[int], folder: Path, size: int
) -> dict[str, int]:
    count = -(-len(indices) // size)
    names = [shard_name(part, number, count) for number in range(count)]
    place = {index: position // size for position, index in enumerate(indices)}
    left = Counter(place.values())
    written = {name: left[number] for number, name in enumerate(names)}
    writers: dict[int, Any] = {}
    try:
        # A stream gives its pictures in its own order: then several shards are open at once.
        for index, content in photos.contents(indices):
            number = place[index]
            if number not in writers:
                writers[number] = tf.io.TFRecordWriter(str(folder / names[number]))
            record = photos.records[index]
            writers[number].write(_example(photos, record, _encoded(content)))
            left[number] -= 1
            if not left[number]:
                writers.pop(number).close()
    finally:
        for writer in writers.values():
            writer.close()
    return written


def _example(photos: Photos, record: ImageRecord, image: bytes) -> bytes:
    values = {"path": [os.fsencode(record.path)], "image": [image]}
    if record.group is not None:
        values["group"] = [record.group.encode()]
    if photos.task != "regression":
        shown = (record.label,) if record.target is None else map(int, record.target)
        values["label"] = [photos.classes[label].encode() for label in shown]
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=value)) for name, value in values.items()
    }
    if photos.task == "regression":
        features["label"] = tf.train.Feature(float_list=tf.train.FloatList(value=record.target))
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized


def _index(photos: Photos, shards: Mapping[Part, Mapping[str, int]], size: int) -> dict[str, Any]:
    told = {
        "task": photos.task,
        "classes": list(photos.classes),
        "pictures_per_shard": size,
        "split": {"seed": photos.split.seed, "given": list(photos.split.given)},
        "shards": shards,
    }
    if photos.task == "regression":
        return told
    counts = {part: Counter(label for shown in photos.shown(part) for label in shown) for part in shards}
    return told | {
        "counts": {
            part: {name: counts[part][label] for label, name in enumerate(photos.classes)} for part in shards
        }
    }


def _encoded(content: Content) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    if isinstance(content, bytes):
        return content
    buffer = io.BytesIO()
    with opened(content) as image:
        image.save(buffer, "PNG")
    return buffer.getvalue()


def _manifest(folder: Path) -> dict[str, Any]:
    return {
        "versions": {"tfxfer": tfxfer.__version__, "tensorflow": tf.__version__},
        "files": {
            file.name: {"bytes": file.stat().st_size, "sha256": runtime.file_sha256(file)}
            for file in sorted(folder.iterdir())
        },
    }


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _section(files: Sequence[Path], *, task: Task, contents: bool, seed: int | None) -> tf.data.Dataset:
    """Read one part as ``Section`` says: shards one after the other, or mixed and several at once."""
    names = tf.data.Dataset.from_tensor_slices([str(file) for file in files])
    if seed is None:
        records = names.flat_map(tf.data.TFRecordDataset)
    else:
        shuffled = names.shuffle(len(files), seed=seed)
        records = shuffled.interleave(
            tf.data.TFRecordDataset,
            cycle_length=min(len(files), _SHARDS_AT_ONCE),
            num_parallel_calls=runtime.cores(),
            deterministic=True,
        )
    wanted: dict[str, Any] = {"path": tf.io.FixedLenFeature([], tf.string), "label": _LABELS[task]}
    if contents:
        wanted["image"] = tf.io.FixedLenFeature([], tf.string)
    else:
        wanted["group"] = tf.io.FixedLenFeature([], tf.string, default_value="")

    def example(record: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.io.parse_single_example(record, wanted)
        if task == "regression":
            values["label"] = number_text(values["label"])
        if task == "multi_label":  # names are on one line each, so lines tell them apart
            values["label"] = tf.strings.reduce_join(values["label"], separator="\n")
        return {_ROLES.get(name, name): value for name, value in values.items()}

    return records.map(runtime.as_is(example), num_parallel_calls=runtime.cores(), deterministic=True)


def _seen_in(file: Path, count: int, task: Task) -> list[Seen]:
    """Read one shard's names and labels, by which all of its check sums are gone through."""
    try:
        seen = passed_through(partial(_section, [file], task=task))
    except tf.errors.OpError as error:
        reason = error.message.partition("\n")[0].removeprefix("{{").strip()
        raise DataError(f"{file} is damaged ({reason}); copy it again, or write the shards again.") from error
    if len(seen) != count:
        raise DataError(
            f"{file} holds {len(seen):,} pictures, and {INDEX} says {count:,}; write the shards again."
        )
    return seen

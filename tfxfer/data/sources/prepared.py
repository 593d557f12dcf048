"""A data set that TensorFlow Datasets has prepared becomes a data set of ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf

from tfxfer import runtime
from tfxfer.contracts import Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Content, RandomAccess, Seen
from tfxfer.data.pixels.streaming import Stream, passed_through
from tfxfer.data.sources.assembly import assembled, class_names, named_parts
from tfxfer.data.sources.prepared_features import image_among, labels_among
from tfxfer.data.sources.row_text import number_text, numbers_in
from tfxfer.data.sources.rows import Row, check_task, from_rows
from tfxfer.data.splits.cutting import PART_NAMES
from tfxfer.errors import DataError, SettingError, did_you_mean

__all__ = ["from_tfds"]

_REMEDY = "it was prepared anew meanwhile; read it again."


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which features are taken, and the names of the classes."""

    image: str
    labels: tuple[str, ...]
    group: str | None
    classes: tuple[str, ...]
    task: Task


@dataclass(frozen=True, slots=True, eq=False)
class _ArrayRecords(RandomAccess):
    """Examples that can be had by number; a picture's name is its part and that."""

    name: str
    examples: Mapping[Part, Any]
    image: str

    def __str__(self) -> str:
        return self.name

    def content(self, key: str) -> Content:
        part, _, number = key.partition("/")
        encoded: bytes = self.examples[cast("Part", part)][int(number)][self.image]
        return encoded


def from_tfds(
    name: str,
    *,
    data_dir: str | Path | None = None,
    parts: Mapping[str, str] | None = None,
    image: str | None = None,
    label: str | Sequence[str] | None = None,
    task: Task = "single_label",
    group: str | None = None,
    download: bool = False,
    seed: int = 0,
    resize: Resize = "crop",
) -> Photos:
    """Read a data set of TensorFlow Datasets into records, classes and a split; pictures stay encoded.

    Its own splits are the parts: two parts alone are training and test, training alone is cut into all
    three. Prepared as TFRecord it is streamed, as ArrayRecord read at random.

    Args:
        name: As TensorFlow Datasets calls it, such as ``"beans"`` or ``"oxford_iiit_pet:3.2.0"``.
        data_dir: The folder it is prepared in; None takes TensorFlow Datasets' own.
        parts: Part (train, validation or val, test) -> split, such as ``{"train": "train[:80%]", "test":
            "train[80%:]"}``; None takes the splits that are called like parts.
        image: The feature that is the picture; None takes the one it is supervised by, or the only one.
        label: The feature that is the class; None likewise. For several labels, the one that is a sequence of
            classes, or several that are 0 or 1 each; for regression one number, or several.
        task: What is learnt: ``"single_label"``, ``"multi_label"`` or ``"regression"``.
        group: The feature of what must stay in one part, text or an integer; None lets each stand alone.
        download: Whether it is downloaded and prepared where it is not yet.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size, as in ``from_folder``.

    Returns:
        The data set.

    Raises:
        DataError: It is not known or not prepared, it has no split to learn from, or there are too few
            pictures of a class.
        SettingError: No such feature or split, several to choose from, or parts are called otherwise.
    """
    check_task(task)
    name = name.removeprefix("tfds:")
    title = f"tfds:{name}"
    with _quiet():
        builder = _builder(name, data_dir, download=download)
        columns = _columns(title, builder.info, image=image, label=label, task=task, group=group)
        splits = _splits(title, builder.info.splits, parts)
        read = _array_records if builder.info.file_format.value == "array_record" else _stream
        source, seen = read(title, builder, splits, columns)
    labels = [each.label for pictures in seen.values() for each in pictures]
    if task != "single_label":
        rows = [_row(label, columns) for label in labels]
        return from_rows(source, seen, rows, classes=columns.classes, task=task, seed=seed, resize=resize)
    meanings = class_names(title, labels, columns.classes, numbers=True)
    return assembled(source, seen, meanings=meanings, seed=seed, resize=resize)


def _builder(name: str, data_dir: str | Path | None, *, download: bool) -> Any:
    import tensorflow_datasets as tfds  # heavy, and needed here alone

    folder = None if data_dir is None else Path(data_dir).expanduser()
    where = folder or tfds.core.constants.DATA_DIR
    try:
        builder = tfds.builder(name, data_dir=folder)
    except tfds.core.registered.DatasetNotFoundError as error:
        hint = did_you_mean(name.partition("/")[0].partition(":")[0], tfds.list_builders()) or "."
        raise DataError(
            f"TensorFlow Datasets knows no {name!r}, and none is prepared in {where}{hint} --data-dir "
            "(data_dir=…) says in which folder it is prepared."
        ) from error
    except (AssertionError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"TensorFlow Datasets cannot open {name!r} in {where} ({reason}).") from error
    if not builder.is_prepared():
        if not download:
            raise DataError(
                f"tfds:{name} is not prepared at {builder.data_path}, and nothing is downloaded unasked; "
                "give --download (download=True), or --data-dir (data_dir=…) if it is prepared elsewhere."
            )
        builder.download_and_prepare()
    return builder


def _columns(
    title: str,
    info: Any,
    *,
    image: str | None,
    label: str | Sequence[str] | None,
    task: Task,
    group: str | None,
) -> _Columns:
    from tensorflow_datasets import features as kinds

    keys = info.supervised_keys
    supervised = (
        keys if isinstance(keys, tuple) and all(isinstance(key, str) for key in keys) else (None, None)
    )
    features = dict(info.features.items()) if isinstance(info.features, kinds.FeaturesDict) else {}
    image = image_among(title, features, image, supervised[0])
    labels, classes = labels_among(title, features, label, supervised[-1], task=task)
    if (kind := np.dtype(features[image].np_dtype).name) not in ("uint8", "uint16"):
        raise SettingError(f"{title}: feature {image!r} has pixels of {kind}; pictures have uint8 or uint16.")
    if group is not None and group not in features:
        hint = did_you_mean(group, features) or "."
        raise SettingError(f"{title} has no feature {group!r}{hint} It has {', '.join(sorted(features))}.")
    return _Columns(image, labels, group, classes, task)


def _splits(title: str, splits: Mapping[str, Any], parts: Mapping[str, str] | None) -> dict[Part, str]:
    """Tell which split is which part."""
    there = ", ".join(splits) or "none"
    if parts is None:
        named = [split for split in splits if split.lower() in PART_NAMES and splits[split].num_examples]
        if not any(PART_NAMES[split.lower()] == "train" for split in named):
            raise DataError(
                f"{title} has no split to learn from (it has {there}); parts={{'train': 'SPLIT'}} says "
                "which one."
            )
        return named_parts(title, {split: split for split in named})
    for split in parts.values():
        try:
            splits[split]
        except (KeyError, ValueError, AssertionError) as error:
            raise SettingError(
                f"{title} has no split {split!r}; it has {there}, and slices of them."
            ) from error
    return named_parts(title, parts)


def _stream(
    title: str, builder: Any, splits: Mapping[Part, str], columns: _Columns
) -> tuple[Stream, Mapping[Part, list[Seen]]]:
    sections = {part: partial(_section, builder, split, columns) for part, split in splits.items()}
    seen = {part: passed_through(section) for part, section in sections.items()}
    return Stream(title, sections, seen, _REMEDY), seen


def _section(
    builder: Any, split: str, columns: _Columns, *, contents: bool, seed: int | None
) -> tf.data.Dataset:
    """Read one split as ``Section`` says."""
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(add_tfds_id=True, try_autocache=False, shuffle_seed=seed)
    wanted = {
        **dict.fromkeys(columns.labels, True),
        **({} if columns.group is None else {columns.group: True}),
    }
    decoders = tfds.decode.PartialDecoding(
        {**wanted, columns.image: True} if contents else wanted,
        decoders={columns.image: tfds.decode.SkipDecoding()} if contents else None,
    )
    with _quiet():
        dataset = builder.as_dataset(
            split=split, shuffle_files=seed is not None, read_config=config, decoders=decoders
        )

    def example(each: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        named = {"key": each["tfds_id"], "label": _text(each, columns)}
        if contents:
            return {**named, "content": each[columns.image]}
        group = tf.constant("") if columns.group is None else each[columns.group]
        return {**named, "group": group if group.dtype == tf.string else tf.strings.as_string(group)}

    return dataset.map(runtime.as_is(example))


def _array_records(
    title: str, builder: Any, splits: Mapping[Part, str], columns: _Columns
) -> tuple[_ArrayRecords, Mapping[Part, list[Seen]]]:
    import tensorflow_datasets as tfds

    decoders = {columns.image: tfds.decode.SkipDecoding()}
    examples = {
        part: builder.as_data_source(split=split, decoders=decoders) for part, split in splits.items()
    }
    seen = {
        part: [_seen(f"{part}/{number:06}", each[number], columns) for number in range(len(each))]
        for part, each in examples.items()
    }
    return _ArrayRecords(title, examples, columns.image), seen


def _text(example: Mapping[str, tf.Tensor], columns: _Columns) -> tf.Tensor:
    """Write what an example shows as the text that it is held to."""
    if columns.task == "single_label":
        return tf.strings.as_string(example[columns.labels[0]])
    return number_text(
        tf.concat([tf.reshape(tf.cast(example[name], tf.float64), [-1]) for name in columns.labels], 0)
    )


def _row(text: str, columns: _Columns) -> Row:
    """Read from it what the example shows: of a sequence of classes their names, each once."""
    numbers = numbers_in(text)
    if columns.task == "multi_label" and len(columns.labels) == 1:
        return tuple(columns.classes[int(number)] for number in sorted(set(numbers)))
    return numbers


def _seen(key: str, example: Mapping[str, Any], columns: _Columns) -> Seen:
    group = b"" if columns.group is None else example[columns.group]
    text = group.decode(errors="replace") if isinstance(group, bytes) else str(group)
    if columns.task == "single_label":
        return Seen(key, str(example[columns.labels[0]]), text or None)
    numbers = [number for name in columns.labels for number in np.ravel(example[name]).tolist()]
    return Seen(key, " ".join(map(str, map(float, numbers))), text or None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what TensorFlow Datasets' use of deprecated names makes TensorFlow and absl warn of."""
    loggers = [logging.getLogger(name) for name in ("absl", "tensorflow")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

"""Pictures that stream by, in shards or as somebody's data set, become batches; memory stays flat."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer import runtime
from tfxfer.contracts import InputContract, Part, Resize
from tfxfer.data.pixels.cache import MEMORY_BYTES, Cache
from tfxfer.data.pixels.contents import Content, Seen, Source
from tfxfer.data.pixels.decode import read_image
from tfxfer.data.pixels.pipeline import Augment, picture_seed
from tfxfer.errors import DataError, SettingError
from tfxfer.runtime import Epochs

__all__ = ["SHUFFLE_BUFFER", "Section", "Stream", "passed_through"]

SHUFFLE_BUFFER = 1024
"""A stream that is not kept in memory is shuffled within so many pictures, beside its shards' order."""


class Section(Protocol):
    """How one part of a stream is read, again and again."""

    def __call__(self, *, contents: bool, seed: int | None) -> tf.data.Dataset:
        """Open it.

        Args:
            contents: Whether pictures are wanted, or names and labels alone, which may be had faster.
            seed: None reads in an order that is always the same; else shards are shuffled, anew each epoch.

        Returns:
            Dictionaries of scalars: ``"key"``, ``"label"`` and (without contents, and empty for none)
            ``"group"``, strings; and ``"content"``: encoded bytes, or pixels, uint8.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Stream(Source):
    """Pictures in sections that are read from beginning to end.

    Attributes:
        name: What messages call it.
        sections: Part -> how it is read.
        seen: Part -> what was found in it when it was first read, in order.
        remedy: What to do where it is read otherwise later.
    """

    name: str
    sections: Mapping[Part, Section]
    seen: Mapping[Part, Sequence[Seen]]
    remedy: str

    def __str__(self) -> str:
        return self.name

    def contents(self, keys: Sequence[str]) -> Iterator[tuple[int, Content]]:
        """Yield the pictures in the stream's order, each held to the label that it had."""
        wanted = {key: position for position, key in enumerate(keys)}
        left = set(wanted)
        for section in self._chosen(keys, seed=None):
            for example in runtime.untuned(section).as_numpy_iterator():
                key = os.fsdecode(example["key"])
                self._hold(key, example["label"], example["expected"])
                left.discard(key)
                yield wanted[key], example["content"]
        if left:
            raise DataError(f"{self.name} no longer has {min(left)}, which it had at first; {self.remedy}")

    def batches(
        self,
        keys: Sequence[str],
        targets: npt.NDArray[Any],
        *,
        size: InputContract,
        resize: Resize,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augment: Augment | None = None,
        cache: Cache = "auto",
        deterministic: bool = True,
        epochs: Epochs | None = None,
    ) -> tf.data.Dataset:
        """Choose, decode, perhaps shuffle and augment, and batch.

        Args:
            keys: The pictures wanted.
            targets: What is learnt, one row a picture.
            size: Height and width to bring every picture to.
            resize: How, as in ``read_image``.
            batch_size: Pictures a batch; the last one may be smaller.
            seed: Seed of shuffling and augmentation.
            shuffle: Whether the order is new each epoch, or the stream's own.
            augment: Applied to each picture, every epoch anew, or None.
            cache: ``"memory"`` keeps decoded pictures for the next epoch, ``"none"`` does not, ``"auto"``
                does up to 1 GiB.
            deterministic: Whether a seed gives the same order each time.
            epochs: What tells which epoch it is; None counts. The order of what is not kept is counted in any
                case.

        Returns:
            Pairs of pixels, shape (batch, height, width, 3), uint8, and targets, shape (batch, ...).

        Raises:
            SettingError: Another ``cache``.
        """
        kept = _kept(cache, len(keys) * int(np.prod(size.shape)))
        mapping: dict[str, Any] = {"num_parallel_calls": runtime.cores(), "deterministic": deterministic}
        sections = self._chosen(keys, seed=seed if shuffle and not kept else None)
        dataset = reduce(tf.data.Dataset.concatenate, sections)
        if shuffle and not kept:
            dataset = dataset.shuffle(min(len(keys), SHUFFLE_BUFFER), seed=seed)
        dataset = dataset.map(runtime.as_is(self._decoder(size, resize)), **mapping)
        if kept:
            dataset = dataset.cache()
        epochs = epochs or Epochs()
        if shuffle and kept:
            dataset = _shuffled(dataset, len(keys), epochs.lots(seed))
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(keys)))
        if augment is not None:
            dataset = tf.data.Dataset.zip(dataset, epochs.places(seed)).map(
                runtime.as_is(_augmenter(augment, size)), **mapping
            )
        truth = tf.constant(targets)
        dataset = dataset.map(
            runtime.as_is(lambda pixels, position: (pixels, tf.gather(truth, position))), **mapping
        )
        return runtime.prepared_ahead(dataset.batch(batch_size))

    def _chosen(self, keys: Sequence[str], *, seed: int | None) -> list[tf.data.Dataset]:
        """Read each section that holds some of these pictures, and leave out the others.

        Where it stands among the keys is added to each, and the label that it had.
        """
        wanted = set(keys)
        expected = {
            seen.key: seen.label for each in self.seen.values() for seen in each if seen.key in wanted
        }
        names = tf.constant([os.fsencode(key) for key in keys])
        labels = tf.constant([expected[key].encode() for key in keys])
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(names, tf.range(len(keys), dtype=tf.int64)), default_value=-1
        )

        def choose(section: tf.data.Dataset) -> tf.data.Dataset:
            placed = section.map(runtime.as_is(lambda each: {**each, "position": table.lookup(each["key"])}))
            found = placed.filter(runtime.as_is(lambda each: each["position"] >= 0))
            return found.map(
                runtime.as_is(lambda each: {**each, "expected": tf.gather(labels, each["position"])})
            )

        return [
            choose(self.sections[part](contents=True, seed=seed))
            for part, each in self.seen.items()
            if any(seen.key in wanted for seen in each)
        ]

    def _decoder(self, size: InputContract, resize: Resize) -> Any:
        def view(key: bytes, label: bytes, expected: bytes, content: Content) -> npt.NDArray[np.uint8]:
            name = os.fsdecode(key)
            self._hold(name, label, expected)
            return read_image(content, height=size.height, width=size.width, resize=resize, name=name)

        def decode(example: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            wanted = [example[name] for name in ("key", "label", "expected", "content")]
            return tf.ensure_shape(tf.numpy_function(view, wanted, tf.uint8), size.shape), example["position"]

        return decode

    def _hold(self, key: str, label: bytes, expected: bytes) -> None:
        if label != expected:
            raise DataError(
                f"{self.name} gives {key} the label {label.decode()!r}, and gave it {expected.decode()!r} "
                f"at first; {self.remedy}"
            )


def passed_through(section: Section) -> list[Seen]:
    """Read the names, labels and groups of one section, and no pictures."""
    return [
        Seen(os.fsdecode(each["key"]), each["label"].decode(), each["group"].decode() or None)
        for each in runtime.untuned(section(contents=False, seed=None)).as_numpy_iterator()
    ]


def _kept(cache: Cache, size: int) -> bool:
    if cache not in ("auto", "memory", "none"):
        raise SettingError(
            f"cache must be auto, memory or none where pictures are streamed, got {cache!r}; write them as "
            "files to have them kept on disk."
        )
    return cache == "memory" or (cache == "auto" and size <= MEMORY_BYTES)


def _shuffled(dataset: tf.data.Dataset, count: int, lots: tf.data.Dataset) -> tf.data.Dataset:
    """Shuffle the whole of a data set by each epoch's lot."""
    specs = tf.nest.flatten(dataset.element_spec)

    def shuffled(lot: tf.Tensor) -> tf.data.Dataset:
        # Dataset.shuffle takes no tensor as its seed where a seed was set for the process; checked on 2.21.
        variant = tf.raw_ops.ShuffleDataset(
            input_dataset=tf.data.experimental.to_variant(dataset),
            buffer_size=count,
            seed=lot,
            seed2=0,
            output_types=[spec.dtype for spec in specs],
            output_shapes=[spec.shape for spec in specs],
            reshuffle_each_iteration=False,
        )
        return tf.data.experimental.from_variant(variant, dataset.element_spec)

    return lots.flat_map(runtime.as_is(shuffled))


def _augmenter(augment: Augment, size: InputContract) -> Any:
    def view(pixels: npt.NDArray[np.uint8], position: np.int64, lot: np.int64) -> npt.NDArray[np.uint8]:
        return augment(pixels.copy(), picture_seed(int(lot), int(position)))

    def apply(example: tuple[tf.Tensor, tf.Tensor], place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels, position = example
        changed = tf.numpy_function(view, [pixels, position, place[0]], tf.uint8)
        return tf.ensure_shape(changed, size.shape), position

    return apply

"""A data set of labelled pictures: records, classes and a split, without pixels."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfxfer import data
from tfxfer.contracts import PARTS, RESIZES, ImageRecord, InputContract, LeftOut, Part, Resize, Split, Task
from tfxfer.data.pixels.contents import Content, Files, RandomAccess
from tfxfer.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import tensorflow as tf

    from tfxfer.data.pixels.cache import Cache, Read
    from tfxfer.data.pixels.pipeline import Augment
    from tfxfer.data.pixels.streaming import Stream
    from tfxfer.runtime import Epochs

__all__ = ["Photos"]


@dataclass(frozen=True, slots=True)
class Photos:
    """Labelled pictures.

    Attributes:
        source: Where the records' pixels are got: files, arrays, or a stream.
        classes: Class names; a record's label is an index into them.
        records: One a picture.
        split: Which record is in which part.
        resize: How pictures are brought to a model's size, ``"crop"`` or ``"stretch"``.
        task: What is learnt of a picture. For regression, classes are the names of its numbers.
        strata: Names of what records' labels are indices into, where these are not the classes.
        left_out: What ``tfxfer.clean`` left out, by path; None where it has not looked.
    """

    source: RandomAccess | Stream
    classes: tuple[str, ...]
    records: tuple[ImageRecord, ...]
    split: Split
    resize: Resize = "crop"
    task: Task = "single_label"
    strata: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] | None = None

    def __post_init__(self) -> None:
        if self.resize not in RESIZES:
            raise SettingError(f"resize must be 'crop' or 'stretch', got {self.resize!r}.")

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of what records' labels are indices into."""
        return self.strata or self.classes

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        """Say how many pictures of each class are in each part, or what its numbers are there."""
        head, width = "class", max(len(name) for name in (*self.classes, "class"))
        cells = {part: self._counts(part) for part in PARTS}
        if self.task == "regression":
            head, cells = "mean", {part: self._means(part) for part in PARTS}
        rows = [f"{head:<{width}}" + "".join(f"{part:>12}" for part in PARTS)]
        for label, name in enumerate(self.classes):
            rows.append(f"{name:<{width}}" + "".join(f"{cells[part][label]:>12}" for part in PARTS))
        return "\n".join(rows)

    def _counts(self, part: Part) -> list[str]:
        shown = Counter(label for target in self.shown(part) for label in target)
        return [f"{shown[label]}" for label in range(len(self.classes))]

    def _means(self, part: Part) -> list[str]:
        columns = zip(*self.shown(part), strict=True)
        return [f"{statistics.fmean(column):.4g}" for column in columns] or [""] * len(self.classes)

    def shown(self, part: Part) -> list[tuple[int, ...] | tuple[float, ...]]:
        """Return what the pictures of one part show: indices of their classes, or their numbers."""
        records = (self.records[index] for index in self._indices(part))
        return [(record.label,) if record.target is None else record.target for record in records]

    @property
    def root(self) -> Path:
        """Folder that the records' paths start from.

        Raises:
            SettingError: The pictures are not files.
        """
        if not isinstance(self.source, Files):
            raise SettingError(
                f"the pictures of {self.source} are not files, and have no paths; "
                "photos.names(part) says what they are called, photos.contents() gives them as they are kept."
            )
        return self.source.root

    def paths(self, part: Part) -> list[Path]:
        """Return the files of one part, in the order of the records.

        Raises:
            SettingError: No such part, or the pictures are not files.
        """
        return [self.root / self.records[index].path for index in self._indices(part)]

    def names(self, part: Part) -> list[str]:
        """Return what the pictures of one part are called, in the records' order: files by their path."""
        return [self.source.name_of(self.records[index].path) for index in self._indices(part)]

    def contents(self, indices: Sequence[int] | None = None) -> Iterator[tuple[int, Content]]:
        """Yield pictures as they are kept: files as paths, others as encoded bytes or as pixels.

        Args:
            indices: Which records; None takes all.

        Yields:
            A record's index and its picture: each once, those of a stream in its own order.

        Raises:
            DataError: The source has changed since it was first read.
        """
        wanted = range(len(self.records)) if indices is None else indices
        for position, content in self.source.contents([self.records[index].path for index in wanted]):
            yield wanted[position], content

    def labels(self, part: Part) -> list[int]:
        """Return the labels of one part as ``ImageRecord`` has them, in the order of the records."""
        return [self.records[index].label for index in self._indices(part)]

    def targets(self, part: Part) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return what is learnt of one part, in the order of the records.

        Returns:
            Class indices, shape (pictures,), int64; for several labels 0 and 1, shape (pictures, classes),
            float32; for regression numbers in their own units, shape (pictures, numbers), float32.
        """
        return data.as_array(self.shown(part), task=self.task, classes=len(self.classes))

    def check(self, part: Part | None = None) -> None:
        """Decode every picture once, of one part or of all, and accept none that is bad.

        ``tfxfer.clean`` leaves some out.

        Raises:
            DataError: Some cannot be read, of which all are counted and the first ten named; or the source
                has changed since it was first read.
        """
        indices = None if part is None else self._indices(part)
        data.check_pictures(
            (self.source.name_of(self.records[index].path), content)
            for index, content in self.contents(indices)
        )

    def folds(self, k: int, *, seed: int = 0) -> tuple[Photos, ...]:
        """Cut all but the test part into k folds, for cross-validation.

        Fold by fold, one is the validation part and the others together the training part, so that each
        picture validates once. The test part stays as it is. As in the first split, every class is
        in every fold, what is of one group or looks alike is in one fold, and which fold a picture falls into
        depends on the seed and its path, so that adding a picture moves few others.

        Args:
            k: How many folds; at least 2.
            seed: Any integer; another seed gives other folds.

        Returns:
            k data sets of the same records.

        Raises:
            DataError: A class has fewer than k pictures, or groups.
            SettingError: ``k`` is below 2.
        """
        return data.k_folds(self, k, seed=seed)

    def few(self, k: int, *, seed: int = 0) -> Photos:
        """Keep k pictures a class in the training part, to learn from few.

        The validation and the test part stay as they are; the other training pictures stay in the records,
        and are in no part. Which are kept depends on the seed and their paths, so that adding a picture
        changes at most one of a class, and ``few(5)`` is within ``few(10)``. Of one group, or of what
        looks alike, a second picture is kept only where there are not enough others.

        Args:
            k: Training pictures a class; at least 1.
            seed: Any integer; another seed keeps others.

        Returns:
            A data set of the same records.

        Raises:
            DataError: A class has fewer training pictures.
            SettingError: ``k`` is below 1, or pictures do not show one class each.
        """
        return data.few_shot(self, k, seed=seed)

    def batches(
        self,
        part: Part,
        *,
        image_size: int | tuple[int, int] = 224,
        batch_size: int = 32,
        seed: int = 0,
        shuffle: bool | None = None,
        augment: Augment | None = None,
        cache: Cache = "auto",
        deterministic: bool = True,
        epochs: Epochs | None = None,
        targets: npt.NDArray[Any] | None = None,
    ) -> tf.data.Dataset:
        """Return one part as batches for ``keras.Model.fit``, ``evaluate`` or ``predict``.

        The training part is shuffled and augmented anew each epoch; the others keep the records' order. A
        stream that is not kept in memory is shuffled shard by shard, and within 1,024 pictures.

        Args:
            part: ``"train"``, ``"validation"`` or ``"test"``.
            image_size: Side of a square, or (height, width), in pixels.
            batch_size: Pictures a batch; the last one may be smaller.
            seed: Seed of shuffling and augmentation.
            shuffle: Whether pictures come in another order each epoch; None shuffles the training part.
            augment: Applied to each training picture, every epoch anew: uint8 pixels of shape
                (height, width, 3) and a seed in, such pixels out. Not applied to the other parts.
            cache: Where decoded pictures are kept for the next epoch: ``"memory"``, ``"disk"`` (in a file
                that goes away with the process), ``"none"``, or ``"auto"``: memory up to 1 GiB, else disk
                up to 16 GiB and half of what is free, else none. Streams are kept in memory or not at all.
            deterministic: Whether a seed gives the same order each time; if not, pictures come as they are
                ready.
            epochs: What tells which epoch it is; None counts how often the data set is gone through.
            targets: What goes with each picture, one row each in the order of the part's records, such as
                what another model makes of them; None takes what ``Photos.targets`` gives.

        Returns:
            Pairs of pixels, shape (batch, height, width, 3), uint8 in 0..255, and what is learnt of them, as
            ``Photos.targets`` gives it: for one class a picture its index, shape (batch,), int64.

        Raises:
            SettingError: No such part or cache, a size that is not above 0, or no room on disk.
        """
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        for name, value in (("image_size", min(height, width)), ("batch_size", batch_size)):
            if value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}.")
        settings: dict[str, Any] = {
            "size": InputContract(height, width),
            "batch_size": batch_size,
            "seed": seed,
            "shuffle": part == "train" if shuffle is None else shuffle,
            "augment": augment if part == "train" else None,
            "cache": cache,
            "deterministic": deterministic,
            "epochs": epochs,
        }
        keys = [self.records[index].path for index in self._indices(part)]
        learnt = self.targets(part) if targets is None else targets
        if isinstance(self.source, RandomAccess):
            # A picture that is in a part several times, as balancing repeats it, is decoded and kept once.
            places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
            read = self._reader(self.source, list(places), height, width)
            settings["places"] = [places[key] for key in keys]
            return data.make_batches(read, learnt, **settings)
        return self.source.batches(keys, learnt, resize=self.resize, **settings)

    def _reader(self, source: RandomAccess, keys: Sequence[str], height: int, width: int) -> Read:
        def read(index: int) -> npt.NDArray[np.uint8]:
            key = keys[index]
            return data.read_image(
                source.content(key),
                height=height,
                width=width,
                resize=self.resize,
                name=source.name_of(key),
            )

        return read

    def _indices(self, part: Part) -> tuple[int, ...]:
        if part not in PARTS:
            hint = did_you_mean(part, PARTS) or "."
            raise SettingError(f"no part {part!r}{hint} There are {', '.join(PARTS)}.")
        return self.split[part]

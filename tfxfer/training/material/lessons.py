"""What each phase learns from: pictures, or what the frozen part made of them, and the suffix that learns."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console

from tfxfer import augment as room
from tfxfer import runtime
from tfxfer.augment import soft_labels
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.features import (
    Cut,
    Extraction,
    check_writable,
    choose_engine,
    joint_prefix,
    open_features,
    tell_engine,
    watched,
)
from tfxfer.models import computing_in, input_contract
from tfxfer.training.material.changes import make_datasets
from tfxfer.training.material.feature_plan import FeaturePlan
from tfxfer.training.material.teaching import Teaching

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, FroFA, Mixing

__all__ = ["Lesson", "Lessons", "feature_batches"]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one phase compiles and fits.

    Attributes:
        model: The whole model, or the suffix of it that learns.
        training: Batches that it learns from.
        validation: Batches that choose.
        cut: The operations whose kept outputs the batches are; none where they are pictures.
        class_weight: Class index -> weight in the loss, where Keras is to apply it.
        turns: Over how many batches gradients are accumulated before each step.
        example: One picture's zeros in the form of a training batch, where several devices share them.
    """

    model: keras.Model
    training: tf.data.Dataset
    validation: tf.data.Dataset
    cut: tuple[str, ...] = ()
    class_weight: Mapping[int, float] | None = None
    turns: int = 1
    example: tuple[Any, ...] | None = None


@dataclass(slots=True, eq=False)
class Lessons:
    """What each phase learns from; features are computed when the first needs them, for all they hold for.

    Attributes:
        model: The whole model.
        plan: Which phases train on features.
        order: All phases' names, in their order.
        changing: Of these, those that change what is frozen before they begin.
        photos: The data set, balanced.
        augment: What training pictures go through, or all views of them but the first, or what the head gets
            of them; or None.
        mixing: What each training batch goes through, or None.
        smoothing: Share of each training label that goes to all classes alike.
        batch_size: Pictures a step, of all devices and turns together.
        class_weight: Class index -> weight in the loss, or None.
        teaching: What a teacher makes of training pictures, or None.
        devices: Which devices share each batch.
        seed: Seed of the order, and of which view is drawn.
        progress: Whether to show how far it is.
        console: Where.
        turns: In how many parts each batch is learnt from, one after the other.
        seconds: What computing took so far.
        epochs: Which epoch it is, to be told before each.
    """

    model: keras.Model
    plan: FeaturePlan
    order: Sequence[str]
    changing: Sequence[str]
    photos: Photos
    augment: Augmentation | DeviceAugmentation | FroFA | None
    mixing: Mixing | None
    smoothing: float
    batch_size: int
    class_weight: Mapping[int, float] | None
    teaching: Teaching | None
    devices: tf.distribute.Strategy
    seed: int
    progress: bool
    console: Console | None
    turns: int = 1
    seconds: float = 0.0
    epochs: runtime.Epochs = field(default_factory=runtime.Epochs)
    _kept: dict[str, tuple[Extraction, tuple[int, ...]]] = field(default_factory=dict)
    _whole: Lesson | None = None

    @property
    def turn_size(self) -> int:
        """How many pictures are learnt from at once."""
        return math.ceil(self.batch_size / self.turns)

    def halve(self) -> None:
        """Have half as many pictures learnt from at once, in the order in which the first would have come."""
        self.turns *= 2
        self._whole = None

    def lesson(self, phase: str) -> Lesson:
        """Return what a phase compiles and fits.

        Raises:
            DataError: A picture cannot be read.
            SettingError: The features are to be kept, and cannot be.
        """
        if not self._on_kept(phase):
            # Where every phase trains on features, no pictures are asked for.
            self._whole = self._whole or self._softened(self._on_pictures())
            return self._shared(self._whole)
        return self._shared(self._softened(self._on_features(phase)))

    def vectors(self, indices: Sequence[int], views: int) -> npt.NDArray[np.float32] | None:
        """Return what the first phase's head gets of pictures, where that is kept.

        Args:
            indices: Which records, of the training or the validation part.
            views: How many views of each, the first as it is; of the validation part there is no other.

        Returns:
            Shape (pictures * views, features), the views of a picture after each other; None where the first
            phase learns from pictures or maps, or from what it changes first.
        """
        first = self.order[0]
        cut = None if first in self.changing else self.plan.cuts.get(first)
        if cut is None or not cut.for_head or not self._on_kept(first):
            return None
        extraction, outputs = self._kept[first]
        (features,) = extraction.gather(extraction.places(indices, views).ravel(), outputs)
        return features.astype(np.float32)

    def scores(self, phase: str) -> npt.NDArray[np.float32] | None:
        """Return what the model makes of the validation part, by the features that a phase has learnt from.

        Args:
            phase: The one that the model is of now.

        Returns:
            One row a picture, in the order of the split; None where the phase has learnt from pictures.
        """
        if phase not in self._kept:
            return None
        lesson = self._on_features(phase)
        pictures = len(self.photos.split.validation)
        batches = runtime.filled_up(lesson.validation, self.batch_size)
        return np.asarray(lesson.model.predict(batches, verbose=0)[:pictures], np.float32)

    def _shared(self, lesson: Lesson) -> Lesson:
        """Cut batches into one share a device, or one a turn, where there are several."""
        devices = self.devices.num_replicas_in_sync
        count = max(devices, self.turns)
        if count == 1:
            return replace(lesson, class_weight=self.class_weight)
        training = runtime.in_shares(lesson.training, count, class_weight=self.class_weight)
        if devices == 1:
            pictures = len(self.photos.split.validation)
            shared = {"pictures": pictures, "batch_size": self.turn_size, "count": 1}
            validation = runtime.even_batches(lesson.validation, **shared)
            return replace(lesson, training=training, validation=validation, turns=self.turns)
        validation = runtime.even_batches(
            lesson.validation,
            pictures=len(self.photos.split.validation),
            batch_size=self.batch_size,
            count=devices,
        )
        return replace(
            lesson,
            training=runtime.each_its_own(training, self.devices),
            validation=runtime.each_its_own(validation, self.devices),
            example=tf.nest.map_structure(
                lambda spec: np.zeros((1, *spec.shape[1:]), spec.dtype.as_numpy_dtype), training.element_spec
            ),
        )

    def _softened(self, lesson: Lesson) -> Lesson:
        """Have labels be shares of classes: of mixed pictures, smoothed, or with a teacher's beside them."""
        if not (self.mixing or self.smoothing or self.teaching):
            return lesson
        training, validation = soft_labels(
            lesson.training,
            lesson.validation,
            classes=len(self.photos.classes),
            mix=self.mixing,
            smoothing=0.0 if self.teaching else self.smoothing,  # whose rows have it in them
            seed=self.seed,
            epochs=self.epochs,
        )
        return replace(lesson, training=training, validation=validation)

    def _on_features(self, phase: str) -> Lesson:
        extraction, outputs = self._kept[phase]
        cut, split = self.plan.cuts[phase], self.photos.split
        shared: dict[str, Any] = {"outputs": outputs, "batch_size": self.batch_size}
        training = feature_batches(
            extraction,
            extraction.places(split.train, self.plan.views_of(phase)),
            self._taught(),
            seed=self.seed,
            epochs=self.epochs,
            **shared,
        )
        validation = feature_batches(
            extraction,
            extraction.places(split.validation, 1),
            self.photos.targets("validation"),
            seed=None,
            **shared,
        )
        return Lesson(cut.suffix, training, validation, cut.names)

    def _on_pictures(self) -> Lesson:
        parts = make_datasets(
            self.photos,
            size=input_contract(self.model),
            batch_size=self.batch_size,
            seed=self.seed,
            augment=self.augment,
            epochs=self.epochs,
            targets=self._taught(),
        )
        return Lesson(self.model, *parts)

    def _taught(self) -> npt.NDArray[Any]:
        """Return what is learnt of training pictures, one row each."""
        shown = self.photos.targets("train")
        return self.teaching.beside(shown, smoothing=self.smoothing) if self.teaching else shown

    def _on_kept(self, phase: str) -> bool:
        """Say whether a phase trains on features, which are there then; "auto" goes on where none can be."""
        if phase not in self.plan.cuts or phase in self._kept:
            return phase in self.plan.cuts
        cuts = self._together(phase)
        try:
            self._compute(cuts)
        except SettingError as error:
            if self.plan.forced:
                raise
            self.plan = self.plan.without(cuts, str(error).removesuffix("."))
            if self.progress:
                console = self.console or Console(stderr=True)
                console.print(str(self.plan), markup=False, highlight=False, soft_wrap=True)
        return phase in self._kept

    def _together(self, phase: str) -> Mapping[str, Cut]:
        """Return the cuts, from a phase on, that nothing moves in front of until their phase comes."""
        together: dict[str, Cut] = {}
        moved: set[int] = set()
        for name in self.order[list(self.order).index(phase) :]:
            if name in self.changing and name != phase:
                break
            cut = self.plan.cuts.get(name)
            alike = (name in self.plan.plain) == (phase in self.plan.plain)
            if cut and alike and not moved & {id(weight) for weight in cut.prefix.weights}:
                together[name] = cut
            learner = cut.suffix if cut else self.model
            moved |= {id(weight) for weight in learner.weights}
        return together

    def _compute(self, cuts: Mapping[str, Cut]) -> None:
        started = time.perf_counter()
        check_writable()
        with computing_in("float32", self.model):
            self._extract(cuts)
        self.seconds += time.perf_counter() - started

    def _extract(self, cuts: Mapping[str, Cut]) -> None:
        prefix = joint_prefix(self.model, list(cuts.values()))
        split = self.photos.split
        indices = (*split.train, *split.validation)
        assert not isinstance(self.augment, room.DeviceAugmentation)  # the plan keeps no features of those
        phase, *_ = cuts  # those with it have as many views
        change = None if phase in self.plan.plain else self.augment
        extraction = open_features(prefix, self.photos, indices, augment=change)
        views = dict.fromkeys(split.validation, 1) | dict.fromkeys(split.train, self.plan.views_of(phase))
        extraction.make_room(views)
        missing = extraction.missing(views)
        if missing.views:
            engine, why = choose_engine(extraction.frozen, pictures=extraction.runs(missing))
            if self.progress:
                tell_engine(engine.name, why, console=self.console)
                with watched(missing.views, engine=engine.name, console=self.console) as advance:
                    extraction.compute(missing, engine, advance=advance)
            else:
                extraction.compute(missing, engine, advance=lambda _: None)
        place = {id(tensor): number for number, tensor in enumerate(prefix.outputs)}
        for name, cut in cuts.items():
            self._kept[name] = extraction, tuple(place[id(tensor)] for tensor in cut.prefix.outputs)


def feature_batches(
    extraction: Extraction,
    places: npt.NDArray[np.int64],
    targets: npt.NDArray[Any],
    *,
    outputs: Sequence[int],
    batch_size: int,
    seed: int | None,
    epochs: runtime.Epochs | None = None,
) -> tf.data.Dataset:
    """Make batches of kept features.

    Args:
        extraction: Where they are kept.
        places: Where the views of each picture are, shape (pictures, views).
        targets: What is learnt, one row a picture.
        outputs: Which of the prefix's outputs.
        batch_size: Pictures a batch; the last one may be smaller.
        seed: Seed of the order, new each epoch, and of which view of a picture is drawn in it; None keeps the
            order, and takes the first view.
        epochs: What tells which epoch it is; None counts.

    Returns:
        Pairs of features, one array or a tuple of them, float32 of shape (batch, ...), and targets, shape
        (batch, ...).
    """

    def read(
        indices: npt.NDArray[np.int64], lots: npt.NDArray[np.int64] | None = None
    ) -> list[npt.NDArray[Any]]:
        views = np.zeros(len(indices), np.int64)
        if lots is not None:
            # Of the epoch's lot and the batch's pictures: a run repeats, whatever thread reads when.
            views = np.random.default_rng([int(lots[0]), *indices.tolist()]).integers(
                places.shape[1], size=len(indices)
            )
        return [*extraction.gather(places[indices, views], outputs), targets[indices]]

    shapes = [*(extraction.shapes[output] for output in outputs), targets.shape[1:]]
    kinds = [*[tf.float16] * len(outputs), tf.as_dtype(targets.dtype)]

    def example(*drawn: tf.Tensor) -> tuple[Any, tf.Tensor]:
        found = tf.numpy_function(read, drawn, kinds)
        *maps, truth = (
            tf.ensure_shape(each, (None, *shape)) for each, shape in zip(found, shapes, strict=True)
        )
        # TensorFlow casts 14 times as fast as NumPy.
        maps = [tf.cast(each, tf.float32) for each in maps]
        return tuple(maps) if len(maps) > 1 else maps[0], truth

    order = tf.data.Dataset.range(len(places))
    if seed is not None:
        order = (epochs or runtime.Epochs()).order(len(places), seed)
    batches = order.batch(batch_size).map(runtime.as_is(example), num_parallel_calls=2, deterministic=True)
    return runtime.prepared_ahead(batches)

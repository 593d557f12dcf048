"""A linear probe of what a backbone makes of pictures: the head's optimum, and what training has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console

from tfxfer import augment as room
from tfxfer.contracts import Part
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.features import PROBE_STRENGTH, Probe, kept_features, linear_probe, pooled_prefix
from tfxfer.models import computing_in, scores_of
from tfxfer.training.material.feature_plan import DEFAULT_VIEWS
from tfxfer.training.material.lessons import Lessons

__all__ = ["Probed", "Prober", "fitted_probe"]

_Features = npt.NDArray[np.float32]
_Kept = Callable[[Sequence[int], int], _Features | None]
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """A linear probe, and what it says.

    Attributes:
        probe: The probe.
        training: Its scores of the training part, pictures as they are, shape (pictures, outputs).
        validation: Those of the validation part.
    """

    probe: Probe
    training: _Numbers
    validation: _Numbers


@dataclass(slots=True, eq=False)
class Prober:
    """Fits probes on what a model's backbone makes of the pictures that phases learn from.

    Attributes:
        model: The whole model.
        lessons: What phases learn from.
        views: How many views of a training picture are wanted where phases keep none; None is 4 where
            pictures are augmented.
    """

    model: keras.Model
    lessons: Lessons
    views: int | None = None
    _start: Probed | None = None

    def at_start(self) -> Probed:
        """Return the probe of the backbone as it begins; to be asked for before anything moves, or again.

        Raises:
            DataError: A picture cannot be read.
        """
        self._start = self._start or self._probed(self.lessons.vectors)
        return self._start

    def now(self) -> Probed:
        """Return the probe of the backbone as it is.

        Raises:
            DataError: A picture cannot be read.
        """
        return self._probed(lambda *_: None)

    def _probed(self, kept: _Kept) -> Probed:
        training, views = self._features("train", self._views, kept)
        validation, _ = self._features("validation", 1, kept)
        probe = fitted_probe(training, self.lessons.photos, self.lessons, views=views)
        return Probed(probe, probe.scores(training[::views]), probe.scores(validation))

    def _features(self, part: Part, views: int, kept: _Kept) -> tuple[_Features, int]:
        """Return features of so many views of each picture, or of one where there is no room to keep them."""
        photos = self.lessons.photos
        found = kept(photos.split[part], views)
        if found is not None:
            return found, views
        prefix = pooled_prefix(self.model)
        with computing_in("float32", self.model):
            try:
                return self._pooled(prefix, photos.split[part], views), views
            except SettingError as error:  # there is no room, or float16 does not hold them
                lessons, console = self.lessons, self.lessons.console or Console(stderr=True)
                if lessons.progress:
                    line = f"features: not kept for the head, of one view each, since {error}"
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
                return scores_of(prefix, photos, part, batch_size=self.lessons.turn_size), 1

    @property
    def _views(self) -> int:
        """How many views of a training picture there are, or are to be."""
        if self.lessons.plan.views:
            return self.lessons.plan.views
        return (self.views or DEFAULT_VIEWS) if self._augment else 1

    @property
    def _augment(self) -> room.Augmentation | room.FroFA | None:
        augment = self.lessons.augment
        return None if isinstance(augment, room.DeviceAugmentation) else augment

    def _pooled(self, prefix: keras.Model, indices: Sequence[int], views: int) -> _Features:
        """Run the backbone over pictures, or find what was kept of it."""
        lessons = self.lessons
        watching: dict[str, Any] = {"progress": lessons.progress, "console": lessons.console}
        changes: dict[str, Any] = {"augment": self._augment, "views": views}
        return kept_features(prefix, lessons.photos, indices, **changes, **watching)


def fitted_probe(features: _Features, photos: Photos, lessons: Lessons, *, views: int = 1) -> Probe:
    """Fit a probe on features of the training part, rare classes counting as they do in phases.

    Args:
        features: Shape (pictures * views, features), the views of a picture after each other.
        photos: What they are of.
        lessons: What phases learn from.
        views: How many there are of each picture; all together they count as one.

    Returns:
        The probe; where one class alone is shown, one that always says it.
    """
    targets, counting = photos.targets("train"), lessons.class_weight
    if photos.task == "single_label" and len(np.unique(targets)) == 1:
        bias = np.full(len(photos.classes), -np.log(len(targets) + 1))
        bias[targets[0]] = 0.0
        return Probe(photos.task, np.zeros((features.shape[1], len(bias))), bias)
    weights = np.array([counting[int(label)] for label in targets]) if counting else np.ones(len(targets))
    settings: dict[str, Any] = {"strength": PROBE_STRENGTH, "outputs": len(photos.classes)}
    settings["weights"] = np.repeat(weights / views, views)
    return linear_probe(features, np.repeat(targets, views, axis=0), task=photos.task, **settings)

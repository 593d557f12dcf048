"""A linear probe of what a backbone makes of pictures: the head's optimum, and what training has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tfxfer import augment as room
from tfxfer.data import Photos
from tfxfer.features import PROBE_STRENGTH, Probe, kept_features, linear_probe, pooled_prefix
from tfxfer.models import computing_in
from tfxfer.training.material.feature_plan import DEFAULT_VIEWS
from tfxfer.training.material.lessons import Lessons

__all__ = ["Probed", "Prober", "fitted_probe"]

_Features = npt.NDArray[np.float32]
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
    """

    model: keras.Model
    lessons: Lessons
    _start: Probed | None = None

    def at_start(self) -> Probed:
        """Return the probe of the backbone as it begins; to be asked for before anything moves, or again.

        Raises:
            DataError: A picture cannot be read.
            SettingError: The features are not to be kept, or one class alone is shown.
        """
        self._start = self._start or self._probed(self.lessons.vectors)
        return self._start

    def now(self) -> Probed:
        """Return the probe of the backbone as it is.

        Raises:
            DataError: As there.
            SettingError: As there.
        """
        return self._probed(lambda *_: None)

    def _probed(self, kept: Any) -> Probed:
        split, views = self.lessons.photos.split, self._views
        training, validation = (
            self._pooled(part, count) if (found := kept(part, count)) is None else found
            for part, count in ((split.train, views), (split.validation, 1))
        )
        probe = fitted_probe(training, self.lessons.photos, self.lessons, views=views)
        return Probed(probe, probe.scores(training[::views]), probe.scores(validation))

    @property
    def _views(self) -> int:
        """How many views of a training picture there are, or are to be."""
        if self.lessons.plan.views:
            return self.lessons.plan.views
        return DEFAULT_VIEWS if self._augment else 1

    @property
    def _augment(self) -> room.Augmentation | None:
        augment = self.lessons.augment
        return None if isinstance(augment, room.DeviceAugmentation) else augment

    def _pooled(self, indices: Sequence[int], views: int) -> _Features:
        """Run the backbone over pictures, or find what was kept of it."""
        lessons = self.lessons
        watching: dict[str, Any] = {"progress": lessons.progress, "console": lessons.console}
        changes: dict[str, Any] = {"augment": self._augment, "views": views}
        with computing_in("float32", self.model):
            return kept_features(pooled_prefix(self.model), lessons.photos, indices, **changes, **watching)


def fitted_probe(features: _Features, photos: Photos, lessons: Lessons, *, views: int = 1) -> Probe:
    """Fit a probe on features of the training part, rare classes counting as they do in phases.

    Args:
        features: Shape (pictures * views, features), the views of a picture after each other.
        photos: What they are of.
        lessons: What phases learn from.
        views: How many there are of each picture; all together they count as one.
    """
    targets, counting = photos.targets("train"), lessons.class_weight
    weights = np.array([counting[int(label)] for label in targets]) if counting else np.ones(len(targets))
    settings: dict[str, Any] = {"strength": PROBE_STRENGTH, "outputs": len(photos.classes)}
    settings["weights"] = np.repeat(weights / views, views)
    return linear_probe(features, np.repeat(targets, views, axis=0), task=photos.task, **settings)

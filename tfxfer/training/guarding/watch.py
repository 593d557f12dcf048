"""What is had without fine-tuning, before it begins; and whether that was better, once it is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tfxfer.config import Phase
from tfxfer.contracts import FitLog, PhaseLog
from tfxfer.data import Photos, at_most
from tfxfer.errors import SettingError
from tfxfer.features import PROBE_STRENGTH, Probe, kept_features, linear_probe, pooled_prefix
from tfxfer.guards import Guard
from tfxfer.models import Anatomy, choose_layers, computing_in, scores_of
from tfxfer.training.guarding.colours import colour_histograms
from tfxfer.training.guarding.comparing import MEASURES, lead, losses, worth
from tfxfer.training.guarding.replacing import put_in, takes_probe
from tfxfer.training.material.lessons import Lessons
from tfxfer.training.methods.anchors import Start, start_of

__all__ = ["PROBE", "Watch", "check_guard", "watch"]

PROBE = "probe"
"""What the log calls the probe where it is kept."""

_MOST = 2000
"""Validation pictures to compare by: an interval of some points, at a cost that does not grow."""
_COLOURS = 500
"""Pictures of each part whose colours are looked at: 24 shares want no more."""

_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What a model began as, and what a linear probe and colours make of validation pictures.

    Attributes:
        photos: The data set, with so many validation pictures as are compared by.
        few: The same with as many as colours are looked at.
        probe: The probe.
        probed: How well it tells each of these pictures.
        coloured: How well colours tell each of the few.
        start: Where the backbone began, if it may move.
        lessons: What phases learn from.
        batch_size: Pictures a step of judging.
        seed: Seed of the intervals.
        seconds: Wall time so far.
    """

    photos: Photos
    few: Photos
    probe: Probe
    probed: _Numbers
    coloured: _Numbers
    start: Start
    lessons: Lessons
    batch_size: int
    seed: int
    seconds: float

    def judged(self, model: keras.Model, log: FitLog) -> Guard:
        """Compare a model that has learnt with what was had without."""
        started = time.perf_counter()
        scores = self._scores(model, log)
        fitted = _worth(self.photos, scores)
        places = {index: place for place, index in enumerate(self.photos.split.validation)}
        few = fitted[[places[index] for index in self.few.split.validation]]
        over_probe, over_colours = (
            lead(mine, theirs, seed=self.seed)
            for mine, theirs in ((fitted, self.probed), (few, self.coloured))
        )
        sign = -1.0 if self.photos.task == "regression" else 1.0
        return Guard(
            measure=MEASURES[self.photos.task],
            fitted=sign * float(fitted.mean()),
            probe=sign * float(self.probed.mean()),
            colours=sign * float(self.coloured.mean()),
            over_probe=over_probe,
            over_colours=over_colours,
            kept="probe" if over_probe.high < 0 and takes_probe(model) else "fine-tuned",
            pictures=len(fitted),
            seconds=self.seconds + time.perf_counter() - started,
        )

    def _scores(self, model: keras.Model, log: FitLog) -> npt.NDArray[np.float32]:
        """Have the model look at validation pictures, or at what the phase that it is of learnt from."""
        found = self.lessons.scores(log.kept)
        if found is None:
            return scores_of(model, self.photos, "validation", batch_size=self.batch_size)
        places = {index: place for place, index in enumerate(self.lessons.photos.split.validation)}
        return found[[places[index] for index in self.photos.split.validation]]

    def restore(self, model: keras.Model, photos: Photos) -> PhaseLog:
        """Put the backbone back to where it began, and the probe into the head.

        Args:
            model: The model, as ``set_trainable(model, "head")`` leaves it.
            photos: The data set, whose whole validation part the figures are of.

        Returns:
            What it reaches, as if it were a phase.
        """
        for piece in Anatomy.of(model).backbone:
            for variable in piece.weights:
                if id(variable) in self.start:
                    variable.assign(self.start[id(variable)])
        put_in(model, self.probe)
        scores = scores_of(model, photos, "validation", batch_size=self.batch_size)
        truth = photos.targets("validation")
        loss = float(losses(photos.task, scores, truth, _deviations(photos)).mean())
        if photos.task == "regression":
            figure = float(np.abs(scores - truth).mean())
        else:
            figure = float(_worth(photos, scores).mean())
        history = {"val_loss": (loss,), f"val_{MEASURES[photos.task]}": (figure,)}
        parameters = self.probe.kernel.size + self.probe.bias.size
        return PhaseLog(PROBE, parameters, history, best_epoch=1, seconds=0.0)


def check_guard(phases: Sequence[Phase]) -> None:
    """Refuse a phase that has the name of what the guard may keep.

    Raises:
        SettingError: There is one.
    """
    if any(phase.name == PROBE for phase in phases):
        raise SettingError(
            f"a phase is called {PROBE!r}, as what the guard may keep is; give it another name, or "
            "guard=False."
        )


def watch(model: keras.Model, lessons: Lessons, phases: Sequence[Phase]) -> Watch | str:
    """Note down where a model begins, and what is had of it without fine-tuning.

    Args:
        model: The model, before its first phase.
        lessons: What phases learn from; where the first learns from pooled features, so does the probe.
        phases: All phases.

    Returns:
        What it is to be held against; or why there is nothing, as the rest of a sentence.

    Raises:
        DataError: A picture cannot be read.
        SettingError: The features that the first phase learns from are not to be kept.
    """
    anatomy, seed = Anatomy.of(model), lessons.seed
    if anatomy.learns_whole:
        return "the whole backbone learns from the beginning, as one without pretrained weights does"
    photos = at_most(lessons.photos, "validation", _MOST, seed=seed)
    parts = [list(photos.split.train), list(photos.split.validation)]
    vectors = [found for part in parts if (found := lessons.vectors(part)) is not None]
    started = time.perf_counter()
    try:
        training, validation = vectors or _pooled(model, lessons, parts)
        probe = _probe(training, photos, lessons)
    except SettingError as error:
        return str(error).removesuffix(".")
    few = at_most(at_most(photos, "train", _COLOURS, seed=seed), "validation", _COLOURS, seed=seed)
    try:
        colours = _probe(colour_histograms(few, "train"), few, lessons)
        coloured = colours.scores(colour_histograms(few, "validation"))
    except SettingError as error:
        return str(error).removesuffix(".")
    moves = any(phase.batch_norm != "frozen" or choose_layers(anatomy, phase.train) for phase in phases)
    return Watch(
        photos,
        few,
        probe,
        probed=_worth(photos, probe.scores(validation)),
        coloured=_worth(few, coloured),
        start=start_of(model) if moves else {},
        lessons=lessons,
        batch_size=lessons.turn_size,
        seed=seed,
        seconds=time.perf_counter() - started,
    )


def _pooled(
    model: keras.Model, lessons: Lessons, parts: Sequence[Sequence[int]]
) -> list[npt.NDArray[np.float32]]:
    """Run the backbone over pictures, or find what was kept of it."""
    watching: dict[str, Any] = {"progress": lessons.progress, "console": lessons.console}
    both = [index for part in parts for index in part]
    with computing_in("float32", model):
        features = kept_features(pooled_prefix(model), lessons.photos, both, **watching)
    return [features[: len(parts[0])], features[len(parts[0]) :]]


def _probe(features: npt.NDArray[np.float32], photos: Photos, lessons: Lessons) -> Probe:
    """Fit a probe on what phases learn from, rare classes counting as they do there."""
    targets, counting = photos.targets("train"), lessons.class_weight
    weights = np.array([counting[int(label)] for label in targets]) if counting else None
    settings: dict[str, Any] = {"strength": PROBE_STRENGTH, "outputs": len(photos.classes)}
    return linear_probe(features, targets, task=photos.task, weights=weights, **settings)


def _worth(photos: Photos, scores: npt.NDArray[Any]) -> _Numbers:
    return worth(photos.task, scores, photos.targets("validation"), _deviations(photos))


def _deviations(photos: Photos) -> _Numbers:
    if photos.task != "regression":
        return np.ones(1)
    found = np.std(photos.targets("train"), axis=0, dtype=np.float64)
    return np.where(found > 0, found, 1.0)

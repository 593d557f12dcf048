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
from tfxfer.features import Probe
from tfxfer.guards import Guard
from tfxfer.models import Anatomy, choose_layers, scores_of
from tfxfer.training.guarding.colours import colour_histograms
from tfxfer.training.guarding.comparing import MEASURES, deviations_of, figures, lead, worth
from tfxfer.training.guarding.replacing import put_in, takes_probe
from tfxfer.training.material.lessons import Lessons
from tfxfer.training.material.probing import Prober, fitted_probe
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
        phase: The phase that is nothing but the probe, by its name; empty where there is none.
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
    phase: str
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
        fitted = self.probed if log.kept == self.phase else _worth(self.photos, self._scores(model, log))
        over_probe = lead(fitted, self.probed, seed=self.seed)
        better = log.kept != self.phase and (over_probe.high >= 0 or not takes_probe(model))
        places = {index: place for place, index in enumerate(self.photos.split.validation)}
        few = fitted[[places[index] for index in self.few.split.validation]]
        sign = -1.0 if self.photos.task == "regression" else 1.0
        return Guard(
            measure=MEASURES[self.photos.task],
            fitted=sign * float(fitted.mean()),
            probe=sign * float(self.probed.mean()),
            colours=sign * float(self.coloured.mean()),
            over_probe=over_probe,
            over_colours=lead(few, self.coloured, seed=self.seed),
            kept="fine-tuned" if better else "probe",
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

    def restore(self, model: keras.Model) -> None:
        """Put the backbone back to where it began, and the probe into the head.

        Args:
            model: The model, as ``set_trainable(model, "head")`` leaves it.
        """
        for piece in Anatomy.of(model).backbone:
            for variable in piece.weights:
                if id(variable) in self.start:
                    variable.assign(self.start[id(variable)])
        put_in(model, self.probe)

    def as_phase(self, model: keras.Model, photos: Photos) -> PhaseLog:
        """Return what a model that is restored reaches, as if it were a phase.

        Args:
            model: The model.
            photos: The data set, whose whole validation part the figures are of.
        """
        scores = scores_of(model, photos, "validation", batch_size=self.batch_size)
        history = {f"val_{name}": (value,) for name, value in figures(photos, "validation", scores).items()}
        return PhaseLog(PROBE, self.probe.parameters, history, best_epoch=1, seconds=0.0)


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


def watch(prober: Prober, phases: Sequence[Phase]) -> Watch | str:
    """Note down where a model begins, and what is had of it without fine-tuning.

    Args:
        prober: Of the model, before its first phase.
        phases: All phases.

    Returns:
        What it is to be held against; or why there is nothing, as the rest of a sentence.

    Raises:
        DataError: A picture cannot be read.
    """
    model, lessons = prober.model, prober.lessons
    anatomy, seed = Anatomy.of(model), lessons.seed
    if anatomy.learns_whole:
        return "the whole backbone learns from the beginning, as one without pretrained weights does"
    photos = at_most(lessons.photos, "validation", _MOST, seed=seed)
    started = time.perf_counter() - lessons.seconds
    found = prober.at_start()
    started += lessons.seconds
    places = {index: place for place, index in enumerate(lessons.photos.split.validation)}
    chosen = [places[index] for index in photos.split.validation]
    few = at_most(at_most(photos, "train", _COLOURS, seed=seed), "validation", _COLOURS, seed=seed)
    try:
        colours = fitted_probe(colour_histograms(few, "train"), few, lessons)
        coloured = colours.scores(colour_histograms(few, "validation"))
    except SettingError as error:
        return str(error).removesuffix(".")
    moves = any(phase.batch_norm != "frozen" or choose_layers(anatomy, phase.train) for phase in phases)
    return Watch(
        photos,
        few,
        found.probe,
        phase=phases[0].name if phases[0].solved and phases[0].batch_norm == "frozen" else "",
        probed=_worth(photos, found.validation[chosen]),
        coloured=_worth(few, coloured),
        start=start_of(model) if moves else {},
        lessons=lessons,
        batch_size=lessons.turn_size,
        seed=seed,
        seconds=time.perf_counter() - started,
    )


def _worth(photos: Photos, scores: npt.NDArray[Any]) -> _Numbers:
    return worth(photos.task, scores, photos.targets("validation"), deviations_of(photos))

"""A fit that is about to begin: what cannot be is refused, what is to be decided is, and phases can run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import keras
from rich.console import Console

from tfxfer.augment import choose_mixing
from tfxfer.contracts import Balance, FeatureUse, PhaseLog, Precision, RateSearch
from tfxfer.data import Photos
from tfxfer.models import (
    Anatomy,
    FreezeContract,
    check_classes,
    choose_layers,
    computing_in,
    input_contract,
    precision_of,
    set_trainable,
)
from tfxfer.runtime import choose_precision, scope_of, set_seed, strategy_of
from tfxfer.training.anchors import PlainLosses, Start, penalized, start_of
from tfxfer.training.balancing import Balancing, balance_training
from tfxfer.training.changes import choose_augmentation
from tfxfer.training.devices import built_by, check_devices
from tfxfer.training.feature_plan import plan_features
from tfxfer.training.lessons import Lesson, Lessons
from tfxfer.training.memory import within_memory
from tfxfer.training.optimizers import make_optimizer, own_turns
from tfxfer.training.phases import Phase
from tfxfer.training.progress import ProgressBar
from tfxfer.training.rates import RISE, search_rates
from tfxfer.training.schedules import rate_schedule

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, Mixing, Source

__all__ = ["Ready", "prepared"]

_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A fit that is about to begin.

    Attributes:
        model: The whole model.
        balancing: How rare classes count.
        lessons: What each phase learns from.
        start: Where penalties pull to.
        precision: What it computes in while it trains.
        progress: Whether to show how far it is.
        console: Where.
    """

    model: keras.Model
    balancing: Balancing
    lessons: Lessons
    start: Start
    precision: Precision
    progress: bool
    console: Console | None

    def run(self, phase: Phase, *, callbacks: Sequence[keras.callbacks.Callback] = ()) -> PhaseLog:
        """Train one phase."""
        lesson = self.lessons.lesson(phase.name)
        started = time.perf_counter()
        learning = set_trainable(self.model, phase.train, batch_norm=phase.batch_norm)
        if phase.rate == "find":
            found = self.found_rate(phase)
            phase = replace(phase, rate=found.suggestion)
            _tell(f"phase {phase.name}: {found}.", progress=self.progress, console=self.console)
        contract = FreezeContract.of(self.model)
        stopper = keras.callbacks.EarlyStopping(
            "val_loss", patience=phase.patience or phase.epochs, restore_best_weights=True
        )
        steps = math.ceil(len(self.lessons.photos.split.train) / self.lessons.batch_size)
        rate = rate_schedule(phase, steps=max(1, steps * phase.epochs // own_turns(phase)))
        history = self._trained(phase, lesson, rate=rate, callbacks=[stopper, *callbacks])
        contract.verify(self.model)
        return PhaseLog(
            name=phase.name,
            learning_parameters=learning.parameters,
            history={name: tuple(map(float, values)) for name, values in history.items()},
            best_epoch=stopper.best_epoch + 1,
            seconds=time.perf_counter() - started,
            cut=lesson.cut,
            rate=float(phase.rate),
            turns=lesson.turns,
        )

    def found_rate(self, phase: Phase) -> RateSearch:
        """Search for the rate of a phase, after ``set_trainable``."""
        lesson = self.lessons.lesson(phase.name)
        with self._readied(phase, lesson, rate=RISE):
            return search_rates(lesson, turns=lesson.turns * own_turns(phase))

    def within_memory(self, attempt: Callable[[], _Outcome], *, name: str) -> _Outcome:
        """Try something, with smaller batches where the memory is too small; ``"name"`` says what it is."""
        tell = partial(_tell, progress=self.progress, console=self.console)
        return within_memory(attempt, model=self.model, lessons=self.lessons, name=name, tell=tell)

    @contextmanager
    def _readied(
        self, phase: Phase, lesson: Lesson, *, rate: keras.optimizers.schedules.LearningRateSchedule
    ) -> Iterator[None]:
        """Have a lesson's model compiled for a phase: its penalties, its precision, its devices."""
        with (
            scope_of(self.lessons.devices),
            penalized(self.model, phase, self.start),
            computing_in(self.precision, self.model, lesson.model),
        ):
            self._compile(phase, lesson, rate=rate)
            with built_by(lesson.model, lesson.example):
                yield

    def _compile(
        self, phase: Phase, lesson: Lesson, *, rate: keras.optimizers.schedules.LearningRateSchedule
    ) -> None:
        lesson.model.compile(
            make_optimizer(self.model, phase, rate=rate, turns=lesson.turns, precision=self.precision),
            loss=self.balancing.loss,
            metrics=list(self.balancing.metrics),
        )

    def _trained(
        self,
        phase: Phase,
        lesson: Lesson,
        *,
        rate: keras.optimizers.schedules.LearningRateSchedule,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> Mapping[str, Sequence[float]]:
        bar = ProgressBar(phase.name, epochs=phase.epochs, console=self.console) if self.progress else None
        averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if phase.ema is not None else []
        with self._readied(phase, lesson, rate=rate), bar or nullcontext():
            history: Mapping[str, Sequence[float]] = lesson.model.fit(
                lesson.training,
                validation_data=lesson.validation,
                class_weight=lesson.class_weight,
                epochs=phase.epochs,
                shuffle=False,  # the data set shuffles itself
                verbose=0,
                callbacks=[
                    *averaging,
                    PlainLosses(),
                    *self.balancing.callbacks,
                    *callbacks,
                    keras.callbacks.TerminateOnNaN(),
                    *([bar] if bar else []),
                ],
            ).history
        return history


def prepared(
    model: keras.Model,
    photos: Photos,
    phases: Sequence[Phase],
    *,
    augment: Source | DeviceAugmentation | None,
    mix: Literal["mixup", "cutmix"] | Mixing | None,
    balance: Balance,
    label_smoothing: float,
    features: FeatureUse,
    views: int | None,
    batch_size: int,
    precision: str,
    seed: int,
    progress: bool,
    console: Console | None,
) -> Ready:
    """Refuse what cannot be, decide what is to be decided, and tell it.

    Args are those of ``fit``, and the phases of its plan.

    Returns:
        What runs the phases; nothing has been trained.

    Raises:
        SettingError: As there.
        DataError: As there.
    """
    check_classes(model, photos.classes, task=photos.task)
    devices, trained_in = strategy_of(model), _chosen_precision(model, precision)
    anatomy = Anatomy.of(model)
    for phase in phases:
        choose_layers(anatomy, phase.train, batch_norm=phase.batch_norm)
    size, mixing = input_contract(model), choose_mixing(mix)
    if change := choose_augmentation(augment):
        change.check(height=size.height, width=size.width)
    check_devices(devices, phases, photos, batch_size=batch_size, augment=change)
    balancing = balance_training(photos, balance, mixed=mixing is not None, smoothing=label_smoothing)
    shared: dict[str, Any] = {"augment": change, "mixing": mixing}
    with scope_of(devices):
        chosen = plan_features(model, phases, balancing.photos, features=features, views=views, **shared)
    if photos.left_out is None:
        photos.check()
    watching: dict[str, Any] = {"progress": progress, "console": console}
    _tell(f"balance: {balancing.name}, since {balancing.why}." if balancing.why else "", **watching)
    _tell(str(chosen) if chosen.why else "", **watching)
    set_seed(seed)
    shared |= {"smoothing": label_smoothing, "batch_size": batch_size, "seed": seed}
    shared |= {"class_weight": balancing.class_weight, "devices": devices}
    names = [phase.name for phase in phases]
    lessons = Lessons(model, chosen, names, balancing.photos, **shared, **watching)
    start = start_of(model) if any(phase.anchor for phase in phases) else {}
    return Ready(model, balancing, lessons, start, trained_in, **watching)


def _chosen_precision(model: keras.Model, name: str) -> Precision:
    """Go by the hardware where nobody says, but by what a model was built in where that is mixed."""
    chosen = choose_precision(name)
    built = precision_of(model)
    return built if name == "auto" and built != "float32" else chosen


def _tell(line: str, *, progress: bool, console: Console | None) -> None:
    if line and progress:
        (console or Console(stderr=True)).print(line, markup=False, highlight=False, soft_wrap=True)

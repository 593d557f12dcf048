"""A fit that is about to begin: what cannot be is refused, what is to be decided is, and phases can run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import keras
from rich.console import Console

from tfxfer.augment import FroFA, choose_mixing
from tfxfer.config import Distillation, Phase
from tfxfer.contracts import Balance, FeatureUse, PhaseLog, Precision, RateSearch
from tfxfer.data import Photos
from tfxfer.models import (
    Anatomy,
    check_classes,
    choose_layers,
    computing_in,
    input_contract,
    moving_variables,
    precision_of,
    set_trainable,
)
from tfxfer.runtime import choose_precision, scope_of, set_seed, strategy_of
from tfxfer.training.devices import WholeLoss, build_ahead, built_by, check_devices, shared_losses
from tfxfer.training.material.balancing import Balancing, balance_training
from tfxfer.training.material.changes import choose_augmentation
from tfxfer.training.material.feature_plan import plan_features
from tfxfer.training.material.lessons import Lesson, Lessons
from tfxfer.training.material.probing import Prober
from tfxfer.training.material.teaching import check_distillation, taught_by
from tfxfer.training.memory import within_memory
from tfxfer.training.methods.anchors import PlainLosses, Start, penalized, start_of
from tfxfer.training.methods.calm import calmed
from tfxfer.training.methods.co_tuning import Pretraining, check_co_tuning, pretraining_of
from tfxfer.training.methods.optimizers import make_optimizer, own_turns
from tfxfer.training.methods.recalibration import check_recalibration, recalibrate, statistics_of
from tfxfer.training.methods.schedules import rate_schedule
from tfxfer.training.methods.soups import Soup
from tfxfer.training.mlflow_runs import phase_run
from tfxfer.training.progress import ProgressBar
from tfxfer.training.rates import RISE, search_rates
from tfxfer.training.resuming.course import Course
from tfxfer.training.resuming.noting import Noting
from tfxfer.training.solving import check_solved, solve

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, Mixing, Source

__all__ = ["Ready", "prepared"]

_Outcome = TypeVar("_Outcome")

_XLA_STEPS = 10_000
"""Steps of a phase from which XLA may pay: on an H100 a fit of 210 steps took 35 s more with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A fit that is about to begin.

    Attributes:
        model: The whole model.
        balancing: How rare classes count.
        lessons: What each phase learns from.
        start: Where penalties pull to.
        first_epochs: Phase -> the number of its first epoch, counted over all of them.
        prober: Fits linear probes on what they learn from.
        precision: What it computes in while it trains.
        pretraining: What the backbone was pretrained to tell apart, where a phase holds on to it.
        progress: Whether to show how far it is.
        console: Where.
    """

    model: keras.Model
    balancing: Balancing
    lessons: Lessons
    start: Start
    first_epochs: Mapping[str, int]
    prober: Prober
    precision: Precision
    pretraining: Pretraining | None
    progress: bool
    console: Console | None

    @property
    def beside(self) -> list[keras.Variable]:
        """What may move and is no part of the model."""
        return list(self.pretraining.top.layers.weights) if self.pretraining else []

    def tell(self, line: str) -> None:
        """Show a line where progress is shown; an empty one is none."""
        if line and self.progress:
            console = self.console or Console(stderr=True)
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    def run(
        self,
        phase: Phase,
        course: Course,
        *,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        after: Sequence[keras.callbacks.Callback] = (),
    ) -> PhaseLog:
        """Train one phase, or the rest of it; some callbacks come after what notes each epoch."""
        if course.stretch is None:
            self.recalibrated(phase)
        if phase.solved:
            return self._solved(phase, course, callbacks=[*callbacks, *after])
        lesson = self._lesson(phase)
        started = time.perf_counter()
        learning = set_trainable(self.model, phase.train, batch_norm=phase.while_training)
        moved = statistics_of(self.model) if phase.batch_norm == "recalibrate" else []
        stretch = course.begin(course.stretch.rate if course.stretch else self._rate(phase), moved=moved)
        stopper = keras.callbacks.EarlyStopping(
            "val_loss", patience=phase.patience or phase.epochs, restore_best_weights=True
        )
        phase = replace(phase, rate=stretch.rate)
        stretch.turns, before = lesson.turns, stretch.seconds
        first = course.done_before
        soup = Soup(moving_variables(self.model), most=phase.soup, first=first) if phase.soup else None
        seen = [stopper, *([soup] if soup else []), *callbacks]
        with phase_run(phase.name):
            self._train(phase, lesson, course, callbacks=seen, after=after, soup=soup)
        stretch.contract.verify(self.model)
        return PhaseLog(
            name=phase.name,
            learning_parameters=learning.parameters,
            history={name: tuple(values) for name, values in stretch.history.items()},
            best_epoch=stopper.best_epoch + 1 - first,
            seconds=before + time.perf_counter() - started,
            cut=lesson.cut,
            rate=stretch.rate,
            turns=lesson.turns,
            soup=soup.epochs if soup else (),
            souped=soup.figures if soup else {},
        )

    def _solved(
        self, phase: Phase, course: Course, *, callbacks: Sequence[keras.callbacks.Callback]
    ) -> PhaseLog:
        """Solve a phase, after ``recalibrated``."""
        bar = ProgressBar(phase.name, epochs=1, first=course.done_before, console=self.console)
        shown = [bar] if self.progress else []
        first = phase.name == self.lessons.order[0] and phase.batch_norm == "frozen"
        with phase_run(phase.name), scope_of(self.lessons.devices), bar if shown else nullcontext():
            return solve(phase, course, self.prober, callbacks=[*shown, *callbacks], first=first)

    def recalibrated(self, phase: Phase) -> None:
        """Estimate the statistics of BatchNorm layers anew, where a phase wants it."""
        if phase.batch_norm == "recalibrate":
            with scope_of(self.lessons.devices):
                recalibrate(self.model, self.lessons.photos, seed=self.lessons.seed)
            self.tell(f"phase {phase.name}: BatchNorm recalibrated on training pictures.")

    def _rate(self, phase: Phase) -> float:
        if phase.rate != "find":
            return phase.rate
        found = self.found_rate(phase)
        self.tell(f"phase {phase.name}: {found}.")
        return found.suggestion

    def found_rate(self, phase: Phase) -> RateSearch:
        """Search for the rate of a phase, after ``set_trainable``."""
        lesson = self._lesson(phase)
        with phase_run(f"{phase.name}, rates"), self._readied(phase, lesson, rate=RISE):
            return search_rates(lesson, turns=lesson.turns * own_turns(phase))

    def within_memory(self, attempt: Callable[[], _Outcome], *, name: str) -> _Outcome:
        """Try something, with smaller batches where the memory is too small; ``"name"`` says what it is."""
        return within_memory(
            attempt,
            variables=[*self.model.variables, *self.beside],
            lessons=self.lessons,
            name=name,
            tell=self.tell,
        )

    @contextmanager
    def _readied(
        self, phase: Phase, lesson: Lesson, *, rate: keras.optimizers.schedules.LearningRateSchedule
    ) -> Iterator[None]:
        """Have a lesson's model compiled for a phase: its penalties, its precision, its devices."""
        with (
            scope_of(self.lessons.devices),
            penalized(self.model, phase, self.start),
            calmed(self.model),
            computing_in(self.precision, self.model, lesson.model),
        ):
            self._compile(phase, lesson, rate=rate)
            if lesson.example is None:
                build_ahead(lesson.model, lesson.training)
            with built_by(lesson.model, lesson.example):
                yield

    def _lesson(self, phase: Phase) -> Lesson:
        lesson = self.lessons.lesson(phase.name)
        if not (self.pretraining and phase.co_tuning):
            return lesson
        weights = self.lessons.class_weight
        taught = self.pretraining.taught(lesson.model, phase.co_tuning, class_weight=weights)
        return replace(lesson, model=taught)

    def _compile(
        self, phase: Phase, lesson: Lesson, *, rate: keras.optimizers.schedules.LearningRateSchedule
    ) -> None:
        beside = self.pretraining.variables if self.pretraining and phase.co_tuning else ()
        lesson.model.compile(
            make_optimizer(
                self.model,
                phase,
                rate=rate,
                turns=lesson.turns,
                precision=self.precision,
                beside=beside,
            ),
            loss=self.balancing.loss,
            metrics=list(self.balancing.metrics),
            weighted_metrics=self._shared_losses(lesson),
            jit_compile="auto" if self._steps(phase) >= _XLA_STEPS else False,
        )

    def _shared_losses(self, lesson: Lesson) -> list[keras.metrics.Metric] | None:
        if lesson.example is None:
            return None
        return shared_losses(self.balancing.loss, self.lessons.class_weight)

    def _steps(self, phase: Phase) -> int:
        pictures = len(self.lessons.photos.split.train)
        return math.ceil(pictures / self.lessons.batch_size) * phase.epochs

    def _train(
        self,
        phase: Phase,
        lesson: Lesson,
        course: Course,
        *,
        callbacks: Sequence[keras.callbacks.Callback],
        after: Sequence[keras.callbacks.Callback],
        soup: Soup | None,
    ) -> None:
        stretch = course.stretch
        assert stretch is not None  # it has begun
        steps = self._steps(phase)
        first = course.done_before
        shown: dict[str, Any] = {"epochs": phase.epochs, "first": first, "console": self.console}
        bar = ProgressBar(phase.name, **shown) if self.progress else None
        whole = [] if lesson.example is None else [WholeLoss()]
        plain = [*whole, PlainLosses(), *self.balancing.callbacks]
        averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if phase.ema is not None else []
        others = [
            *averaging,
            *plain,
            *callbacks,
            keras.callbacks.TerminateOnNaN(),
            *([bar] if bar else []),
        ]
        clock: dict[str, Any] = {"epochs": self.lessons.epochs, "first": self.first_epochs[phase.name]}
        rate = rate_schedule(phase, steps=max(1, steps // own_turns(phase)))
        with self._readied(phase, lesson, rate=rate), bar or nullcontext():
            lesson.model.fit(
                lesson.training,
                validation_data=lesson.validation,
                class_weight=lesson.class_weight,
                initial_epoch=first + stretch.epochs,
                epochs=first + (stretch.epochs if stretch.stopped else phase.epochs),
                shuffle=False,  # the data set shuffles itself
                verbose=0,
                callbacks=[*others, Noting(course, stretch, others, **clock), *after],
            )
            if soup:
                soup.cook(partial(_judged, lesson, plain))
                self.tell(f"phase {phase.name}: {soup}.")
        self.lessons.epochs.now = None


def prepared(
    model: keras.Model,
    photos: Photos,
    phases: Sequence[Phase],
    *,
    augment: Source | DeviceAugmentation | FroFA | None,
    mix: Literal["mixup", "cutmix"] | Mixing | None,
    balance: Balance | None,
    label_smoothing: float,
    distillation: Distillation | None,
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
    check_co_tuning(model, photos, phases)
    check_distillation(distillation, photos, balance=balance)
    check_recalibration(model, phases)
    losses: dict[str, Any] = {"label_smoothing": label_smoothing, "distillation": distillation}
    check_solved(model, phases, augment=augment, mix=mix, balance=balance, **losses)
    anatomy = Anatomy.of(model)
    for phase in phases:
        choose_layers(anatomy, phase.train, batch_norm=phase.while_training)
    size, mixing = input_contract(model), choose_mixing(mix)
    if (change := choose_augmentation(augment)) and not isinstance(change, FroFA):
        change.check(height=size.height, width=size.width)
    check_devices(devices, phases, photos, batch_size=batch_size, augment=change)
    balancing = balance_training(photos, balance, mixed=mixing is not None, smoothing=label_smoothing)
    shared: dict[str, Any] = {"augment": change, "mixing": mixing}
    with scope_of(devices):
        chosen = plan_features(model, phases, balancing.photos, features=features, views=views, **shared)
    if photos.left_out is None:
        photos.check()
    watching: dict[str, Any] = {"progress": progress, "console": console}
    co_tuned = any(phase.co_tuning for phase in phases)
    pretraining = pretraining_of(model, photos, **watching) if co_tuned else None
    teaching = taught_by(distillation, model, balancing.photos, **watching) if distillation else None
    if teaching:
        balancing = replace(balancing, loss=teaching.loss)
    set_seed(seed)
    shared |= {"smoothing": label_smoothing, "batch_size": batch_size, "seed": seed}
    shared |= {"class_weight": balancing.class_weight, "teaching": teaching, "devices": devices}
    names = [phase.name for phase in phases]
    changing = [phase.name for phase in phases if phase.batch_norm == "recalibrate"]
    lessons = Lessons(model, chosen, names, changing, balancing.photos, **shared, **watching)
    start = start_of(model) if any(phase.anchor for phase in phases) else {}
    firsts = dict(zip(names, accumulate((phase.epochs for phase in phases), initial=0), strict=False))
    material = (balancing, lessons, start, firsts, Prober(model, lessons, views))
    ready = Ready(model, *material, trained_in, pretraining, **watching)
    ready.tell(f"balance: {balancing.name}, since {balancing.why}." if balancing.why else "")
    ready.tell(str(chosen) if chosen.why else "")
    return ready


def _judged(lesson: Lesson, plain: Sequence[keras.callbacks.Callback]) -> dict[str, float]:
    """Validate weights as they are, by the measures that an epoch is validated by."""
    found = lesson.model.evaluate(lesson.validation, verbose=0, return_dict=True)
    logs = {f"val_{name}": float(value) for name, value in found.items()}
    for callback in plain:
        callback.set_model(lesson.model)
        callback.on_epoch_end(0, logs)
    return {name: value for name, value in logs.items() if name.startswith("val_")}


def _chosen_precision(model: keras.Model, name: str) -> Precision:
    """Go by the hardware where nobody says, but by what a model was built in where that is mixed."""
    chosen = choose_precision(name)
    built = precision_of(model)
    return built if name == "auto" and built != "float32" else chosen

"""A fit that is about to begin: what cannot be is refused, what is to be decided is, and phases can run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import keras
from rich.console import Console

from tfxfer.augment import choose_mixing
from tfxfer.contracts import Balance, FeatureUse, PhaseLog, RateSearch
from tfxfer.data import Photos
from tfxfer.models import (
    Anatomy,
    FreezeContract,
    check_classes,
    choose_layers,
    input_contract,
    moving_variables,
    set_trainable,
)
from tfxfer.runtime import set_seed
from tfxfer.training.anchors import PlainLosses, Start, penalized, start_of
from tfxfer.training.balancing import Balancing, balance_training
from tfxfer.training.calm import calmed
from tfxfer.training.changes import choose_augmentation
from tfxfer.training.co_tuning import Pretraining, check_co_tuning, pretraining_of
from tfxfer.training.feature_plan import plan_features
from tfxfer.training.lessons import Lesson, Lessons
from tfxfer.training.optimizers import make_optimizer
from tfxfer.training.phases import Phase
from tfxfer.training.progress import ProgressBar
from tfxfer.training.rates import RISE, search_rates
from tfxfer.training.schedules import rate_schedule
from tfxfer.training.soups import Soup

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, Mixing, Source

__all__ = ["Ready", "prepared"]


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A fit that is about to begin.

    Attributes:
        model: The whole model.
        balancing: How rare classes count.
        lessons: What each phase learns from.
        start: Where penalties pull to.
        pretraining: What the backbone was pretrained to tell apart, where a phase holds on to it.
        progress: Whether to show how far it is.
        console: Where.
    """

    model: keras.Model
    balancing: Balancing
    lessons: Lessons
    start: Start
    pretraining: Pretraining | None
    progress: bool
    console: Console | None

    def run(self, phase: Phase, *, callbacks: Sequence[keras.callbacks.Callback] = ()) -> PhaseLog:
        """Train one phase."""
        lesson = self._lesson(phase)
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
        rate = rate_schedule(phase, steps=steps * phase.epochs)
        soup = Soup(moving_variables(self.model), most=phase.soup) if phase.soup else None
        seen = [stopper, *([soup] if soup else []), *callbacks]
        history = self._trained(phase, lesson, rate=rate, callbacks=seen, soup=soup)
        contract.verify(self.model)
        return PhaseLog(
            name=phase.name,
            learning_parameters=learning.parameters,
            history={name: tuple(map(float, values)) for name, values in history.items()},
            best_epoch=stopper.best_epoch + 1,
            seconds=time.perf_counter() - started,
            cut=lesson.cut,
            rate=float(phase.rate),
            soup=soup.epochs if soup else (),
            souped=soup.figures if soup else {},
        )

    def found_rate(self, phase: Phase) -> RateSearch:
        """Search for the rate of a phase, after ``set_trainable``."""
        lesson = self._lesson(phase)
        with penalized(self.model, phase, self.start), calmed(self.model):
            self._compile(phase, lesson, rate=RISE)
            return search_rates(lesson, class_weight=self.balancing.class_weight)

    def _lesson(self, phase: Phase) -> Lesson:
        lesson = self.lessons.lesson(phase.name)
        if not (self.pretraining and phase.co_tuning):
            return lesson
        return replace(lesson, model=self.pretraining.taught(lesson.model, phase.co_tuning))

    def _compile(
        self, phase: Phase, lesson: Lesson, *, rate: keras.optimizers.schedules.LearningRateSchedule
    ) -> None:
        beside = self.pretraining.variables if self.pretraining and phase.co_tuning else ()
        lesson.model.compile(
            make_optimizer(self.model, phase, rate=rate, beside=beside),
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
        soup: Soup | None,
    ) -> Mapping[str, Sequence[float]]:
        bar = ProgressBar(phase.name, epochs=phase.epochs, console=self.console) if self.progress else None
        plain = [PlainLosses(), *self.balancing.callbacks]
        averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if phase.ema is not None else []
        with penalized(self.model, phase, self.start), calmed(self.model), bar or nullcontext():
            self._compile(phase, lesson, rate=rate)
            history: Mapping[str, Sequence[float]] = lesson.model.fit(
                lesson.training,
                validation_data=lesson.validation,
                class_weight=self.balancing.class_weight,
                epochs=phase.epochs,
                shuffle=False,  # the data set shuffles itself
                verbose=0,
                callbacks=[
                    *averaging,
                    *plain,
                    *callbacks,
                    keras.callbacks.TerminateOnNaN(),
                    *([bar] if bar else []),
                ],
            ).history
            if soup:
                soup.cook(partial(_judged, lesson, plain))
                _tell(f"phase {phase.name}: {soup}.", progress=self.progress, console=self.console)
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
    check_co_tuning(model, photos, phases)
    anatomy = Anatomy.of(model)
    for phase in phases:
        choose_layers(anatomy, phase.train, batch_norm=phase.batch_norm)
    size, mixing = input_contract(model), choose_mixing(mix)
    if change := choose_augmentation(augment):
        change.check(height=size.height, width=size.width)
    balancing = balance_training(photos, balance, mixed=mixing is not None, smoothing=label_smoothing)
    shared: dict[str, Any] = {"augment": change, "mixing": mixing}
    chosen = plan_features(model, phases, balancing.photos, features=features, views=views, **shared)
    if photos.left_out is None:
        photos.check()
    watching: dict[str, Any] = {"progress": progress, "console": console}
    _tell(f"balance: {balancing.name}, since {balancing.why}." if balancing.why else "", **watching)
    _tell(str(chosen) if chosen.why else "", **watching)
    co_tuned = any(phase.co_tuning for phase in phases)
    pretraining = pretraining_of(model, photos, **watching) if co_tuned else None
    set_seed(seed)
    shared |= {"smoothing": label_smoothing, "batch_size": batch_size, "seed": seed}
    names = [phase.name for phase in phases]
    lessons = Lessons(model, chosen, names, balancing.photos, **shared, **watching)
    start = start_of(model) if any(phase.anchor for phase in phases) else {}
    return Ready(model, balancing, lessons, start, pretraining, **watching)


def _judged(lesson: Lesson, plain: Sequence[keras.callbacks.Callback]) -> dict[str, float]:
    """Validate weights as they are, by the measures that an epoch is validated by."""
    found = lesson.model.evaluate(lesson.validation, verbose=0, return_dict=True)
    logs = {f"val_{name}": float(value) for name, value in found.items()}
    for callback in plain:
        callback.set_model(lesson.model)
        callback.on_epoch_end(0, logs)
    return {name: value for name, value in logs.items() if name.startswith("val_")}


def _tell(line: str, *, progress: bool, console: Console | None) -> None:
    if line and progress:
        (console or Console(stderr=True)).print(line, markup=False, highlight=False, soft_wrap=True)

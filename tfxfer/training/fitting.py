"""Train phase by phase, hold each to its word, and keep the better one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import keras
from rich.console import Console

from tfxfer.augment import choose_mixing
from tfxfer.contracts import Balance, FeatureUse, FitLog, PhaseLog
from tfxfer.data import Photos
from tfxfer.errors import DivergedError, SettingError
from tfxfer.models import (
    Anatomy,
    FreezeContract,
    check_classes,
    choose_layers,
    head_of,
    input_contract,
    set_trainable,
)
from tfxfer.runtime import set_seed
from tfxfer.training.balancing import Balancing, balance_training
from tfxfer.training.changes import choose_augmentation, make_datasets
from tfxfer.training.feature_plan import FeaturePlan, plan_features
from tfxfer.training.from_features import FeatureTraining, Lesson
from tfxfer.training.phases import Phase, from_scratch, two_phases
from tfxfer.training.progress import ProgressBar
from tfxfer.training.schedules import rate_schedule

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, Mixing, Source

__all__ = ["fit"]


def fit(
    model: keras.Model,
    photos: Photos,
    *,
    phases: Sequence[Phase] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    augment: Source | DeviceAugmentation | None = None,
    mix: Literal["mixup", "cutmix"] | Mixing | None = None,
    balance: Balance = "none",
    features: FeatureUse = "auto",
    views: int | None = None,
    progress: bool = True,
    console: Console | None = None,
) -> FitLog:
    """Train the head, then the top blocks with it, and keep whichever did better on validation.

    Each phase is compiled anew, stops early, and gets the weights of its best epoch back. After each,
    digests of all variables show that nothing frozen moved and everything that learns did. At the
    end the model has the weights of the phase with the lowest validation loss.

    Whatever ``balance`` makes of the training part, phases and epochs are compared by plain cross-entropy on
    the validation part as it is; under ``"focal"`` the log has the focal loss as ``val_focal_loss``.

    Where the frozen part of the model is computed once and kept (``features``), a phase trains what comes
    behind it, of which the layers are the model's own. It sees one of some views of each picture, drawn anew
    each epoch, instead of ever new ones; and what drops within the frozen part (EfficientNet's drop-connect,
    a transformer's dropout) drops nothing, whereas in a whole model that Keras trains it goes on.

    Every picture is decoded once before, and a bad one refused; not so what ``tfxfer.clean`` looked at.

    Args:
        model: A model from ``tfxfer.build``, changed in place.
        photos: Data set with the classes the model was built for.
        phases: The plan; None is the head for 20 epochs, then the top blocks with it for 10 where they can
            be trained; or, for a model without pretrained weights, everything at once for 30.
        batch_size: Pictures a step.
        seed: Seed of shuffling and dropout, in 0..2**32 - 1; it is set for the whole process.
        augment: What training pictures go through, every epoch anew: a policy's name, something of
            albumentations or a function, as ``augmentation`` takes it, or what ``device_augmentation``
            made; None leaves them as they are.
        mix: Whether each training batch is mixed within itself after that, labels and all: ``"mixup"``,
            ``"cutmix"``, or a ``MixUp`` or ``CutMix`` with an alpha. Validation is never mixed. MixUp mixes
            features where a phase trains on kept ones; under CutMix none are kept.
        balance: How rare classes are made to count: ``"none"``; ``"class_weights"``, the inverse of their
            counts in the loss; ``"sampling"``, their pictures repeated until all classes are as large as
            the largest; ``"focal"``, focal loss with gamma 2; or ``"auto"``, one of the first three, told
            with the reason and kept in the log.
        features: Whether what the frozen part makes of pictures is computed once and kept, in the user's
            cache folder: ``"auto"``, where that saves enough work, told with the reason and
            kept in the log; ``"cache"``, wherever anything is frozen; ``"off"``, never: the whole model runs
            in every step.
        views: How many views of each training picture are kept, the first as it is, the others augmented;
            None is 1 where nothing changes pictures, else 4. Fewer are where these have no room.
        progress: Whether to show a bar, and what ``"auto"`` chose, on standard error.
        console: Where they go; None is standard error.

    Returns:
        What each phase did, and which was kept.

    Raises:
        SettingError: The model has another number of classes, a setting is out of range or does not go with
            another, or the augmentation fails or changes more than it may; ``features="cache"`` with CutMix,
            with what changes whole batches, or without room.
        DataError: Some pictures cannot be read; nothing has been trained.
        DivergedError: The first phase ended in NaN; if a later one does, the one before is kept.
        FreezeError: Something frozen moved, or something did not learn.
    """
    anatomy = Anatomy.of(model)
    plan = _default_plan(anatomy) if phases is None else tuple(phases)
    _check_plan(model, anatomy, photos, plan)
    size, mixing = input_contract(model), choose_mixing(mix)
    if change := choose_augmentation(augment):
        change.check(height=size.height, width=size.width)
    balancing = balance_training(photos, balance, mixed=mixing is not None)
    shared: dict[str, Any] = {"augment": change, "mixing": mixing}
    chosen = plan_features(model, plan, balancing.photos, features=features, views=views, **shared)
    if photos.left_out is None:
        photos.check()
    watching: dict[str, Any] = {"progress": progress, "console": console}
    _tell(balancing, chosen, **watching)
    set_seed(seed)
    names = [phase.name for phase in plan]
    shared |= {"batch_size": batch_size, "seed": seed}
    kept = FeatureTraining(model, chosen, names, balancing.photos, **shared, **watching)

    @cache  # where every phase trains on features, no pictures are asked for
    def whole() -> Lesson:
        parts = make_datasets(balancing.photos, size=size, **shared)
        return Lesson(model, *parts)

    def run(phase: Phase) -> PhaseLog:
        lesson = kept.lesson(phase.name) if phase.name in chosen.cuts else whole()
        steps = math.ceil(len(balancing.photos.split.train) / batch_size)
        bar = ProgressBar(phase.name, epochs=phase.epochs, console=console) if progress else None
        return _run(model, phase, lesson, balancing=balancing, steps=steps, bar=bar)

    logs, best = _keep_best(model, plan, run)
    _compile_plainly(model, photos, balancing)
    return _log(logs, best, balancing, chosen, kept.seconds)


def _log(
    logs: Sequence[PhaseLog], best: str, balancing: Balancing, chosen: FeaturePlan, seconds: float
) -> FitLog:
    return FitLog(
        tuple(logs),
        best,
        balance=balancing.name,
        balance_reason=balancing.why,
        features=chosen.name,
        features_reason=chosen.why,
        views=chosen.views if chosen.cuts else 0,
        extraction_seconds=seconds,
    )


def _compile_plainly(model: keras.Model, photos: Photos, balancing: Balancing) -> None:
    """Leave a model for whole labels: what is saved has one of Keras's own losses."""
    head = head_of(photos)
    plain = head.loss if isinstance(head.loss, str) else "mean_squared_error"
    if balancing.loss != plain:
        model.compile(optimizer=model.optimizer, loss=plain, metrics=list(head.metrics))


def _keep_best(
    model: keras.Model, plan: Sequence[Phase], run: Callable[[Phase], PhaseLog]
) -> tuple[list[PhaseLog], str]:
    """Run phase after phase; leave the model with the weights of the best, and name it."""
    logs: list[PhaseLog] = []
    kept: tuple[PhaseLog, list[Any]] | None = None
    for phase in plan:
        log = run(phase)
        logs.append(log)
        if math.isfinite(log.best("val_loss")):
            if kept is None or log.best("val_loss") < kept[0].best("val_loss"):
                kept = (log, model.get_weights())
        elif kept is None:
            raise DivergedError(
                f"phase {phase.name!r} ended in NaN after {len(log.history['loss'])} epochs; give it a "
                f"lower rate than {phase.rate:g}."
            )
        else:
            model.set_weights(kept[1])
    assert kept is not None  # a plan has at least one phase, and a first one without numbers raised
    model.set_weights(kept[1])
    return logs, kept[0].name


def _tell(balancing: Balancing, chosen: FeaturePlan, *, progress: bool, console: Console | None) -> None:
    balance = f"balance: {balancing.name}, since {balancing.why}." if balancing.why else ""
    for line in (balance, str(chosen) if chosen.why else ""):
        if line and progress:
            (console or Console(stderr=True)).print(line, markup=False, highlight=False, soft_wrap=True)


def _default_plan(anatomy: Anatomy) -> tuple[Phase, ...]:
    """Plan two phases, or one where the whole backbone learns already, as it does without weights."""
    if anatomy.learns_whole:
        return from_scratch()
    return two_phases(stages=len(anatomy.stages))


def _check_plan(model: keras.Model, anatomy: Anatomy, photos: Photos, plan: Sequence[Phase]) -> None:
    check_classes(model, photos.classes, task=photos.task)
    for phase in plan:
        choose_layers(anatomy, phase.train, batch_norm=phase.batch_norm)
    names = [phase.name for phase in plan]
    if not names or len(set(names)) != len(names):
        raise SettingError(
            f"phases must be at least one, each with a name of its own, got {names or 'none'}."
        )


def _run(
    model: keras.Model,
    phase: Phase,
    lesson: Lesson,
    *,
    balancing: Balancing,
    steps: int,
    bar: ProgressBar | None,
) -> PhaseLog:
    started = time.perf_counter()
    learning = set_trainable(model, phase.train, batch_norm=phase.batch_norm)
    contract = FreezeContract.of(model)
    aim: dict[str, Any] = {"loss": balancing.loss, "metrics": list(balancing.metrics)}
    optimizer = _optimizer(model, phase, steps=steps * phase.epochs)
    lesson.model.compile(optimizer=optimizer, **aim)
    stopper = keras.callbacks.EarlyStopping(
        "val_loss", patience=phase.patience or phase.epochs, restore_best_weights=True
    )
    callbacks = [*balancing.callbacks, stopper, keras.callbacks.TerminateOnNaN(), *([bar] if bar else [])]
    with bar or nullcontext():
        history = lesson.model.fit(
            lesson.training,
            validation_data=lesson.validation,
            class_weight=balancing.class_weight,
            epochs=phase.epochs,
            shuffle=False,  # the data set shuffles itself
            verbose=0,
            callbacks=callbacks,
        ).history
    if lesson.model is not model:
        model.compile(optimizer=optimizer, **aim)  # as the whole model would be, had it run
    contract.verify(model)
    return PhaseLog(
        name=phase.name,
        learning_parameters=learning.parameters,
        history={name: tuple(map(float, values)) for name, values in history.items()},
        best_epoch=stopper.best_epoch + 1,
        seconds=time.perf_counter() - started,
        cut=lesson.cut,
    )


def _optimizer(model: keras.Model, phase: Phase, *, steps: int) -> keras.optimizers.Optimizer:
    rate = rate_schedule(phase.schedule, peak=phase.rate, steps=steps, warmup=phase.warmup)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=phase.weight_decay)
    # Decay pulls kernels towards 0; a bias or a normalization's scale has no reason to go there.
    optimizer.exclude_from_weight_decay(
        var_list=[variable for variable in model.trainable_variables if len(variable.shape) < 2]
    )
    return optimizer

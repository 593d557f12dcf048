"""A phase that finds the head's optimum at once: a linear probe of the frozen features becomes the head."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfxfer.augment import DeviceAugmentation
from tfxfer.config import SOLVER, Phase
from tfxfer.contracts import Balance, PhaseLog
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.models import FreezeContract, head_of, set_trainable
from tfxfer.runtime import strategy_of
from tfxfer.training.devices import build_ahead
from tfxfer.training.guarding.comparing import figures
from tfxfer.training.guarding.replacing import put_in, takes_probe
from tfxfer.training.material.probing import Prober
from tfxfer.training.methods.recalibration import statistics_of
from tfxfer.training.mlflow_runs import log_solved
from tfxfer.training.resuming.course import Course

__all__ = ["SOLVING", "check_solved", "may_be_solved", "solve"]

SOLVING = ("augment", "mix", "balance", "label_smoothing", "distillation")
"""Settings of ``fit`` that leave a head the regression that can be solved, or do not."""


def may_be_solved(**settings: Any) -> bool:
    """Say whether what a fit is told leaves its head a regression on pictures, each by itself.

    Args:
        **settings: Those of ``SOLVING``, as in ``fit``: mixed pictures and smoothed labels are shares of
            classes, and focal loss and that of a teacher are other losses.

    >>> may_be_solved(augment="light", mix=None, balance=None, label_smoothing=0.0, distillation=None)
    True
    """
    return not _excluded(**settings)


def check_solved(model: keras.Model, phases: Sequence[Phase], **settings: Any) -> None:
    """Refuse a phase that solves a head where that is no regression.

    Args:
        model: The model.
        phases: All phases.
        **settings: As ``may_be_solved`` takes them.

    Raises:
        SettingError: There is one.
    """
    for phase in phases:
        if not phase.solved:
            continue
        if not takes_probe(model):
            raise SettingError(
                f"phase {phase.name!r} solves the head, and that of {model.name} is not one dense layer on "
                f"pooled features; give another optimizer than {SOLVER!r}."
            )
        if excluded := _excluded(**settings):
            raise SettingError(
                f"phase {phase.name!r} solves the head as a regression, which {excluded} excludes; leave it "
                f"out, or give another optimizer than {SOLVER!r}."
            )


def solve(
    phase: Phase,
    course: Course,
    prober: Prober,
    *,
    callbacks: Sequence[keras.callbacks.Callback],
    first: bool,
) -> PhaseLog:
    """Give the head its optimum on the frozen features, as the one epoch of a phase.

    Args:
        phase: The phase.
        course: Where the fit is; this begins its next phase.
        prober: Fits probes on what phases learn from.
        callbacks: Told of the epoch, after its figures are noted; of batches there are none.
        first: Whether the backbone is as it began.

    Raises:
        FreezeError: Something frozen moved.
    """
    started = time.perf_counter()
    model, photos = prober.model, prober.lessons.photos
    learning = set_trainable(model, phase.train, batch_norm=phase.while_training)
    moved = statistics_of(model) if phase.batch_norm == "recalibrate" else []
    stretch = course.begin(0.0, moved=moved)
    epoch = course.done_before
    _compile(model, photos)
    listeners = keras.callbacks.CallbackList(
        list(callbacks), model=model, epochs=epoch + 1, verbose=0, steps=0
    )
    listeners.on_train_begin()
    listeners.on_epoch_begin(epoch)
    found = prober.at_start() if first else prober.now()
    put_in(model, found.probe)
    logs = figures(photos, "train", found.training, class_weight=prober.lessons.class_weight)
    logs |= {f"val_{name}": value for name, value in figures(photos, "validation", found.validation).items()}
    stretch.add(logs)
    log_solved(logs, epoch=epoch)
    listeners.on_epoch_end(epoch, logs)
    listeners.on_train_end(logs)
    FreezeContract(stretch.contract.frozen, learning={}).verify(model)
    return PhaseLog(
        phase.name,
        learning.parameters,
        {name: (value,) for name, value in logs.items()},
        best_epoch=1,
        seconds=time.perf_counter() - started,
    )


def _compile(model: keras.Model, photos: Photos) -> None:
    """Compile a model for callbacks, which ask for an optimizer, and for metrics which way is better."""
    head = head_of(photos)
    model.compile(keras.optimizers.AdamW(), loss=head.loss, metrics=list(head.metrics))
    if strategy_of(model).num_replicas_in_sync == 1:
        build_ahead(model, tf.data.Dataset.from_tensors((0, photos.targets("validation")[:1])))


def _excluded(
    *, augment: object, mix: object, balance: Balance | None, label_smoothing: float, distillation: object
) -> str:
    """Say what makes a head no regression on pictures, each by itself; nothing where it is one."""
    if isinstance(augment, DeviceAugmentation):
        return "augmentation on the device"
    if balance == "focal":
        return "balance='focal'"
    given = {"mix": mix, "label_smoothing": label_smoothing, "distillation": distillation}
    return next((name for name, value in given.items() if value), "")

"""Train phase by phase, hold each to its word, and keep the better one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
from rich.console import Console

from tfxfer.config import SOLVER, Distillation, Phase
from tfxfer.contracts import Balance, FeatureUse, FitLog, PhaseLog, Plan, RateSearch
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.models import HEAD, Anatomy, head_of, set_trainable
from tfxfer.runtime import scope_of
from tfxfer.training.guarding.replacing import takes_probe
from tfxfer.training.guarding.watch import Watch, check_guard, watch
from tfxfer.training.journals import Journal, check_journals
from tfxfer.training.methods.recalibration import statistics_of
from tfxfer.training.mlflow_runs import whole_run
from tfxfer.training.planning.defaults import phases_for
from tfxfer.training.preparing import Ready, prepared
from tfxfer.training.progress import tell_chosen
from tfxfer.training.resuming.checkpoints import check_checkpoints
from tfxfer.training.resuming.course import Course, run_settings
from tfxfer.training.solving import SOLVING, may_be_solved

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, FroFA, Mixing, Source

__all__ = ["find_rate", "fit"]


def fit(
    model: keras.Model,
    photos: Photos,
    *,
    plan: Plan | Sequence[Phase] | None = None,
    batch_size: int = 32,
    precision: str = "auto",
    seed: int = 0,
    augment: Source | DeviceAugmentation | FroFA | None = None,
    mix: Literal["mixup", "cutmix"] | Mixing | None = None,
    balance: Balance | None = None,
    label_smoothing: float = 0.0,
    distillation: Distillation | None = None,
    features: FeatureUse = "auto",
    views: int | None = None,
    guard: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    csv: str | Path | None = None,
    tensorboard: str | Path | None = None,
    checkpoints: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    console: Console | None = None,
) -> FitLog:
    """Train phase by phase, the head first, and keep whichever did best on validation.

    Each phase is compiled anew, stops early, and gets the weights of its best epoch back. After each,
    digests of all variables show that nothing frozen moved and everything that learns did. At the
    end the model has the weights of the phase with the lowest validation loss.

    Whatever ``balance`` makes of the training part, phases and epochs are compared by plain cross-entropy on
    the validation part as it is; under ``"focal"`` the log has the focal loss as ``val_focal_loss``.

    Where the frozen part of the model is computed once and kept (``features``), a phase trains what comes
    behind it, of which the layers are the model's own. It sees one of some views of each picture, drawn anew
    each epoch, instead of ever new ones. In stages in front of all that learns nothing drops (EfficientNet's
    drop-connect, a transformer's dropout), on kept features or in the whole model.

    Every picture is decoded once before, and a bad one refused; not so what ``tfxfer.clean`` looked at.

    Args:
        model: A model from ``tfxfer.build``, changed in place.
        photos: Data set with the classes the model was built for.
        plan: What learns, in which order, as phases or by a name: ``"two-phase"``, the head, then the top
            blocks with it, where they can be trained; ``"head"``, the head alone; ``"gradual"``, one block
            more in each phase; ``"full"``, the head, then everything. None is ``"two-phase"``, or everything
            at once where there are no pretrained weights. The head of all these is solved, as
            ``Phase(optimizer="lbfgs")`` is, unless labels or whole batches are changed or the loss is. How
            long they are, and how many blocks, is chosen as ``tfxfer.training.choose_defaults`` says, told
            and kept in the log.
        batch_size: Pictures a step, of all devices together where the model was built within
            ``tfxfer.strategy``. Where they find no memory, it is halved and gradients are accumulated over
            as many more turns, which makes the same steps; told, and kept in the log.
        precision: What it computes in while it trains: ``"float32"``, ``"mixed_float16"``,
            ``"mixed_bfloat16"``, or ``"auto"``: by the GPUs, and float32 on a CPU. Weights are float32 in
            each, and afterwards the model computes as it did before.
        seed: Seed of shuffling and dropout, in 0..2**32 - 1; it is set for the whole process.
        augment: What training pictures go through, every epoch anew: a policy's name, something of
            albumentations or a function, as ``augmentation`` takes it, or what ``device_augmentation``
            made; None leaves them as they are. ``"frofa"``, or a ``FroFA`` with a strength, changes what a
            head that learns alone gets of them, and leaves pictures as they are.
        mix: Whether each training batch is mixed within itself after that, labels and all: ``"mixup"``,
            ``"cutmix"``, or a ``MixUp`` or ``CutMix`` with an alpha. Validation is never mixed. MixUp mixes
            features where a phase trains on kept ones; under CutMix none are kept.
        balance: How rare classes are made to count: ``"none"``; ``"class_weights"``, the inverse of their
            counts in the loss; ``"sampling"``, their pictures repeated until all classes are as large as
            the largest; ``"focal"``, focal loss with gamma 2; or ``"auto"``, one of the first three. None is
            ``"sampling"`` where the largest class has more than ten times the pictures of the smallest, else
            ``"none"``. What these two chose is told with the reason and kept in the log.
        label_smoothing: Share of each training label that goes to all classes alike, in [0, 1), where each
            picture has one.
        distillation: A teacher, whose answers are learnt beside labels, where each picture has one. It looks
            at each training picture once, as it is, whatever is learnt from: views, or the whole picture
            changed. Pictures that are mixed have its answers mixed as their labels are.
        features: Whether what the frozen part makes of pictures is computed once and kept, in the user's
            cache folder: ``"auto"``, where that saves enough work, told with the reason and
            kept in the log; ``"cache"``, wherever anything is frozen; ``"off"``, never: the whole model runs
            in every step.
        views: How many views of each training picture are kept, the first as it is, the others augmented;
            None is 1 where nothing changes pictures, 9 under ``"frofa"``, else 4. Fewer are where these have
            no room.
        guard: Whether the model is compared in the end, on validation pictures, with a logistic (of numbers,
            ridge) regression on features of the backbone as it began, and with one on histograms of colours.
            Where the first is better by a difference whose 95 % bootstrap interval is above 0, the model gets
            its weights, and the backbone those that it began with. One sentence tells it, and the log.
        callbacks: Keras's own or yours; each phase is a ``fit`` of its own, of the whole model or of what
            comes behind kept features, and its epochs count on from those of the phases before.
        csv: File to write a row to for each epoch: its number over all phases, the phase, and its figures.
            It has each epoch once, ``resume`` or not; one that is there is replaced. None writes none.
        tensorboard: Folder to write the same to for TensorBoard, a run for each phase's training and
            validation; theirs that are there are replaced. None writes none.
        checkpoints: Folder to note in, after each epoch, all that is needed to go on; None for nowhere. The
            newest three are kept, and those of a run that is done too, until somebody removes them.
        resume: Whether to go on with what is there: behind the last epoch that was done, to the same weights
            on a processor as if nothing had happened. Of callbacks, numbers and texts are put back. Pictures
            of a stream that are not kept in memory come in another order.
        progress: Whether to show a bar, and what ``"auto"`` chose, on standard error.
        console: Where they go; None is standard error.

    Returns:
        What each phase did, and which was kept.

    Raises:
        SettingError: The model has another number of classes, a setting is out of range or does not go with
            another, or the augmentation fails or changes more than it may; ``features="cache"`` with CutMix,
            with what changes whole batches, or without room; or checkpoints are of a run with other settings,
            or there although nobody asked to go on.
        BundleError: The teacher's folder is no bundle, is damaged, or was exported without ``"keras"``.
        DataError: Some pictures cannot be read; nothing has been trained.
        DivergedError: The first phase ended in NaN; if a later one does, the one before is kept.
        FreezeError: Something frozen moved, or something did not learn.
        OutOfMemoryError: Not even one picture at a time has room; or not the batch on several devices.

    Warns:
        TfxferWarning: A phase ended in NaN, and what was before is kept; or a checkpoint is damaged, and the
            one before it is taken; or none can be written; or the teacher is smaller than the model.
    """
    anatomy = Anatomy.of(model)
    counts = {"images": len(photos.split.train), "stages": len(anatomy.stages)}
    settings: dict[str, Any] = {"augment": augment, "mix": mix, "balance": balance, "features": features}
    settings |= {"views": views, "batch_size": batch_size, "seed": seed, "label_smoothing": label_smoothing}
    settings |= {"precision": precision, "distillation": distillation}
    solved = may_be_solved(**{name: settings[name] for name in SOLVING}) and takes_probe(model)
    phases, chosen = phases_for(plan, scratch=anatomy.learns_whole, solved=solved, **counts)
    if guard:
        check_guard(phases)
    if resume and checkpoints is None:
        raise SettingError("resume=True needs a folder of checkpoints to go on from; give checkpoints.")
    held = check_checkpoints(checkpoints, resume=resume) if checkpoints is not None else None
    ready = prepared(model, photos, phases, **settings, progress=progress, console=console)
    tell_chosen(chosen, progress=progress, console=console)
    settings["distillation"] = ready.lessons.teaching
    decisive = run_settings(model, photos, phases, **settings) if held is not None else {}
    course = Course(model, held, decisive, beside=ready.beside)
    journal = Journal(*check_journals(csv, tensorboard), [phase.name for phase in phases])
    watched = watch(ready.prober, phases) if guard else ""
    if held and (found := held.newest()):
        # Features are of the weights that all phases begin with.
        ready.recalibrated(phases[0])
        ready.lessons.lesson(phases[0].name)
        course.resume(found)
        while ready.lessons.turns < course.turns:
            ready.lessons.halve()
        ready.tell(f"{course.told(phases)} ({checkpoints}).")
    journal.update(course)
    following: dict[str, Any] = {"callbacks": callbacks, "journal": journal}
    with whole_run():
        for phase in phases[len(course.logs) :]:
            course.done(_run(ready, phase, course, **following), phase)
    course.finish()
    log = _log(course, ready, chosen=chosen)
    with scope_of(ready.lessons.devices):
        _compile_plainly(model, photos, rate=log[log.kept].rate)
        return _guarded(watched, model, photos, log, ready)


def find_rate(
    model: keras.Model,
    photos: Photos,
    *,
    phase: Phase | None = None,
    batch_size: int = 32,
    precision: str = "auto",
    seed: int = 0,
    augment: Source | DeviceAugmentation | FroFA | None = None,
    mix: Literal["mixup", "cutmix"] | Mixing | None = None,
    balance: Balance | None = None,
    label_smoothing: float = 0.0,
    distillation: Distillation | None = None,
    features: FeatureUse = "auto",
    views: int | None = None,
    progress: bool = True,
    console: Console | None = None,
) -> RateSearch:
    """Try rates from 1e-7 to 10, one a batch, and suggest the one at which the loss falls best.

    The model's variables are as they were afterwards, to the bit; what learns is what the phase says, and it
    is to be compiled anew.

    Args:
        model: A model from ``tfxfer.build``.
        photos: Data set with the classes the model was built for.
        phase: What learns, by which optimizer, under which penalties; None is the head, by AdamW. Its rate,
            schedule and epochs do not matter.
        batch_size: As in ``fit``; another size wants another rate.
        precision: As there.
        seed: As there.
        augment: As there.
        mix: As there.
        balance: As there.
        label_smoothing: As there.
        distillation: As there.
        features: As there.
        views: As there.
        progress: As there.
        console: As there.

    Returns:
        The curve and the suggestion; ``draw_rates`` draws it.

    Raises:
        SettingError: As in ``fit``.
        DataError: As in ``fit``.
        DivergedError: The loss is no number before any rate could be told to be good.

    Source:
        Smith 2017, https://arxiv.org/abs/1506.01186; the suggestion is fastai's, ``valley``.
    """
    phases = (phase or Phase("head"),)
    if phases[0].solved:
        raise SettingError(
            f"phase {phases[0].name!r} is solved by {SOLVER!r}, which takes no rate; give another optimizer."
        )
    settings: dict[str, Any] = {"augment": augment, "mix": mix, "balance": balance, "features": features}
    settings |= {"views": views, "batch_size": batch_size, "seed": seed, "label_smoothing": label_smoothing}
    settings |= {"precision": precision, "distillation": distillation}
    ready = prepared(model, photos, phases, **settings, progress=progress, console=console)
    before = [(variable, np.array(variable)) for variable in statistics_of(model)]
    ready.recalibrated(phases[0])
    set_trainable(model, phases[0].train, batch_norm=phases[0].while_training)
    try:
        return ready.within_memory(lambda: ready.found_rate(phases[0]), name="the search for a rate")
    finally:
        for variable, value in before:
            variable.assign(value)


def _run(
    ready: Ready,
    phase: Phase,
    course: Course,
    *,
    callbacks: Sequence[keras.callbacks.Callback],
    journal: Journal,
) -> PhaseLog:
    begun = deepcopy(course.stretch)

    def attempt() -> PhaseLog:
        course.stretch = deepcopy(begun)
        return ready.run(phase, course, callbacks=callbacks, after=[journal.following(course)])

    return ready.within_memory(attempt, name=f"phase {phase.name}")


def _log(course: Course, ready: Ready, *, chosen: Mapping[str, str]) -> FitLog:
    balancing, kept = ready.balancing, ready.lessons.plan
    return FitLog(
        tuple(course.logs),
        course.kept,
        balance=balancing.name,
        balance_reason=balancing.why,
        features=kept.name,
        features_reason=kept.why,
        views=kept.views if kept.cuts else 0,
        extraction_seconds=ready.lessons.seconds,
        precision=ready.precision,
        devices=ready.lessons.devices.num_replicas_in_sync,
        chosen=chosen,
    )


def _guarded(watched: Watch | str, model: keras.Model, photos: Photos, log: FitLog, ready: Ready) -> FitLog:
    """Hold what was kept against what was had without fine-tuning, and keep the better."""
    if isinstance(watched, str):
        ready.tell(f"guard: none, since {watched}." if watched else "")
        return replace(log, guard_reason=watched)
    found = watched.judged(model, log)
    ready.tell(f"guard: {found}")
    log = replace(log, guard=found)
    if found.kept != "probe" or log.kept == watched.phase:
        return log
    set_trainable(model, HEAD)
    watched.restore(model)
    _compile_plainly(model, photos, rate=None)
    if watched.phase:
        return replace(log, kept=watched.phase)
    probe = watched.as_phase(model, photos)
    return replace(log, phases=(*log.phases, probe), kept=probe.name)


def _compile_plainly(model: keras.Model, photos: Photos, *, rate: float | None) -> None:
    """Leave a model for whole labels, and with Keras's own means alone: what is saved loads anywhere."""
    head = head_of(photos)
    loss = head.loss if isinstance(head.loss, str) else "mean_squared_error"
    model.compile(keras.optimizers.AdamW(rate or 1e-3), loss=loss, metrics=list(head.metrics))

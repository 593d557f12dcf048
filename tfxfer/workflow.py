"""The straight line: a recipe in, a checked model out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from rich.console import Console

from tfxfer import runtime
from tfxfer.augment import choose_mixing
from tfxfer.backbones import catalogued, is_outside
from tfxfer.config import Distillation, Phase, Recipe
from tfxfer.contracts import FitLog
from tfxfer.data import Photos, check_apart, check_cleaning, clean, read_photos
from tfxfer.errors import SettingError
from tfxfer.evaluation import (
    Calibration,
    Judgement,
    Rejection,
    check_label_errors,
    check_reject,
    evaluate,
    fit_rejection,
    likely_label_errors,
)
from tfxfer.evaluation import calibrate as calibrated
from tfxfer.exports import Artifact, check_unseen, choose_formats, export
from tfxfer.keeping import kept_recipe, placed, write_recipe
from tfxfer.models import Anatomy, build
from tfxfer.reporting import add_report
from tfxfer.runtime import check_target
from tfxfer.training import (
    SOLVING,
    Checkpoints,
    check_balance,
    check_checkpoints,
    check_distillation,
    check_features,
    check_journals,
    check_plan,
    choose_augmentation,
    fit,
    may_be_solved,
    phases_for,
    tell_chosen,
)

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, FroFA, Mixing

__all__ = ["Means", "Run", "for_card", "judged", "run"]

READING = ("columns", "task", "separator", "root", "data_dir", "download", "resize")
CLEANING = ("max_bad", "near_duplicates")
BUILDING = (
    "backbone",
    "weights",
    "weights_sha256",
    "image_size",
    "pixel_range",
    "dropout",
    "drop_path",
    "seed",
)
DEPTH = ("head_epochs", "top_epochs", "top_blocks")
EACH_PHASE = ("find_rate", "soup", "batch_norm")
LEARNING = (
    "balance",
    "label_smoothing",
    "distillation",
    "batch_size",
    "features",
    "views",
    "precision",
    "guard",
    "seed",
)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """All that ``transfer`` made.

    Attributes:
        model: The trained model.
        photos: The data set with its split.
        log: What training did.
        report: How good the model is on the test part: the report of the photos' task.
        files: The exported forms.
        seconds: Wall time of the whole.
        calibration: What calibrating did; None where nobody asked for it, and for numbers.
        rejection: How pictures of none of the classes are told; None where nobody asked for it.
    """

    model: keras.Model
    photos: Photos
    log: FitLog
    report: Judgement
    files: tuple[Artifact, ...]
    seconds: float
    calibration: Calibration | None = None
    rejection: Rejection | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values, ready for JSON."""
        test, metrics = self.report.headline, self.log.validation_metrics
        return {
            "task": self.photos.task,
            "names" if self.photos.task == "regression" else "classes": list(self.photos.classes),
            "images": len(self.photos),
            "left_out": len(self.photos.left_out or ()),
            f"test_{test.name}": test.value,
            **{f"validation_{name}": value for name, value in metrics.items()},
            "guard": str(self.log.guard) if self.log.guard else None,
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "rejection": None if self.rejection is None else self.rejection.to_dict(),
            "seconds": round(self.seconds, 2),
            "files": [str(artifact.path) for artifact in self.files],
        }


def run(
    recipe: Recipe,
    *,
    to: str | Path,
    csv: str | Path | None = None,
    tensorboard: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    progress: bool = True,
    console: Console | None = None,
) -> Run:
    """Train as a recipe says, judge on the test part, and write a checked bundle, as ``transfer`` does.

    Args:
        recipe: What is told.
        to: As in ``transfer``, and so are all others.
        csv: As there.
        tensorboard: As there.
        force: As there.
        resume: As there.
        progress: As there.
        console: As there.

    Raises:
        TfxferError: As there.
    """
    started = time.perf_counter()
    logs: dict[str, Any] = {"csv": csv, "tensorboard": tensorboard}
    watching: dict[str, Any] = {"progress": progress, "console": console}
    _check_whole(recipe)
    checkpoints = _held(recipe, to, resume=resume, force=force, **logs)
    means = Means.of(recipe)
    photos = read_photos(recipe.pictures.source, **recipe.pick(*READING, "seed"))
    means.check(recipe, photos)
    with runtime.strategy(recipe.training.strategy):
        model = build(photos, **recipe.pick(*BUILDING))
    photos = clean(photos, **recipe.pick(*CLEANING), **watching)
    _check_taught_apart(recipe, photos)
    doubted = likely_label_errors(model, photos, **watching) if _doubts(recipe) else None
    phases, chosen = means.phases_of(images=len(photos.split.train), stages=len(Anatomy.of(model).stages))
    kept = kept_recipe(recipe, **watching)
    tell_chosen(chosen, **watching)
    if not resume:
        checkpoints.clear()
    for path in (to, csv):
        if resume and path:
            runtime.remove_drafts(path)
    going: dict[str, Any] = {"checkpoints": checkpoints.folder, "resume": resume, **logs, **watching}
    changing: dict[str, Any] = {"augment": means.change, "mix": means.mixing}
    log = fit(model, photos, plan=phases, **changing, **recipe.pick(*LEARNING), **going)
    log = replace(log, chosen=chosen)
    done = judged(model, photos, **recipe.pick("calibrate", "reject", "batch_size"))
    about: dict[str, Any] = {"log": log, "settings": for_card(recipe, photos, phases), **done}
    report = partial(add_report, model, photos, done["report"], label_errors=doubted)
    about["beside"] = partial(write_recipe, kept, then=report if recipe.bundle.report else None)
    files = export(model, to, photos, formats=recipe.bundle.formats, force=force, **about)
    checkpoints.clear()
    return Run(model, photos, files=files, log=log, seconds=time.perf_counter() - started, **done)


def judged(
    model: keras.Model, photos: Photos, *, calibrate: bool, reject: float | None, batch_size: int
) -> dict[str, Any]:
    """Calibrate a model and learn to reject, as far as that is wanted, and judge it.

    Returns:
        ``calibration``, ``rejection`` and ``report``, as ``export`` takes them.
    """
    wanted = calibrate and photos.task != "regression"
    calibration = calibrated(model, photos, batch_size=batch_size) if wanted else None
    rejection = None if reject is None else fit_rejection(model, photos, share=reject, batch_size=batch_size)
    report = evaluate(model, photos, batch_size=batch_size)
    return {"calibration": calibration, "rejection": rejection, "report": report}


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """What a recipe's settings stand for, found right before a picture is read.

    Attributes:
        change: What training pictures go through.
        mixing: How batches are mixed.
        phases_of: Makes phases for so many pictures and stages, and says what it chose.
    """

    change: Augmentation | DeviceAugmentation | FroFA | None
    mixing: Mixing | None
    phases_of: Callable[..., tuple[tuple[Phase, ...], dict[str, str]]]

    @classmethod
    def of(cls, recipe: Recipe) -> Means:
        """Find it, or refuse what cannot be."""
        training = recipe.training
        check_cleaning(**recipe.pick(*CLEANING))
        choose_formats(recipe.bundle.formats)
        check_reject(recipe.judging.reject)
        runtime.check_precision(training.precision)
        runtime.check_strategy(training.strategy)
        change, mixing = choose_augmentation(training.augment), choose_mixing(training.mix)
        check_features(training.features, training.views, change)
        check_balance(training.balance, mixed=mixing is not None, smoothing=training.label_smoothing)
        check_distillation(training.distillation, balance=training.balance)
        depth = recipe.pick(*DEPTH)
        check_plan(training.plan, **depth)
        begun: dict[str, Any] = {"scratch": recipe.model.weights is None}
        begun["solved"] = may_be_solved(**recipe.pick(*SOLVING))
        phases_of = partial(phases_for, training.plan, **begun, **depth, **recipe.pick(*EACH_PHASE))
        # A catalogue's stages are known before anything runs, and what is refused depends on no pictures.
        if not is_outside(recipe.model.backbone):
            phases_of(images=1, stages=len(catalogued(recipe.model.backbone).stages))
        return cls(change, mixing, phases_of)

    def check(self, recipe: Recipe, photos: Photos) -> None:
        """Refuse what cannot be with these pictures."""
        training, mixed = recipe.training, self.mixing is not None
        check_balance(training.balance, photos, mixed=mixed, smoothing=training.label_smoothing)
        check_distillation(training.distillation, photos, balance=training.balance)
        check_reject(recipe.judging.reject, photos)
        if recipe.bundle.label_errors:
            check_label_errors(photos)


def _check_whole(recipe: Recipe) -> None:
    """Refuse a recipe that does not say all that a run must be told."""
    for name, what in recipe.lacks.items():
        raise SettingError(
            f"the recipe lacks {name}, of which a file cannot hold {what}; give "
            f"{'a folder' if name == 'source' else name} beside it, or take it out of [lacks] to do without."
        )
    if recipe.pictures.source is None:
        raise SettingError("no pictures are named; give a folder, a table, or tfds: and a name.")


def _held(recipe: Recipe, to: str | Path, *, resume: bool, force: bool, **logs: Any) -> Checkpoints:
    """Say whether a bundle and logs can be written, and where its checkpoints are until then."""
    target = check_target(to, force=force)
    check_apart(target, recipe.pictures.source, **recipe.pick("root", "data_dir"))
    check_journals(**logs, apart=target, replace=resume or force)
    return check_checkpoints(target.with_name(f"{target.name}.checkpoints"), resume=resume, force=force)


def _check_taught_apart(recipe: Recipe, photos: Photos) -> None:
    """Refuse a teacher that knows pictures by which it is to be told how good its student is."""
    taught = recipe.training.distillation
    if taught is not None and isinstance(taught.teacher, str | Path):
        check_unseen(taught.teacher, photos)


def _doubts(recipe: Recipe) -> bool:
    return recipe.bundle.label_errors and recipe.bundle.report


def for_card(recipe: Recipe, photos: Photos, phases: Sequence[Phase]) -> dict[str, Any]:
    """Put down settings as JSON has them, so that pictures and backbone are found again from any folder."""
    recipe = placed(recipe)
    training, source = recipe.training, recipe.pictures.source
    change, mixing = choose_augmentation(training.augment), choose_mixing(training.mix)
    return {
        **recipe.pick(*BUILDING, *READING, *CLEANING, *LEARNING, "strategy"),
        "source": source if isinstance(source, str) else None,
        "columns": dict(recipe.pictures.columns or {}),
        "task": photos.task,
        "resize": photos.resize,
        "distillation": _told(training.distillation),
        "augment": {"name": str(change or "none"), "digest": change.digest if change else None},
        "mix": str(mixing) if mixing else None,
        "plan": [phase.to_dict() for phase in phases],
    }


def _told(distillation: Distillation | None) -> dict[str, Any] | None:
    """Put down who taught, a model that is in no folder by its name."""
    if distillation is None:
        return None
    teacher = distillation.teacher
    named = teacher.name if isinstance(teacher, keras.Model) else str(teacher)
    return {"teacher": named, "temperature": distillation.temperature, "alpha": distillation.alpha}

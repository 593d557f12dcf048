"""The straight line: pictures in a folder or a table in, a checked model out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
from rich.console import Console

from tfxfer import runtime
from tfxfer.augment import choose_mixing
from tfxfer.backbones import PixelRange, catalogued, is_outside
from tfxfer.contracts import Balance, FeatureUse, FitLog, NearDuplicates, Plan, Resize, Task
from tfxfer.data import (
    MAX_BAD,
    DataFrame,
    Photos,
    check_apart,
    check_cleaning,
    clean,
    is_tfds,
    read_photos,
)
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
from tfxfer.exports import Artifact, choose_formats, export
from tfxfer.models import Anatomy, build
from tfxfer.reporting import add_report
from tfxfer.runtime import check_target
from tfxfer.training import (
    Checkpoints,
    Phase,
    check_balance,
    check_checkpoints,
    check_features,
    check_journals,
    check_plan,
    choose_augmentation,
    fit,
    phases_for,
    tell_chosen,
)

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, Mixing, Source

__all__ = ["Run", "judged", "transfer"]


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


def transfer(
    folder: str | Path | DataFrame,
    *,
    to: str | Path,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    task: Task | None = None,
    separator: str | None = None,
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
    download: bool = False,
    backbone: str = "mobilenet_v2",
    weights: str | Path | None = "pretrained",
    weights_sha256: str | None = None,
    image_size: int | None = None,
    pixel_range: PixelRange | None = None,
    drop_path: float | None = None,
    resize: Resize = "crop",
    max_bad: float = MAX_BAD,
    near_duplicates: NearDuplicates = "together",
    augment: Source | DeviceAugmentation = "none",
    mix: Literal["mixup", "cutmix"] | Mixing | None = None,
    batch_size: int = 32,
    precision: str = "auto",
    strategy: str = "auto",
    balance: Balance | None = None,
    label_smoothing: float = 0.0,
    features: FeatureUse = "auto",
    views: int | None = None,
    plan: Plan | Sequence[Phase] | None = None,
    head_epochs: int | None = None,
    top_epochs: int | None = None,
    top_blocks: int | None = None,
    find_rate: bool = False,
    soup: int | None = None,
    guard: bool = True,
    calibrate: bool = True,
    reject: float | None = None,
    report: bool = True,
    label_errors: bool = False,
    seed: int = 0,
    formats: tuple[str, ...] = ("keras", "saved-model", "tflite"),
    csv: str | Path | None = None,
    tensorboard: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    progress: bool = True,
    console: Console | None = None,
) -> Run:
    """Train on labelled pictures, wherever they are, judge on their test part, and write a checked bundle.

    Args:
        folder: Pictures, as ``from_folder`` takes them; a table of them, as ``from_table`` does; shards, as
            ``from_shards`` does; or ``"tfds:"`` and a name, as ``from_tfds`` does.
        to: Folder to write the bundle to.
        columns: For a table, which column holds what, such as ``{"label": "diagnosis", "group": "patient"}``:
            any of ``"path"``, ``"label"``, ``"split"`` and ``"group"``, as in ``from_table``; labels may have
            several columns. For TensorFlow Datasets, which feature is the ``"label"`` or the ``"group"``.
        task: For a table or TensorFlow Datasets, what is learnt: one class a picture, several, or numbers, as
            in ``from_table``.
        separator: For a table, what stands between several labels in one cell, as in ``from_table``.
        root: For a table, the folder that its paths start from, as in ``from_table``.
        data_dir: For TensorFlow Datasets, the folder it is prepared in, as in ``from_tfds``.
        download: For TensorFlow Datasets, whether it is downloaded and prepared where it is not yet.
        backbone: A name that ``tfxfer backbones`` lists, a module of TensorFlow Hub (``"hub:..."``), a
            preset of KerasHub (``"kerashub:..."``), or a bundle or ``.keras`` file to go on from
            (``"file:..."``), as in ``build``.
        weights: As in ``build``; None trains everything from scratch.
        weights_sha256: The SHA-256 that they must have, as in ``build``.
        image_size: Side of the square that pictures are brought to, in pixels; None takes the
            backbone's own.
        pixel_range: For backbones from outside the catalogue, as in ``build``.
        drop_path: For backbones with stochastic depth, as in ``build``.
        resize: How they are, as in ``from_folder``.
        max_bad: The largest share of pictures that cannot be read, and are left out, as in ``clean``.
        near_duplicates: Whether they are kept in one part of the split, as in ``clean``.
        augment: What training pictures go through, as in ``fit``; the card tells its name and digest.
        mix: Whether each training batch is mixed within itself, as in ``fit``.
        batch_size: Pictures a step, of all devices together.
        precision: What it computes in while it trains, as in ``fit``; what is written is float32.
        strategy: Which devices it trains on, as in ``tfxfer.strategy``.
        balance: How rare classes are made to count, as in ``fit``.
        label_smoothing: Share of each training label that goes to all classes alike, as in ``fit``.
        features: Whether what the frozen part makes of pictures is computed once and kept, as in ``fit``.
        views: How many views of each training picture are, as in ``fit``.
        plan: What learns, in which order, as in ``fit``.
        head_epochs: Epochs for the head alone; None leaves it to the plan, or to
            ``tfxfer.training.choose_defaults``, as in ``fit``.
        top_epochs: Epochs with the top blocks unfrozen; 0 leaves the backbone frozen, None likewise.
        top_blocks: How many blocks are unfrozen in the end, from the top; None likewise.
        find_rate: Whether each phase begins with a search for its rate, as ``tfxfer.find_rate`` does it.
        soup: Of how many of its best epochs each phase may average the weights, as ``Phase`` takes it.
        guard: Whether the model is held against a linear probe of the frozen backbone, and that kept where it
            is better, as in ``fit``.
        calibrate: Whether probabilities are made as sure as they are right, by ``tfxfer.calibrate``, in the
            model and all files; numbers have none.
        reject: Share of good pictures that may be turned away as none of the classes, as in
            ``fit_rejection``; None has nothing told of that.
        report: Whether ``report.html`` and what goes with it is written too, as ``write_report`` does; it
            holds small pictures of the data set.
        label_errors: Whether the report names labels that are likely wrong, as ``likely_label_errors`` finds
            them by the backbone before it learns.
        seed: Seed of the split, the new weights, the shuffling and the dropout.
        formats: Forms to export.
        csv: File to write a row to for each epoch, as in ``fit``; not within ``to``.
        tensorboard: Folder to write the same to for TensorBoard, as there; not within ``to``.
        force: Whether a bundle, logs of epochs, or checkpoints of a run that was interrupted, are replaced.
        resume: Whether to go on with such a run, as in ``fit``; its checkpoints are beside the bundle to be,
            in a folder of its name and ``.checkpoints``, until it is there.
        progress: Whether to show a bar on standard error.
        console: Where the bar goes; None is standard error.

    Returns:
        Model, data set, log, report and files.

    Raises:
        TfxferError: A setting, a picture, the weights or an exported file is wrong. The target is
            then as it was.
    """
    started = time.perf_counter()
    logs: dict[str, Any] = {"csv": csv, "tensorboard": tensorboard}
    held = _held(to, folder, root=root, data_dir=data_dir, resume=resume, force=force, **logs)
    cleaning: dict[str, Any] = {"max_bad": max_bad, "near_duplicates": near_duplicates}
    check_cleaning(**cleaning)
    _check_means(features, views, precision=precision, strategy=strategy, formats=formats, reject=reject)
    change, mixing = choose_augmentation(augment), choose_mixing(mix)
    softened: dict[str, Any] = {"mixed": mixing is not None, "smoothing": label_smoothing}
    check_balance(balance, **softened)
    learning: dict[str, Any] = {"balance": balance, "mix": mixing, "label_smoothing": label_smoothing}
    learning |= {"batch_size": batch_size, "features": features, "views": views, "precision": precision}
    depth: dict[str, Any] = {"head_epochs": head_epochs, "top_epochs": top_epochs, "top_blocks": top_blocks}
    phases_of = _planner(plan, backbone, depth, scratch=weights is None, find_rate=find_rate, soup=soup)
    table: dict[str, Any] = {"root": root, "columns": columns, "task": task, "separator": separator}
    prepared: dict[str, Any] = {"data_dir": data_dir, "download": download}
    photos = read_photos(folder, **table, **prepared, seed=seed, resize=resize)
    _check_photos(photos, balance, reject, label_errors=label_errors, **softened)
    start: dict[str, Any] = {"backbone": backbone, "weights": weights, "weights_sha256": weights_sha256}
    start |= {"image_size": image_size, "pixel_range": pixel_range, "drop_path": drop_path, "seed": seed}
    watching: dict[str, Any] = {"progress": progress, "console": console}
    with runtime.strategy(strategy):
        model = build(photos, **start)
    photos = clean(photos, **cleaning, **watching)
    doubted = likely_label_errors(model, photos, **watching) if label_errors and report else None
    phases, chosen = phases_of(images=len(photos.split.train), stages=len(Anatomy.of(model).stages))
    tell_chosen(chosen, **watching)
    if not resume:
        held.clear()
    going: dict[str, Any] = {"checkpoints": held.folder, "resume": resume, "seed": seed, "guard": guard}
    log = fit(model, photos, plan=phases, augment=change, **learning, **going, **logs, **watching)
    log = replace(log, chosen=chosen)
    done = judged(model, photos, calibrate=calibrate, reject=reject, batch_size=batch_size)
    reading = _reading(folder, photos, columns=columns, separator=separator, root=root, data_dir=data_dir)
    settings = _plain({**start, **reading, **learning, "strategy": strategy, **cleaning}, change, phases)
    beside = partial(add_report, model, photos, done["report"], label_errors=doubted) if report else None
    about: dict[str, Any] = {"log": log, "settings": settings, "beside": beside, **done}
    files = export(model, to, photos, formats=formats, force=force, **about)
    held.clear()
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


def _reading(
    folder: str | Path | DataFrame,
    photos: Photos,
    *,
    columns: Mapping[str, str | Sequence[str]] | None,
    separator: str | None,
    root: str | Path | None,
    data_dir: str | Path | None,
) -> dict[str, Any]:
    """Put down how pictures were read, so that they are read so again."""
    return {
        "columns": dict(columns or {}),
        "task": photos.task,
        "separator": separator,
        "source": _place(folder),
        "root": _place(root),
        "data_dir": _place(data_dir),
        "resize": photos.resize,
    }


def _plain(
    settings: Mapping[str, Any], change: Augmentation | DeviceAugmentation | None, phases: Sequence[Phase]
) -> dict[str, Any]:
    """Put down settings as JSON has them."""
    weights, mixing = settings["weights"], settings["mix"]
    return {
        **settings,
        "weights": None if weights is None else str(weights),
        "augment": {"name": str(change or "none"), "digest": change.digest if change else None},
        "mix": str(mixing) if mixing else None,
        "plan": [phase.to_dict() for phase in phases],
    }


def _place(given: str | Path | DataFrame | None) -> str | None:
    """Put down where pictures are, so that they are found again from any folder; None for a DataFrame."""
    if not isinstance(given, str | Path):
        return None
    return str(given) if is_tfds(given) else str(Path(given).absolute())


def _held(
    to: str | Path,
    folder: str | Path | DataFrame,
    *,
    root: str | Path | None,
    data_dir: str | Path | None,
    resume: bool,
    force: bool,
    **logs: str | Path | None,
) -> Checkpoints:
    """Say whether a bundle and logs can be written, and where its checkpoints are until then."""
    target = check_target(to, force=force)
    check_apart(target, folder, root=root, data_dir=data_dir)
    check_journals(**logs, apart=target, replace=resume or force)
    return check_checkpoints(target.with_name(f"{target.name}.checkpoints"), resume=resume, force=force)


def _check_photos(
    photos: Photos, balance: Balance | None, reject: float | None, *, label_errors: bool, **softened: Any
) -> None:
    check_balance(balance, photos, **softened)
    check_reject(reject, photos)
    if label_errors:
        check_label_errors(photos)


def _planner(
    plan: Plan | Sequence[Phase] | None, backbone: str, depth: Mapping[str, Any], **settings: Any
) -> Callable[..., tuple[tuple[Phase, ...], dict[str, str]]]:
    """Refuse early what is no plan for a backbone, and return what makes phases of it."""
    check_plan(plan, **depth)
    phases_of = partial(phases_for, plan, **depth, **settings)
    # A catalogue's stages are known before anything runs, and what is refused depends on no pictures.
    if not is_outside(backbone):
        phases_of(images=1, stages=len(catalogued(backbone).stages))
    return phases_of


def _check_means(
    features: str,
    views: int | None,
    *,
    precision: str,
    strategy: str,
    formats: Sequence[str],
    reject: float | None,
) -> None:
    choose_formats(formats)
    check_features(features, views)
    check_reject(reject)
    runtime.check_precision(precision)
    runtime.check_strategy(strategy)

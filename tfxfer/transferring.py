"""The door to the whole job: settings in, which make a recipe; pictures, model, report and bundle out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

from rich.console import Console

from tfxfer.backbones import PixelRange
from tfxfer.config import BatchNorm, Distillation, Phase, Recipe
from tfxfer.contracts import Balance, FeatureUse, NearDuplicates, Plan, Resize, Task
from tfxfer.data import DataFrame
from tfxfer.workflow import Run, run

if TYPE_CHECKING:
    from tfxfer.augment import DeviceAugmentation, FroFA, Mixing, Source

__all__ = ["Settings", "TrialSettings", "spelled_out", "transfer"]

Door = TypeVar("Door", bound=Callable[..., Any])


class TrialSettings(TypedDict, total=False):
    """What a ``Recipe`` holds beside its source, as far as a search leaves it to whoever asks."""

    columns: Mapping[str, str | Sequence[str]] | None
    task: Task | None
    separator: str | None
    root: str | Path | None
    data_dir: str | Path | None
    download: bool
    backbone: str
    weights: str | Path | None
    weights_sha256: str | None
    image_size: int | None
    pixel_range: PixelRange | None
    dropout: float
    drop_path: float | None
    resize: Resize
    max_bad: float
    near_duplicates: NearDuplicates
    augment: Source | DeviceAugmentation | FroFA
    mix: Literal["mixup", "cutmix"] | Mixing | None
    batch_size: int
    precision: str
    balance: Balance | None
    label_smoothing: float
    distillation: Distillation | None
    features: FeatureUse
    views: int | None
    plan: Plan | Sequence[Phase] | None
    head_epochs: int | None
    top_epochs: int | None
    top_blocks: int | None
    soup: int | None
    batch_norm: BatchNorm | None
    calibrate: bool
    reject: float | None
    report: bool
    seed: int
    formats: tuple[str, ...]


class Settings(TrialSettings, total=False):
    """All that a ``Recipe`` holds beside its source, under one roof."""

    strategy: str
    find_rate: bool
    guard: bool
    label_errors: bool


def spelled_out(settings: type) -> Callable[[Door], Door]:
    """Have ``help`` and notebooks show each setting and its default, where the code says ``**settings``.

    Args:
        settings: ``Settings`` or ``TrialSettings``, as the function takes them.
    """

    def show(door: Door) -> Door:
        signature, defaults = inspect.signature(door), Recipe().settings
        *own, _ = signature.parameters.values()
        kinds = {name: kind.__forward_arg__ for name, kind in inspect.get_annotations(settings).items()}
        shown = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=kind)
            for name, kind in kinds.items()
        ]
        door.__dict__["__signature__"] = signature.replace(parameters=[*own, *shown])
        return door

    return show


@spelled_out(Settings)
def transfer(
    folder: str | Path | DataFrame | None = None,
    *,
    to: str | Path,
    recipe: Recipe | str | Path | None = None,
    csv: str | Path | None = None,
    tensorboard: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    progress: bool = True,
    console: Console | None = None,
    **settings: Unpack[Settings],
) -> Run:
    """Train on labelled pictures, wherever they are, judge on their test part, and write a checked bundle.

    The bundle's ``recipe.toml`` says what was told here, and what a file cannot hold of it, such as a
    function: ``tfxfer.transfer(recipe="DIR/recipe.toml", to=…)`` makes the same weights on the same machine.

    Args:
        folder: Pictures, as ``from_folder`` takes them; a table of them, as ``from_table`` does; shards, as
            ``from_shards`` does; or ``"tfds:"`` and a name, as ``from_tfds`` does. None takes the recipe's.
        to: Folder to write the bundle to.
        recipe: What is told already, as a ``Recipe`` or the TOML file of one, such as a bundle's
            ``recipe.toml``, which repeats its run. What is given here goes before it.
        csv: File to write a row to for each epoch, as in ``fit``; not within ``to``.
        tensorboard: Folder to write the same to for TensorBoard, as there; not within ``to``.
        force: Whether a bundle, logs of epochs, or checkpoints of a run that was interrupted, are replaced.
        resume: Whether to go on with such a run, as in ``fit``; its checkpoints are beside the bundle to be,
            in a folder of its name and ``.checkpoints``, until it is there.
        progress: Whether to show a bar on standard error.
        console: Where the bar goes; None is standard error.
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
        dropout: Share of features switched off in training in front of the last layer, as in ``build``.
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
        distillation: A teacher, whose answers are learnt beside labels, as in ``fit``; it must not have
            learnt from pictures of the test part.
        features: Whether what the frozen part makes of pictures is computed once and kept, as in ``fit``.
        views: How many views of each training picture are, as in ``fit``.
        plan: What learns, in which order, as in ``fit``.
        head_epochs: Epochs for the head alone; None solves it where it can be, as in ``fit``, or else leaves
            it to the plan.
        top_epochs: Epochs with the top blocks unfrozen; 0 leaves the backbone frozen, None likewise.
        top_blocks: How many blocks are unfrozen in the end, from the top; None likewise.
        find_rate: Whether each phase begins with a search for its rate, as ``tfxfer.find_rate`` does it.
        soup: Of how many of its best epochs each phase may average the weights, as ``Phase`` takes it.
        batch_norm: What the backbone's BatchNorm layers do in each phase, as ``Phase`` takes it; None leaves
            it to the plan.
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

    Returns:
        Model, data set, log, report and files.

    Raises:
        SettingError: The recipe cannot be read, or lacks what it had in Python; there is no such setting.
        TfxferError: A setting, a picture, the weights or an exported file is wrong. The target is
            then as it was.
    """
    if not isinstance(recipe, Recipe):
        recipe = Recipe() if recipe is None else Recipe.from_toml(recipe)
    if folder is not None:
        recipe = recipe.with_settings(source=folder)
    return run(
        recipe.with_settings(**settings),
        to=to,
        csv=csv,
        tensorboard=tensorboard,
        force=force,
        resume=resume,
        progress=progress,
        console=console,
    )

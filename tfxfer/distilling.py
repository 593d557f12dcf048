"""A bundle's model teaches a smaller one, on the pictures that it was trained on; both are compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from tfxfer.backbones import write_count
from tfxfer.backbones.weights_file import load_safely
from tfxfer.config import Distillation, Recipe
from tfxfer.data import DataFrame
from tfxfer.errors import SettingError
from tfxfer.exports import FORMATS, choose_formats, load
from tfxfer.features import multiply_adds
from tfxfer.keeping import RECIPE
from tfxfer.reporting import RunComparison, compare
from tfxfer.runtime import OWN_MARK, check_digest, read_json
from tfxfer.workflow import Run, run

__all__ = ["Distilled", "ModelSize", "distill"]

_OF_ITS_OWN = {"weights_sha256": None, "pixel_range": None, "drop_path": None}
"""What a recipe says of its backbone alone."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    """How large a model is.

    Attributes:
        parameters: How many it has.
        multiply_adds: How many it makes of a picture.
        file_bytes: Size of its ``model.tflite``.
    """

    parameters: int
    multiply_adds: int
    file_bytes: int

    def __str__(self) -> str:
        counts = f"{write_count(self.parameters)} parameters, {write_count(self.multiply_adds)} multiply-adds"
        return f"{self.file_bytes / 1e6:.2f} MB, {counts}"


@dataclass(frozen=True, slots=True, eq=False)
class Distilled:
    """What ``distill`` made; printed, it is a sentence.

    Attributes:
        run: The student, as ``transfer`` makes one.
        comparison: Teacher and student, in this order, on the test part.
        teacher: How large the teacher is.
        student: How large the student is.
    """

    run: Run
    comparison: RunComparison
    teacher: ModelSize
    student: ModelSize

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values, ready for JSON."""
        sizes = {"teacher": asdict(self.teacher), "student": asdict(self.student)}
        return {**self.run.to_dict(), "comparison": self.comparison.to_dict(), "sizes": sizes}

    def __str__(self) -> str:
        (first, second), (apart,) = self.comparison.models, self.comparison.differences
        return (
            f"Of {self.comparison.pictures} test pictures, the teacher {first.backbone} ({self.teacher}) has "
            f"{first.value:.1%} right, its student {second.backbone} ({self.student}) {second.value:.1%}: "
            f"{str(apart).replace('  ', ', ')}."
        )


def distill(
    bundle: str | Path,
    photos: str | Path | DataFrame | None = None,
    *,
    to: str | Path,
    backbone: str = "mobilenet_v2_035",
    temperature: float = 4.0,
    alpha: float = 0.1,
    recipe: Recipe | str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    progress: bool = True,
    console: Console | None = None,
) -> Distilled:
    """Have a bundle's model teach one on a smaller backbone, and write that as a checked bundle.

    The student is told what the teacher was, by the bundle's ``recipe.toml``: the same pictures in the same
    parts, the same augmentation and plan. It learns from labels and the teacher's answers, as
    ``Distillation`` says. Another recipe may have it learn longer, or from more varied pictures:

    ``recipe=Recipe.from_toml("DIR/recipe.toml").with_settings(augment="medium", top_epochs=60)``

    What it would have become without a teacher, ``transfer`` tells, by the same recipe and backbone.

    Args:
        bundle: What ``transfer`` or ``tfxfer train`` wrote, with ``"keras"`` and ``"tflite"`` among its
            formats; for one class a picture.
        photos: Where the pictures are that it was trained on, as ``transfer`` takes them; None takes the
            recipe's.
        to: Folder to write the student to.
        backbone: What the student is built on, as in ``transfer``.
        temperature: What logits of both are divided by, as in ``Distillation``.
        alpha: What labels count beside the teacher, as there.
        recipe: What the student is told; None is the bundle's recipe, but for weights and settings that are
            its backbone's own.
        force: As in ``transfer``.
        resume: As there.
        progress: As there.
        console: As there.

    Returns:
        The student, and how it does beside its teacher on the test part.

    Raises:
        BundleError: The bundle is none, is damaged, or was exported without one of the two formats.
        SettingError: A setting is wrong, the bundle has no recipe, or the pictures are others.
        TfxferError: As in ``transfer``. The target is then as it was.

    Warns:
        TfxferWarning: The student is the larger one.
    """
    teacher = load(bundle)
    check_digest(teacher.folder, FORMATS["keras"].filename)
    taught = Distillation(teacher.folder, temperature=temperature, alpha=alpha)
    told = _told(teacher.folder, recipe).with_settings(backbone=backbone, distillation=taught)
    if photos is not None:
        told = told.with_settings(source=photos)
    _check_apart(teacher.folder, Path(to))
    _check_comparable(told)
    watching: dict[str, Any] = {"progress": progress, "console": console}
    done = run(told, to=to, force=force, resume=resume, **watching)
    return Distilled(
        done,
        compare([teacher.folder, to], photos=done.photos),
        _size(_model_of(teacher.folder), teacher.folder),
        _size(done.model, Path(to)),
    )


def _told(bundle: Path, recipe: Recipe | str | Path | None) -> Recipe:
    """Return what a student is told, but for its backbone and its teacher."""
    if isinstance(recipe, Recipe):
        return recipe
    if recipe is not None:
        return Recipe.from_toml(recipe)
    if RECIPE not in read_json(bundle / OWN_MARK).get("files", {}):
        raise SettingError(
            f"{bundle} has no {RECIPE} that tells how its model was trained; give recipe=… (--recipe)."
        )
    check_digest(bundle, RECIPE)
    found = Recipe.from_toml(bundle / RECIPE)
    weights = None if found.model.weights is None else "pretrained"
    return found.with_settings(weights=weights, **_OF_ITS_OWN)


def _check_apart(bundle: Path, target: Path) -> None:
    if target.absolute() == bundle.absolute():
        raise SettingError(f"{target} is the teacher's own folder; give the student another.")


def _check_comparable(recipe: Recipe) -> None:
    if not any(form.name == "tflite" for form in choose_formats(recipe.bundle.formats)):
        raise SettingError(
            f"teacher and student are compared by their model.tflite, and formats are "
            f"{', '.join(recipe.bundle.formats)}; add 'tflite'."
        )


def _model_of(bundle: Path) -> keras.Model:
    return load_safely(bundle / FORMATS["keras"].filename, advice="export the model again.")


def _size(model: keras.Model, bundle: Path) -> ModelSize:
    file = bundle / FORMATS["tflite"].filename
    return ModelSize(model.count_params(), multiply_adds(model), file.stat().st_size)

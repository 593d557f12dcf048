"""The values that flow between rooms: frozen, plain, and free of any framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from tfxfer.errors import SettingError
from tfxfer.guards import Guard

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "BALANCES",
    "FEATURE_AUGMENTATIONS",
    "FEATURE_USES",
    "LABEL_THRESHOLD",
    "NEAR_DUPLICATES",
    "PARTS",
    "PLANS",
    "PRECISIONS",
    "RESIZES",
    "STRATEGIES",
    "TASKS",
    "Balance",
    "FeatureUse",
    "Figure",
    "FitLog",
    "ImageRecord",
    "InputContract",
    "LeftOut",
    "NearDuplicates",
    "Part",
    "PhaseLog",
    "Plan",
    "Precision",
    "Predictions",
    "RateSearch",
    "Resize",
    "Split",
    "Task",
]

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

Resize = Literal["crop", "stretch"]
"""How a picture of another shape is brought to a model's size.

- ``crop``: its shorter side is brought to the size, and its middle kept: shapes stay true.
- ``stretch``: both sides are brought to the size: nothing is lost at the edges.
"""
RESIZES: tuple[Resize, ...] = get_args(Resize)


Task = Literal["single_label", "multi_label", "regression"]
"""What is learnt of a picture.

- ``single_label``: the one class that it shows.
- ``multi_label``: which of the classes it shows: none, one or several.
- ``regression``: one number or several; the data set's "classes" are their names.
"""
TASKS: tuple[Task, ...] = get_args(Task)

LABEL_THRESHOLD = 0.5
"""Of several labels, a picture has those whose probability is this or more."""


Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
"""In which numbers a model computes while it trains; its weights are float32 in each."""
PRECISIONS = ("auto", *get_args(Precision))

STRATEGIES = ("auto", "none", "mirrored")
"""Which devices a model trains on: all GPUs where there are several, one device, or all of them."""


class Figure(NamedTuple):
    """One figure and what it is.

    Attributes:
        name: Its name, in letters and underscores, such as ``"accuracy"``.
        value: The figure.
    """

    name: str
    value: float


NearDuplicates = Literal["together", "ignore"]
"""Whether duplicates and near duplicates are kept in one part of a split."""
NEAR_DUPLICATES: tuple[NearDuplicates, ...] = get_args(NearDuplicates)


Balance = Literal["none", "class_weights", "sampling", "focal", "auto"]
"""How rare classes are made to count.

- ``none``: they are not.
- ``class_weights``: their pictures weigh more in the loss, by the inverse of their number.
- ``sampling``: their pictures are repeated until all classes are as large as the largest.
- ``focal``: focal loss, in which what is already right counts for less.
- ``auto``: one of the first three, by how uneven the classes are.
"""
BALANCES: tuple[Balance, ...] = get_args(Balance)


FeatureUse = Literal["auto", "cache", "off"]
"""Whether what the frozen part of a model makes of pictures is computed once and kept.

- ``auto``: where it saves enough work.
- ``cache``: where anything is frozen.
- ``off``: never: the whole model runs in every step.
"""
FEATURE_USES: tuple[FeatureUse, ...] = get_args(FeatureUse)

FEATURE_AUGMENTATIONS = ("frofa",)
"""What changes what a frozen backbone makes of pictures, beside policies, which change pictures."""


Plan = Literal["two-phase", "head", "gradual", "full"]
"""In which order a network learns.

- ``two-phase``: the head, then the top blocks with it.
- ``head``: the head alone.
- ``gradual``: the head, then one block more in each phase, from the top.
- ``full``: the head, then everything.
"""
PLANS: tuple[Plan, ...] = get_args(Plan)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One picture: where it lies and what it shows.

    Attributes:
        path: File, relative to the data set's root, with forward slashes.
        label: Index into the data set's classes. Of several labels, or of numbers, the number of the stratum:
            pictures that are alike in them, which splits are balanced by.
        group: What it shares with others that must stay in its part, such as a patient, or None.
        target: What is learnt where that is not the label: indices of all classes that are shown,
            ascending, or numbers, one a name.
        alike: What it shares with those that it looks like, or None; they must stay in its part too.
    """

    path: str
    label: int
    group: str | None = None
    target: tuple[int, ...] | tuple[float, ...] | None = None
    alike: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One picture that a data set does without, and why.

    Attributes:
        path: File, relative to the data set's root, with forward slashes.
        label: As ``ImageRecord`` has it.
        part: The part that it was in, or None where it was in none.
        reason: The rest of a sentence that begins with the file's name.
        target: As ``ImageRecord`` has it.
    """

    path: str
    label: int
    part: Part | None
    reason: str
    target: tuple[int, ...] | tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Which record learns, which chooses, which judges: indices into the records.

    Attributes:
        train: Indices of the pictures that are learnt from.
        validation: Indices that choose epochs and phases.
        test: Indices that are looked at once, at the end.
        seed: The seed the cut was made with.
        given: Parts that the folder or table itself laid down, rather than the seed.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    seed: int
    given: tuple[Part, ...] = ()

    def __getitem__(self, part: Part) -> tuple[int, ...]:
        parts: dict[str, tuple[int, ...]] = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return parts[part]


@dataclass(frozen=True, slots=True)
class InputContract:
    """What a model takes: raw RGB in 0..255, one fixed size; scaling happens inside the model.

    Attributes:
        height: Rows of pixels.
        width: Columns of pixels.
    """

    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one picture: (height, width, 3)."""
        return (self.height, self.width, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model said about some pictures, whoever the model is.

    Attributes:
        classes: Class names, or names of numbers, in the order of the score columns.
        files: One name a picture.
        scores: Shape (pictures, classes), float32: probabilities, of which rows sum to 1 where a picture
            shows one class; or numbers in their own units.
        labels: The truth, or None where unknown: class indices, shape (pictures,), int64; for several labels
            0 and 1, and for regression numbers, shape (pictures, classes), float32.
        task: What the scores are of.
        groups: What each picture is of, such as a hospital, None for nothing; or None where unknown.
        tta: By which views test-time augmentation went, whose mean the scores are; none where there was none.
        plain: What the model says of the pictures alone, shaped as the scores; None where that is the scores.
    """

    classes: tuple[str, ...]
    files: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32] | None = None
    task: Task = "single_label"
    groups: tuple[str | None, ...] | None = None
    tta: tuple[str, ...] = ()
    plain: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class PhaseLog:
    """What one phase of training did.

    Attributes:
        name: The phase's name.
        learning_parameters: How many parameters could move.
        history: Metric name -> one value an epoch, as Keras reports it; ``val_loss`` is plain cross-entropy.
        best_epoch: The epoch whose weights were restored, counted from 1.
        seconds: Wall time.
        cut: The operations on whose kept outputs it trained; none where it ran the whole model.
        rate: Its highest learning rate, found or given; None where nobody noted it.
        turns: Over how many parts of a batch gradients were accumulated, since the memory was too small for
            the whole.
        soup: The epochs whose weights were averaged, counted from 1, the best first; none where the best
            epoch's were kept as they are.
        souped: Metric name -> what that average reaches on validation.
    """

    name: str
    learning_parameters: int
    history: Mapping[str, tuple[float, ...]]
    best_epoch: int
    seconds: float
    cut: tuple[str, ...] = ()
    rate: float | None = None
    turns: int = 1
    soup: tuple[int, ...] = ()
    souped: Mapping[str, float] = field(default_factory=dict)

    def best(self, metric: str) -> float:
        """Return the metric's value of the average, where weights were averaged, or at the best epoch."""
        return self.souped[metric] if metric in self.souped else self.history[metric][self.best_epoch - 1]


@dataclass(frozen=True, slots=True)
class RateSearch:
    """What a search for a learning rate found.

    Attributes:
        rates: The rates tried, ascending.
        losses: The training loss at each, smoothed.
        suggestion: The one at which it falls best.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float

    def __str__(self) -> str:
        tried = f"{len(self.rates)} from {self.rates[0]:.0e} to {self.rates[-1]:.0e}"
        return f"a rate of {self.suggestion:.1e}, of {tried}"


@dataclass(frozen=True, slots=True)
class FitLog:
    """What a whole fit did, phase by phase, and which phase was kept.

    Attributes:
        phases: One log a phase, in order.
        kept: Name of the phase whose weights the model has now; ``"probe"``, the last, is the guard's.
        balance: How rare classes were made to count; never ``"auto"``.
        balance_reason: Why it was chosen so; empty where somebody did.
        features: Whether what the frozen part makes was computed once and kept; never ``"auto"``.
        features_reason: Why; empty where somebody chose ``"off"``.
        views: How many views of each training picture were kept; 0 where none were.
        extraction_seconds: Wall time of computing them.
        precision: In which numbers it was computed while training; never ``"auto"``.
        devices: How many devices shared each batch.
        chosen: What was chosen of how long and how deep it learnt, as nobody said: setting -> its value and
            why.
        guard: How it did against a linear probe of the frozen backbone and against colours, or None.
        guard_reason: Why there is no guard; empty where there is, or nobody wanted one.
    """

    phases: tuple[PhaseLog, ...]
    kept: str
    balance: Balance = "none"
    balance_reason: str = ""
    features: FeatureUse = "off"
    features_reason: str = ""
    views: int = 0
    extraction_seconds: float = 0.0
    precision: Precision = "float32"
    devices: int = 1
    chosen: Mapping[str, str] = field(default_factory=dict)
    guard: Guard | None = None
    guard_reason: str = ""

    def __getitem__(self, name: str) -> PhaseLog:
        return {phase.name: phase for phase in self.phases}[name]

    def plot(self, file: str | Path) -> Path:
        """Draw losses and metric, epoch by epoch, to a PNG, SVG or PDF file: ``training.draw_log``."""
        draw: Callable[..., Path] = importlib.import_module("tfxfer.training").draw_log  # loaded when asked
        return draw(self, file)

    @property
    def validation_metrics(self) -> dict[str, float]:
        """What the kept weights reach on the validation pictures: metric -> value, losses left out.

        ``accuracy`` of one label, ``binary_accuracy`` of several, ``mean_absolute_error`` of numbers.
        """
        kept = self[self.kept]
        names = [name for name in kept.history if name.startswith("val_") and not name.endswith("loss")]
        return {name.removeprefix("val_"): kept.best(name) for name in names}

    @property
    def validation_accuracy(self) -> float:
        """Share of validation pictures that the kept weights get right, in 0..1.

        Raises:
            SettingError: Pictures had several labels or numbers, which are right in part.
        """
        if "accuracy" not in self.validation_metrics:
            raise SettingError(
                "there is no validation accuracy where pictures do not each show one class; "
                f"validation_metrics has {', '.join(self.validation_metrics)}."
            )
        return self.validation_metrics["accuracy"]

    @property
    def validation_loss(self) -> float:
        """Plain loss of the kept weights on the validation pictures, whatever they were trained by.

        Cross-entropy in nats; of numbers, squared error in standard deviations.
        """
        return self[self.kept].best("val_loss")

    @property
    def seconds(self) -> float:
        """Wall time of all phases, of computing features, and of the guard."""
        guarding = self.guard.seconds if self.guard else 0.0
        return self.extraction_seconds + sum(phase.seconds for phase in self.phases) + guarding

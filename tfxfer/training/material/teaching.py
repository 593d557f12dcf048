"""What a teacher makes of training pictures, beside their labels, and the loss that learns from both."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from rich.console import Console
from scipy.special import softmax

from tfxfer.backbones import write_count
from tfxfer.backbones.weights_file import load_safely
from tfxfer.config import Distillation
from tfxfer.contracts import Balance
from tfxfer.data import Photos
from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.features import kept_features, prefix_sha256
from tfxfer.models import check_classes, logits_layer
from tfxfer.runtime import ModelFacts, check_digest, read_card

__all__ = ["DistillationLoss", "Teaching", "check_distillation", "taught_by"]

_MODEL = "model.keras"
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class Teaching:
    """What a teacher makes of training pictures.

    Attributes:
        shares: Its softened probabilities, one row a training picture, shape (pictures, classes).
        distillation: How they count.
        teacher: What it is called, and the beginning of the SHA-256 of its graph and weights.
    """

    shares: npt.NDArray[np.float32]
    distillation: Distillation
    teacher: str

    def __str__(self) -> str:
        told = self.distillation
        return f"{self.teacher} at temperature {told.temperature:g}, alpha {told.alpha:g}"

    @property
    def loss(self) -> DistillationLoss:
        """What rows from ``beside`` are learnt by, and whole labels validated."""
        return DistillationLoss(self.distillation.temperature, self.distillation.alpha)

    def beside(self, labels: npt.NDArray[Any], *, smoothing: float) -> npt.NDArray[np.float32]:
        """Put labels and what the teacher says next to one another.

        The teacher's shares are less 1, and so below those of the labels: the largest of a row is the label,
        which is what Keras counts accuracy and weighs classes by.

        Args:
            labels: Class indices of the training pictures, shape (pictures,).
            smoothing: Share of each label that goes to all classes alike.

        Returns:
            Shares of the label, then the teacher's less 1, shape (pictures, 2 * classes). Rows may be mixed
            as labels are: what they teach is mixed with them.
        """
        classes = self.shares.shape[1]
        shown = (1 - smoothing) * np.eye(classes, dtype=np.float32)[labels] + smoothing / classes
        return np.concatenate([shown, self.shares - 1], axis=1).astype(np.float32)


class DistillationLoss(keras.losses.Loss):
    """Cross-entropy of labels, and divergence from a teacher's softened answers beside it.

    Args:
        temperature: What logits are divided by.
        alpha: What labels count, in [0, 1); the teacher counts the rest.
        **settings: ``reduction``, ``name`` and ``dtype``, as of ``keras.losses.Loss``.

    Source:
        Hinton, Vinyals & Dean 2015, https://arxiv.org/abs/1503.02531, section 2.

    >>> rows = np.array([[1.0, 0.0, 0.8 - 1, 0.2 - 1]])  # the label, and the teacher's shares less 1
    >>> scores = np.array([[0.5, 0.5]])
    >>> round(float(DistillationLoss(2.0, 0.1)(rows, scores)), 4)  # 0.1 * 0.6931 + 0.9 * 2**2 * 0.1927
    0.7632
    """

    def __init__(self, temperature: float, alpha: float, **settings: Any) -> None:
        super().__init__(**{"name": "distillation_loss", **settings})
        self.temperature = temperature
        self.alpha = alpha

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a picture.

        Args:
            y_true: Rows from ``Teaching.beside``, shape (batch, 2 * classes); or shares of labels alone,
                shape (batch, classes), of which it is the cross-entropy.
            y_pred: Probabilities, shape (batch, classes).

        Returns:
            Losses, shape (batch,).
        """
        classes = y_pred.shape[-1]
        by_labels = keras.losses.categorical_crossentropy(y_true[:, :classes], y_pred)
        if y_true.shape[-1] == classes:
            return by_labels
        wanted = y_true[:, classes:] + 1
        # The logarithm of probabilities is the logits but for a constant, which softmax does not see.
        said = ops.log_softmax(ops.log(ops.maximum(y_pred, _TINY)) / self.temperature, axis=-1)
        apart = ops.sum(wanted * (ops.log(ops.maximum(wanted, _TINY)) - said), axis=-1)
        return self.alpha * by_labels + (1 - self.alpha) * self.temperature**2 * apart

    def get_config(self) -> dict[str, Any]:
        """Return what it can be made again from."""
        return {**super().get_config(), "temperature": self.temperature, "alpha": self.alpha}


def check_distillation(
    distillation: Distillation | None, photos: Photos | None = None, *, balance: Balance | None = None
) -> None:
    """Refuse a teacher that cannot teach, or that does not go with what else is done to labels.

    Args:
        distillation: Who teaches, and how; None is nobody.
        photos: The data set, where it is there already.
        balance: How rare classes are made to count.

    Raises:
        BundleError: The teacher is a folder that is no bundle, was exported without ``"keras"``, or is
            damaged.
        SettingError: Pictures do not show one class each, the teacher tells other classes apart or is not
            from ``tfxfer.build``, or ``balance`` is ``"focal"``.
    """
    if distillation is None:
        return
    if balance == "focal":
        raise SettingError(
            "a teacher's answers are shares of classes, which focal loss does not take; leave balance or "
            "distillation out."
        )
    if photos is not None and photos.task != "single_label":
        raise SettingError(
            f"distillation is for one class a picture (single_label), got {photos.task}; leave it out."
        )
    teacher = distillation.teacher
    if isinstance(teacher, keras.Model):
        logits_layer(teacher)
        if photos is not None:
            check_classes(teacher, photos.classes)
        return
    facts = ModelFacts.of_card(read_card(teacher))
    check_digest(Path(teacher), _MODEL)
    if photos is not None and (facts.task, facts.classes) != (photos.task, photos.classes):
        raise SettingError(
            f"the teacher {teacher} is for {facts.task} of {', '.join(facts.classes)}, and {photos.source} "
            f"for {photos.task} of {', '.join(photos.classes)}; give the pictures it was trained on."
        )


def taught_by(
    distillation: Distillation,
    model: keras.Model,
    photos: Photos,
    *,
    progress: bool,
    console: Console | None,
) -> Teaching:
    """Have a teacher look at each training picture, once and as it is; its answers are kept on disk.

    Args:
        distillation: Who teaches, and how, let pass by ``check_distillation``.
        model: Who learns.
        photos: The data set, balanced.
        progress: Whether to show how far it is.
        console: Where.

    Raises:
        DataError: A picture cannot be read.
        WeightsError: The teacher's file does not open.

    Warns:
        TfxferWarning: The teacher is the smaller one.
    """
    teacher, photos = _loaded(distillation.teacher, photos)
    if model.count_params() > teacher.count_params():
        mine, its = (write_count(each.count_params()) for each in (model, teacher))
        warnings.warn(
            f"the student ({model.name}, {mine} parameters) is larger than its teacher ({teacher.name}, "
            f"{its}); distillation is for a smaller one.",
            TfxferWarning,
            stacklevel=2,
        )
    prefix = keras.Model(teacher.inputs[0], logits_layer(teacher).output, name=f"{teacher.name}_teacher")
    logits = kept_features(prefix, photos, photos.split.train, progress=progress, console=console)
    shares = softmax(logits.astype(np.float64) / distillation.temperature, axis=1)
    name = f"{teacher.name} ({prefix_sha256(prefix)[:12]})"
    return Teaching(shares.astype(np.float32), distillation, name)


def _loaded(teacher: str | Path | keras.Model, photos: Photos) -> tuple[keras.Model, Photos]:
    """Return a teacher, and the pictures brought to its size as those that it learnt from were."""
    if isinstance(teacher, keras.Model):
        return teacher, photos
    facts = ModelFacts.of_card(read_card(teacher))
    model = load_safely(Path(teacher) / _MODEL, advice="export the model again.")
    return model, replace(photos, resize=facts.resize)

"""Co-Tuning: what the backbone learnt to tell apart goes on teaching it while it learns something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from rich.console import Console
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from tfxfer.backbones import BACKBONES, PretrainedTop, origin_of, pretrained_top
from tfxfer.config import Phase
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.features import kept_features
from tfxfer.models import Anatomy, choose_layers

__all__ = ["Pretraining", "category_relationship", "check_co_tuning", "pretraining_of"]

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

_STRENGTHS = tuple(float(f"{digit}e{power}") for power in range(4, -5, -1) for digit in (1, 0.3))[:-1]
"""The inverse penalties that are tried: 1e4, 3e3, 1e3 and so on to 1e-4."""
_SHARPEST = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Pretraining:
    """What a backbone was pretrained to tell apart, and how that goes with what it is to learn.

    Attributes:
        top: The layers that tell it; they learn too, and are no part of the model.
        relationship: Probability of each of its classes where a picture shows one of the data set's, shape
            (classes of the data set, classes of the pretraining); rows sum to 1.
    """

    top: PretrainedTop
    relationship: Floats

    @property
    def variables(self) -> list[keras.Variable]:
        """What learns of the layers."""
        return list(self.top.layers.trainable_variables)

    def taught(
        self, learner: keras.Model, strength: float, *, class_weight: Mapping[int, float] | None = None
    ) -> keras.Model:
        """Make a model that learns with the layers beside it, and gives what it gave.

        Args:
            learner: The model, or a suffix of it that the map is in.
            strength: How much their loss counts.
            class_weight: Class index -> weight of its pictures in the learner's own loss, or None.

        Returns:
            A model of the same variables, and the layers'. Only in training does their loss count.
        """
        outputs = [learner.outputs[0], self.top.logits(learner)]
        twin = keras.Model(learner.inputs, outputs, name=learner.name)
        return CoTuned(twin, self.relationship, strength=strength, class_weight=class_weight)


class CoTuned(keras.Model):
    """A model that gives scores, and is taught by logits beside them in training.

    Args:
        twin: A model that gives both.
        relationship: As ``Pretraining`` has it.
        strength: How much the loss of the logits counts.
        class_weight: Class index -> weight of its pictures in the loss of the scores, or None.
    """

    def __init__(
        self,
        twin: keras.Model,
        relationship: Floats,
        *,
        strength: float,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__(name=twin.name)
        self._twin = twin
        self._relationship = relationship.astype(np.float32)
        self._strength = strength
        weights = [(class_weight or {}).get(label, 1.0) for label in range(len(relationship))]
        self._class_weights = np.asarray(weights, np.float32)
        self._logits: Any = None

    @property
    def outputs(self) -> list[keras.KerasTensor]:
        """The scores, as a functional model has them."""
        return [self._twin.outputs[0]]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Give the scores; Keras asks for the loss right after, within the same step."""
        scores, self._logits = self._twin(inputs, training=training)
        return scores

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Add cross-entropy of the logits against what goes with each label, each picture alike.

        Weights of classes do not count in it; those do by which unequal shares of a batch make up the whole.
        """
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        if len(y.shape) == 2 and y.shape[-1] > 1:  # shares of classes, and perhaps a teacher's behind
            shares = y[:, : len(self._relationship)]
            wanted = ops.matmul(ops.cast(shares, "float32"), self._relationship)
            labels = ops.argmax(y, axis=-1)
        else:
            labels = ops.cast(ops.reshape(y, (-1,)), "int32")
            wanted = ops.take(self._relationship, labels, axis=0)
        agreement = ops.sum(wanted * ops.log_softmax(ops.cast(self._logits, "float32")), axis=-1)
        if sample_weight is not None:
            agreement *= ops.reshape(sample_weight, (-1,)) / ops.take(self._class_weights, labels)
        return loss - self._strength * ops.mean(agreement)


def check_co_tuning(model: keras.Model, photos: Photos, phases: Sequence[Phase]) -> None:
    """Refuse Co-Tuning where there is nothing to go by.

    Args:
        model: A model from ``tfxfer.build``.
        photos: The data set.
        phases: The phases.

    Raises:
        SettingError: A phase asks for it and trains nothing of the backbone, or pictures do not show one
            class each, or what told classes apart on the backbone did not come along and is not to be had.
    """
    tuned = [phase for phase in phases if phase.co_tuning]
    if not tuned:
        return
    if photos.task != "single_label":
        raise SettingError(
            f"co_tuning is for one class a picture (single_label), got {photos.task}; leave it out."
        )
    for phase in tuned:
        if not choose_layers(Anatomy.of(model), phase.train, batch_norm=phase.while_training):
            raise SettingError(
                f"co_tuning of phase {phase.name!r} teaches the backbone, of which nothing learns in it; "
                "leave it out there, or choose what learns by train."
            )
    origin = origin_of(model)
    if origin and origin.top:
        return
    if model.name not in BACKBONES or not BACKBONES[model.name].builder.startswith("keras.applications:"):
        raise SettingError(
            f"co_tuning needs the classification layer that a backbone was pretrained with, and {model.name} "
            "comes without; take a backbone of keras.applications (tfxfer backbones) or a model that "
            "tfxfer made and that tells one class a picture (file:DIR), or leave it out."
        )
    if origin is None or origin.kind != "imagenet":
        raise SettingError(
            f"co_tuning goes with the ImageNet weights of {model.name}, got "
            f"{origin.kind if origin else 'some out of a file'}; build the model with weights='imagenet', or "
            "leave co_tuning out."
        )


def pretraining_of(
    model: keras.Model, photos: Photos, *, progress: bool, console: Console | None
) -> Pretraining:
    """Find out how the classes of a pretraining go with those of a data set, before anything is trained.

    Args:
        model: A model from ``tfxfer.build``, let pass by ``check_co_tuning``, with the weights it began with.
        photos: The data set.
        progress: Whether to show how far it is.
        console: Where.

    Raises:
        DataError: A picture cannot be read.
        WeightsError: The classification layer cannot be had.
    """
    origin = origin_of(model)
    top = origin.top.copy() if origin and origin.top else pretrained_top(model, BACKBONES[model.name])
    prefix = keras.Model(model.inputs[0], top.logits(model), name=f"{model.name}_pretrained")
    train, validation = photos.split.train, photos.split.validation
    logits = kept_features(prefix, photos, (*train, *validation), progress=progress, console=console)
    relationship = category_relationship(
        softmax(logits[: len(train)].astype(np.float64), axis=1),
        np.asarray(photos.labels("train")),
        validation=softmax(logits[len(train) :].astype(np.float64), axis=1),
        validation_labels=np.asarray(photos.labels("validation")),
        classes=len(photos.classes),
    )
    return Pretraining(top, relationship)


def category_relationship(
    probabilities: Floats, labels: Labels, *, validation: Floats, validation_labels: Labels, classes: int
) -> Floats:
    """Learn which classes of a pretraining go with each class of a data set.

    A logistic regression without intercept learns classes from the pretraining's probabilities; its penalty
    is the one of 17 under which it gets most validation pictures right, and its temperature that of the
    lowest cross-entropy on them. What it says of each pretraining's class alone is turned around by Bayes'
    rule. Probabilities are taken as they are: the paper calibrates them on pictures of the pretraining.

    Args:
        probabilities: What the pretrained network says of training pictures, shape (pictures, classes of the
            pretraining); rows sum to 1.
        labels: Their classes, shape (pictures,).
        validation: The same of validation pictures.
        validation_labels: Their classes.
        classes: How many classes the data set has.

    Returns:
        Probability of each class of the pretraining, given each of the data set, shape (classes, classes of
        the pretraining); rows sum to 1. A class without training pictures has those of all pictures.

    Source:
        You et al. 2020, https://proceedings.neurips.cc/paper/2020/hash/c8067ad1937f728f51288b3eb986afaa-Abstract.html,
        and what its authors' code does, https://github.com/thuml/CoTuning.
    """
    fits = [
        LogisticRegression(C=strength, fit_intercept=False, max_iter=1000).fit(probabilities, labels)
        for strength in _STRENGTHS
    ]
    best = max(fits, key=lambda fit: float(fit.score(validation, validation_labels)))
    weights = best.coef_ if len(best.coef_) > 1 else np.concatenate([-best.coef_, best.coef_]) / 2
    scale = _sharpness(validation @ weights.T, validation_labels, best.classes_)
    given_source = softmax(scale * weights.T, axis=1)
    marginal = np.concatenate([probabilities, validation]).mean(axis=0)
    joint = (given_source * marginal[:, None]).T
    relationship = np.tile(marginal, (classes, 1))
    relationship[best.classes_] = joint / joint.sum(axis=1, keepdims=True)
    return relationship


def _sharpness(logits: Floats, labels: Labels, known: Labels) -> float:
    """Find what logits are to be multiplied by for the lowest cross-entropy, 100 at most."""
    seen = np.isin(labels, known)
    if not seen.any():
        return 1.0
    rows, places = logits[seen], np.searchsorted(known, labels[seen])

    def loss(scale: float) -> float:
        return float(-log_softmax(scale * rows, axis=1)[np.arange(len(rows)), places].mean())

    return float(minimize_scalar(loss, bounds=(0.0, _SHARPEST), method="bounded").x)

"""Whether a picture shows any of the classes at all, by how far its features are from what was learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt

from tfxfer.contracts import Part
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.models import check_classes, input_contract, logits_layer

__all__ = ["Rejection", "check_reject", "fit_rejection", "virtual_logit", "virtual_space", "with_known"]

_DIMENSIONS = 64
_MOST = 2000
_ROUNDING = 1e-9
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """How pictures that show none of the classes are told.

    A picture is known where its score is the threshold or more. The score is ``vim``: the energy of the
    logits, less how far the features are from the space that those of training pictures lie in.

    Attributes:
        share: Share of pictures of the classes that is turned away, in (0, 1).
        threshold: The least score of what is known.
        images: Pictures of the validation part, whose scores the threshold is a quantile of.
        spread: Standard deviation of these scores.
        origin: Where features are counted from, shape (features,).
        basis: The directions in which those of training pictures vary most, shape (features, directions).
        alpha: What a distance counts for, in logits.
    """

    share: float
    threshold: float
    images: int
    spread: float
    origin: _Numbers
    basis: _Numbers
    alpha: float

    score: ClassVar[str] = "vim"

    def to_dict(self) -> dict[str, Any]:
        """Return what a bundle's card says of it: all but the arrays, which are in the exported files."""
        return {
            "score": self.score,
            "share": self.share,
            "threshold": self.threshold,
            "images": self.images,
            "directions": self.basis.shape[1],
        }

    def __str__(self) -> str:
        return (
            f"known or none of these: by {self.score}, up to {self.share:.1%} of good pictures turned away "
            f"on average, by a threshold from {self.images} validation pictures"
        )


def fit_rejection(
    model: keras.Model, photos: Photos, *, share: float = 0.05, batch_size: int = 32
) -> Rejection:
    """Learn to tell pictures that show none of the classes, without having seen any.

    The space of features is that of 2,000 training pictures at most, evenly chosen. The threshold is where
    at most the stated share of pictures like those of the validation part falls below it. Fit it after
    ``calibrate``, which changes the logits.

    Args:
        model: A model from ``tfxfer.build`` of one label a picture, that has learnt.
        photos: The data set that it has learnt from.
        share: Share of pictures of the classes that may be turned away, in (0, 1).
        batch_size: Pictures a step.

    Returns:
        What ``export`` puts into files as a second output.

    Raises:
        DataError: A picture cannot be read.
        SettingError: The share is out of range, or smaller than so few validation pictures can tell; the
            pictures have several labels or numbers, or the model is for others.

    Source:
        Wang et al. 2022, https://arxiv.org/abs/2203.10807 (ViM), with 64 directions, or fewer where there
        are few pictures, and logits around their mean, of which probabilities do not depend; Liu et al.
        2020, https://arxiv.org/abs/2010.03759 (energy). The quantile counts the picture to come among the
        others, as Vovk et al. 2005, Algorithmic Learning in a Random World, do.
    """
    check_reject(share, photos)
    check_classes(model, photos.classes, task=photos.task)
    layer = logits_layer(model)
    below = keras.Model(model.inputs[0], [layer.input, layer.output], name=model.name)
    features, logits = _outputs(below, photos, "train", batch_size)
    kernel, bias = (np.asarray(each, np.float64) for each in layer.get_weights())
    origin, basis, alpha = virtual_space(features, logits, kernel, bias)
    scores = virtual_logit(*_outputs(below, photos, "validation", batch_size), origin, basis, alpha)
    return Rejection(
        share,
        threshold=float(np.sort(scores)[_place(share, len(scores)) - 1]),
        images=len(scores),
        spread=float(scores.std()),
        origin=origin,
        basis=basis,
        alpha=alpha,
    )


def virtual_space(
    features: _Numbers, logits: _Numbers, kernel: _Numbers, bias: _Numbers
) -> tuple[_Numbers, _Numbers, float]:
    """Find where the features of training pictures lie, and what a distance from there counts for.

    Args:
        features: Shape (pictures, features).
        logits: Shape (pictures, classes).
        kernel: What makes logits of features, shape (features, classes).
        bias: Likewise, shape (classes,).

    Returns:
        Origin, basis and alpha, as ``Rejection`` has them.
    """
    origin = _origin(kernel, bias)
    basis = _basis(features - origin, _directions(*features.shape))
    distances = _distances(features, origin, basis)
    best = _around_mean(logits).max(axis=1)
    return origin, basis, float(best.mean() / np.maximum(distances.mean(), np.finfo(np.float32).eps))


def virtual_logit(
    features: _Numbers, logits: _Numbers, origin: _Numbers, basis: _Numbers, alpha: float
) -> _Numbers:
    """Score pictures by ViM, shape (pictures,): higher is more like what was learnt.

    Args:
        features: Shape (pictures, features).
        logits: Shape (pictures, classes).
        origin: As ``Rejection`` has it.
        basis: Likewise.
        alpha: Likewise.

    >>> features, logits = np.array([[3.0, 4.0]]), np.array([[1.0, -1.0]])
    >>> score = virtual_logit(features, logits, np.zeros(2), np.array([[1.0], [0.0]]), alpha=0.5)
    >>> round(float(score[0]), 3), round(float(np.log(np.exp(1) + np.exp(-1)) - 0.5 * 4), 3)
    (-0.873, -0.873)
    """
    energy = np.logaddexp.reduce(_around_mean(logits), axis=1)
    return np.asarray(energy - alpha * _distances(features, origin, basis))


def with_known(model: keras.Model, rejection: Rejection) -> keras.Model:
    """Return the model with two outputs: ``scores``, and ``known``, the score less the threshold.

    They are to be told by name: TensorFlow gives them in an order of its own.
    """
    layer = logits_layer(model)
    ops = keras.ops
    origin, basis = (np.asarray(each, np.float32) for each in (rejection.origin, rejection.basis))
    centred = ops.cast(layer.input, "float32") - origin
    outside = centred - ops.matmul(ops.matmul(centred, basis), basis.T)
    distance = ops.sqrt(ops.sum(ops.square(outside), axis=-1))
    logits = ops.cast(layer.output, "float32")
    logits = logits - ops.mean(logits, axis=-1, keepdims=True)
    # By hand, since LiteRT has no operator for the logarithm of a sum of exponentials.
    highest = ops.max(logits, axis=-1)
    energy = highest + ops.log(ops.sum(ops.exp(logits - ops.expand_dims(highest, -1)), axis=-1))
    known = energy - rejection.alpha * distance - rejection.threshold
    return keras.Model(model.inputs[0], {"scores": model.outputs[0], "known": known}, name=model.name)


def check_reject(share: float | None, photos: Photos | None = None) -> None:
    """Refuse a share of good pictures turned away that is none, or that a data set cannot tell.

    Args:
        share: The share; None is none wanted.
        photos: The data set, or None where it is not known yet.

    Raises:
        SettingError: As in ``fit_rejection``.
    """
    if share is None:
        return
    if not 0 < share < 1:
        raise SettingError(f"the share of good pictures turned away must be in (0, 1), got {share:g}.")
    if photos is None:
        return
    if photos.task != "single_label":
        raise SettingError(
            f"what shows none of the classes is told of one label a picture, not {photos.task}."
        )
    images = len(photos.split.validation)
    if not _place(share, images):
        raise SettingError(
            f"{images} validation pictures do not tell where {share:g} of good pictures are turned away; "
            f"give {math.ceil(1 / share - _ROUNDING) - 1} or more of them, or a share of "
            f"{1 / (images + 1):.3f} or more."
        )


def _place(share: float, images: int) -> int:
    """Return which of the scores, counted from the lowest, is the threshold; 0 where there are too few.

    A further picture is as likely to come before, between or behind any of them: below the k-th of n with a
    probability of k / (n + 1).
    """
    return int(share * (images + 1) + _ROUNDING)


def _outputs(below: keras.Model, photos: Photos, part: Part, batch_size: int) -> tuple[_Numbers, _Numbers]:
    """Return features and logits of a part, thinned to so many pictures evenly: it is sorted by class."""
    if part == "train":
        learnt = photos.split.train
        chosen = np.linspace(0, len(learnt) - 1, num=min(len(learnt), _MOST)).round().astype(int)
        photos = replace(photos, split=replace(photos.split, train=tuple(learnt[i] for i in chosen)))
    size = input_contract(below)
    batches = photos.batches(
        part, image_size=(size.height, size.width), batch_size=batch_size, shuffle=False, cache="none"
    )
    features, logits = below.predict(batches, verbose=0)
    return np.asarray(features, np.float64), np.asarray(logits, np.float64)


def _directions(images: int, features: int) -> int:
    return max(1, min(_DIMENSIONS, features // 2, images // 4))


def _origin(kernel: _Numbers, bias: _Numbers) -> _Numbers:
    """Return the features whose logits are as alike as can be."""
    inverse = np.linalg.pinv((kernel - kernel.mean(axis=1, keepdims=True)).T)
    return np.asarray(-inverse @ (bias - bias.mean()))


def _basis(centred: _Numbers, directions: int) -> _Numbers:
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
    return np.asarray(vectors[:, -directions:])


def _distances(features: _Numbers, origin: _Numbers, basis: _Numbers) -> _Numbers:
    centred = features - origin
    return np.asarray(np.linalg.norm(centred - centred @ basis @ basis.T, axis=1))


def _around_mean(logits: _Numbers) -> _Numbers:
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))

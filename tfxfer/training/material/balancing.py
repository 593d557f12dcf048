"""Rare classes are made to count: by weights, by repetition, or by a loss that looks at what is hard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from tfxfer.contracts import BALANCES, Balance
from tfxfer.data import Photos, RandomAccess
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.heads import SingleLabel, SparseFocalCrossentropy
from tfxfer.models import head_of

__all__ = [
    "Balancing",
    "PlainValidationLoss",
    "balance_training",
    "check_balance",
    "choose_balance",
]

_EVEN = 2.0
_WEIGHED = 10.0
_CROSS_ENTROPY = "cross_entropy"


@dataclass(frozen=True, slots=True, eq=False)
class Balancing:
    """How rare classes are made to count in a fit.

    Attributes:
        name: The method; never ``"auto"``.
        why: Why it was chosen; empty where somebody chose it.
        photos: The data set, whose training part may hold pictures more than once.
        class_weight: Class index -> weight of its pictures in the loss, or None.
        loss: What is minimized.
        metrics: What is measured.
        callbacks: What goes before all other callbacks.
    """

    name: Balance
    why: str
    photos: Photos
    class_weight: Mapping[int, float] | None
    loss: Any
    metrics: Sequence[Any]
    callbacks: Sequence[keras.callbacks.Callback]


def check_balance(
    balance: str | None, photos: Photos | None = None, *, mixed: bool = False, smoothing: float = 0.0
) -> None:
    """Refuse a method that is not known, or cannot be with what else is done to labels.

    Args:
        balance: The method; None leaves it to ``balance_training``.
        photos: The data set, where it is there already.
        mixed: Whether training pictures are mixed.
        smoothing: Share of each training label that goes to all classes alike.

    Raises:
        SettingError: It is not known; or pictures do not show one class each, are mixed and it weighs whole
            ones, or come in a stream and it repeats them; or the share is out of range, or labels cannot be
            smoothed.
    """
    _check_smoothing(smoothing, balance=balance, photos=photos)
    if balance is not None and balance not in BALANCES:
        hint = did_you_mean(balance, BALANCES) or "."
        raise SettingError(f"no balance {balance!r}{hint} There are {', '.join(BALANCES)}.")
    if photos is not None and photos.task != "single_label":
        if mixed:
            raise SettingError(
                f"mix is for one class a picture (single_label), got {photos.task}; leave it out."
            )
        if balance not in (None, "none"):
            raise SettingError(
                f"balance is for one class a picture (single_label), got {balance!r} for {photos.task}; "
                "leave it out."
            )
    if mixed and balance in ("class_weights", "focal"):
        raise SettingError(
            f"mix makes pictures of two classes each, which {balance} cannot weigh; balance must be 'none' "
            "or 'sampling' with it."
        )
    if balance == "sampling" and photos is not None and not isinstance(photos.source, RandomAccess):
        raise SettingError(
            f"sampling repeats pictures, which a stream ({photos.source}) cannot; balance by "
            "'class_weights', or write the pictures as files."
        )


def _check_smoothing(smoothing: float, *, balance: str | None, photos: Photos | None) -> None:
    if not 0 <= smoothing < 1:
        raise SettingError(f"label_smoothing must be in [0, 1), got {smoothing:g}.")
    if smoothing and photos is not None and photos.task != "single_label":
        raise SettingError(
            f"label_smoothing is for one class a picture (single_label), got {photos.task}; leave it out."
        )
    if smoothing and balance == "focal":
        raise SettingError(
            "label_smoothing makes shares of classes, which focal loss does not take; leave one out."
        )


def choose_balance(counts: Sequence[int]) -> tuple[Balance, str]:
    """Choose a method by how many times the largest class is as large as the smallest.

    - Up to 2 times: ``"none"``.
    - Up to 10 times: ``"class_weights"``. An epoch stays as long as it was, and the weights within a
      factor of 10 of each other.
    - Beyond: ``"sampling"``. Batches of usual sizes would mostly hold none of the rarest class, and now
      and then one whose large weight throws the steps about; repeated, it is in every batch.

    ``"focal"`` is never chosen: it was made for detectors, with a thousand easy pieces of background for
    each object, and helps classifiers less surely.

    The thresholds are rules of thumb, none of them from a paper. Buda et al. found that oversampling did
    best for convolutional networks in nearly all they tried, should make classes wholly even, and did not
    make them overfit; Cui et al. note that weights by the inverse of counts serve long tails poorly;
    Johnson & Khoshgoftaar survey them all.

    Args:
        counts: Training pictures of each class, each at least 1.

    Returns:
        The method, and a sentence that says why.

    Source:
        Buda, Maki & Mazurowski 2018, https://arxiv.org/abs/1710.05381; Johnson & Khoshgoftaar 2019,
        https://doi.org/10.1186/s40537-019-0192-5; Cui et al. 2019, https://arxiv.org/abs/1901.05555; Lin et
        al. 2017, https://arxiv.org/abs/1708.02002.

    >>> method, why = choose_balance([120, 30])
    >>> method
    'class_weights'
    >>> print(why)
    the largest class has 4.0 times the training pictures of the smallest (120 and 30); weights even it out
    """
    largest, smallest = max(counts), min(counts)
    ratio = largest / smallest
    found = (
        f"the largest class has {ratio:.1f} times the training pictures of the smallest ({largest:,} and "
        f"{smallest:,})"
    )
    if ratio <= _EVEN:
        return "none", f"{found}; that is even enough"
    if ratio <= _WEIGHED:
        return "class_weights", f"{found}; weights even it out"
    return "sampling", f"{found}; that is beyond weights, so the pictures of smaller classes are repeated"


def balance_training(
    photos: Photos, balance: Balance | None, *, mixed: bool = False, smoothing: float = 0.0
) -> Balancing:
    """Prepare a method for a data set.

    Validation is never weighted or resampled, and ``val_loss`` is plain cross-entropy whatever is minimized.

    Args:
        photos: The data set.
        balance: The method. None is ``"sampling"`` where ``"auto"`` is, and ``"none"`` elsewhere: of 262
            pictures of tiles, four times as many of one kind as of another, weights did no better.
        mixed: Whether training pictures are mixed, and their labels are shares of classes.
        smoothing: Share of each training label that goes to all classes alike.

    Returns:
        What a fit needs of it.

    Raises:
        SettingError: It is not known, or pictures do not show one class each, or are mixed and it weighs
            whole ones.
    """
    check_balance(balance, photos, mixed=mixed, smoothing=smoothing)
    head = head_of(photos)
    labels = photos.labels("train")
    name, why = (balance or "none"), ""
    if balance == "auto" or (balance is None and photos.task == "single_label"):
        name, why = choose_balance(list(Counter(labels).values()))
        if balance is None and name == "class_weights":
            name, why = "none", f"{why.partition(';')[0]}; up to {_WEIGHED:.0f} times that is left as it is"
        name, why = _possible(name, why, mixed=mixed, stream=not isinstance(photos.source, RandomAccess))
    if name == "sampling":
        photos = replace(photos, split=replace(photos.split, train=_repeated(photos.split.train, labels)))
    focal = name == "focal"
    loss = SparseFocalCrossentropy() if focal else SingleLabel.soft_loss if mixed or smoothing else head.loss
    measured = [keras.metrics.SparseCategoricalCrossentropy(name=_CROSS_ENTROPY)] if focal else []
    return Balancing(
        name=name,
        why=why,
        photos=photos,
        class_weight=_weights(labels) if name == "class_weights" else None,
        loss=loss,
        metrics=[*head.metrics, *measured],
        callbacks=[PlainValidationLoss()] if focal else [],
    )


def _possible(name: Balance, why: str, *, mixed: bool, stream: bool) -> tuple[Balance, str]:
    """Choose another method where the one that ``choose_balance`` chose cannot be."""
    if name == "sampling" and stream:
        name, why = "class_weights", f"{why}; but a stream cannot repeat them, so weights even it out"
    if name == "class_weights" and mixed:
        why = f"{why}; but pictures that are mixed cannot be weighed"
        name = "none" if stream else "sampling"
    return name, why


def _weights(labels: Sequence[int]) -> dict[int, float]:
    """Weigh classes by the inverse of their counts, so that the mean over all pictures is 1."""
    present = np.unique(labels)
    weights = compute_class_weight("balanced", classes=present, y=np.asarray(labels))
    return {int(label): float(weight) for label, weight in zip(present, weights, strict=True)}


def _repeated(indices: Sequence[int], labels: Sequence[int]) -> tuple[int, ...]:
    """Repeat the pictures of each class, in turn, until it is as large as the largest."""
    members: dict[int, list[int]] = {}
    for index, label in zip(indices, labels, strict=True):
        members.setdefault(label, []).append(index)
    most = max(map(len, members.values()))
    return tuple(int(index) for own in members.values() for index in np.resize(own, most))


class PlainValidationLoss(keras.callbacks.Callback):
    """Have ``val_loss`` be plain cross-entropy for all callbacks after it, and for the log.

    Phases, and fits with other losses, are then compared by the same measure; what is minimized is under
    ``val_focal_loss``.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Rename the figures; Keras hands one dictionary from callback to callback."""
        if logs is not None:
            logs["val_focal_loss"] = logs["val_loss"]
            logs["val_loss"] = logs.pop(f"val_{_CROSS_ENTROPY}")

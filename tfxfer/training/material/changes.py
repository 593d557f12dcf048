"""What training pictures go through on their way to the model: augmentation and batching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import tensorflow as tf

from tfxfer import augment as room
from tfxfer import runtime
from tfxfer.contracts import InputContract
from tfxfer.data import Photos

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, Change, DeviceAugmentation, FroFA, Source

__all__ = ["choose_augmentation", "make_datasets"]


def choose_augmentation(
    augment: Source | DeviceAugmentation | FroFA | None,
) -> Augmentation | DeviceAugmentation | FroFA | None:
    """Make the augmentation asked for; albumentations is imported only where there is one.

    Args:
        augment: As ``augmentation`` takes it, or what ``device_augmentation`` made, or ``FroFA``, its name or
            its table, or None.

    Returns:
        It, or None where pictures stay as they are: for None and ``"none"``.

    Raises:
        SettingError: No such policy, or nothing that can change a picture.
    """
    if augment is None or (isinstance(augment, str) and augment == "none"):
        return None
    if of_features := room.choose_feature_augmentation(augment):
        return of_features
    return augment if isinstance(augment, room.DeviceAugmentation) else room.augmentation(augment)


def make_datasets(
    photos: Photos,
    *,
    size: InputContract,
    batch_size: int,
    seed: int,
    augment: Augmentation | DeviceAugmentation | FroFA | None,
    epochs: runtime.Epochs,
    targets: npt.NDArray[Any] | None = None,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Return the training and the validation part as batches.

    Args:
        photos: Data set with a split.
        size: What the model takes.
        batch_size: Pictures a step.
        seed: Seed of shuffling and augmentation.
        augment: What each training picture goes through, or each batch of them, or None; what changes
            features leaves pictures as they are.
        epochs: What tells which epoch it is.
        targets: What is learnt of training pictures, one row each in their order; None is what they show.

    Returns:
        Pairs of pictures, shape (batch, height, width, 3), and targets, shape (batch, ...).
    """
    shared: dict[str, Any] = {"image_size": (size.height, size.width), "batch_size": batch_size}
    learnt: dict[str, Any] = {"seed": seed, "epochs": epochs, "targets": targets, **shared}
    if isinstance(augment, room.DeviceAugmentation):
        batches = photos.batches("train", **learnt)
        training = _changed(batches, augment.start(seed), epochs.places(seed))
    else:
        change = None if isinstance(augment, room.FroFA) else augment
        training = photos.batches("train", augment=change, **learnt)
    return training, photos.batches("validation", **shared)


def _changed(batches: tf.data.Dataset, change: Change, places: tf.data.Dataset) -> tf.data.Dataset:
    def apply(batch: tuple[tf.Tensor, tf.Tensor], place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        change.begin(place[0], place[1])
        return change(images), labels

    # One batch after the other: its layers have one state.
    return runtime.prepared_ahead(tf.data.Dataset.zip(batches, places).map(apply))

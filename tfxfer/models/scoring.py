"""What a model makes of one part of a data set, and of views of its pictures."""

from __future__ import annotations

import math

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.augment import reading_sizes, view_count, views_of
from tfxfer.contracts import InputContract, Part
from tfxfer.data import Photos
from tfxfer.models.anatomy import input_contract
from tfxfer.runtime import as_is, filled_up, strategy_of

__all__ = ["scores_of", "view_scores_of"]


def scores_of(
    model: keras.Model, photos: Photos, part: Part, *, batch_size: int = 32
) -> npt.NDArray[np.float32]:
    """Have a model look at each picture of a part.

    Args:
        model: What takes pictures and gives one array.
        photos: The data set.
        part: Which part, not an empty one.
        batch_size: Pictures a step, of all devices together.

    Returns:
        What it gives, shape (pictures, ...), in the order of the part's records.

    Raises:
        DataError: A picture cannot be read.
    """
    return view_scores_of(model, photos, part, (), batch_size=batch_size)[:, 0]


def view_scores_of(
    model: keras.Model, photos: Photos, part: Part, views: tuple[str, ...], *, batch_size: int = 32
) -> npt.NDArray[np.float32]:
    """Have a model look at each view of each picture of a part.

    Args:
        model: As in ``scores_of``.
        photos: Likewise.
        part: Likewise.
        views: Which views there are behind the picture itself, as ``choose_views`` returns them.
        batch_size: Views a step, of all devices together, or those of one picture a device.

    Returns:
        What it gives, shape (pictures, views, ...), in the order of the part's records.

    Raises:
        DataError: A picture cannot be read.
    """
    each, count = view_count(views), strategy_of(model).num_replicas_in_sync
    pictures = len(photos.split[part])
    together = math.ceil(max(1, min(batch_size // each, pictures)) / count) * count
    batches = _seen(photos, part, input_contract(model), views, together)
    try:
        scores = model.predict(filled_up(batches, together * each), verbose=0)
    except tf.errors.OpError:
        # Most often a picture that cannot be read: said plainly, where it is so.
        photos.check(part)
        raise
    return np.asarray(scores[: pictures * each], np.float32).reshape(pictures, each, *scores.shape[1:])


def _seen(
    photos: Photos, part: Part, size: InputContract, views: tuple[str, ...], batch_size: int
) -> tf.data.Dataset:
    """Return batches of so many pictures, or of all their views, those of a picture one after the other."""
    readings = [
        photos.batches(part, image_size=each, batch_size=batch_size, shuffle=False, cache="none")
        for each in reading_sizes((size.height, size.width), views)
    ]
    if not views:
        return readings[0]

    def each(*batches: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.concatenate([views_of(read, views) for read in zip(*batches, strict=True)])

    def all_of(*pairs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        pixels = [batch for batch, _ in pairs]
        return tf.ensure_shape(tf.numpy_function(each, pixels, tf.uint8), pixels[0].shape)

    return tf.data.Dataset.zip(tuple(readings)).map(as_is(all_of))

"""What a model makes of one part of a data set."""

from __future__ import annotations

import math

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.contracts import Part
from tfxfer.data import Photos
from tfxfer.models.anatomy import input_contract
from tfxfer.runtime import filled_up, strategy_of

__all__ = ["scores_of"]


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
    size, count = input_contract(model), strategy_of(model).num_replicas_in_sync
    pictures = len(photos.split[part])
    together = math.ceil(min(batch_size, pictures) / count) * count
    batches = photos.batches(
        part, image_size=(size.height, size.width), batch_size=together, shuffle=False, cache="none"
    )
    try:
        scores = model.predict(filled_up(batches, together), verbose=0)
    except tf.errors.OpError:
        # Most often a picture that cannot be read: said plainly, where it is so.
        photos.check(part)
        raise
    return np.asarray(scores[:pictures], np.float32)

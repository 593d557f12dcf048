"""Integrated gradients: each pixel's share of the difference between a picture's score and a grey one's."""

from __future__ import annotations

from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.errors import SettingError

__all__ = ["integrated_gradients"]

Pixels: TypeAlias = npt.NDArray[np.float32]

_STEPS = (128, 256)
"""How many points the integral is taken by: the second, where shares do not add up by the first."""

_TOLERANCE = 0.05
"""How far shares may be from adding up, in parts of what they should add up to."""

_BATCH = 16


def integrated_gradients(
    model: keras.Model, pictures: Pixels, indices: npt.NDArray[np.intp], *, baseline: float = 127.5
) -> Pixels:
    """Share the difference that a picture makes to a score out among its pixels.

    The path goes straight from a picture of one grey, so that both dark and light can count; from a black
    one, what is dark gets nothing. The integral is taken by Gauss and Legendre at 128 points, and at 256
    where shares do not add up to within 5 %, as the paper advises.

    Args:
        model: A model of pictures, RGB in 0..255.
        pictures: Shape (pictures, height, width, 3), in 0..255.
        indices: One score's index a picture.
        baseline: The grey that the path begins at, in 0..255.

    Returns:
        Shares, in the unit of the score, of the pictures' shape: each picture's add up to its score less
        that of the grey one.

    Raises:
        SettingError: The model lets no gradient through to its pixels.

    Source:
        Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365, equation 1 and section 5.
    """
    grey = np.full_like(pictures[:1], baseline)
    start, end = (np.asarray(model(each, training=False)) for each in (grey, pictures))
    shares = []
    for picture, index, score in zip(pictures, indices, end, strict=True):
        difference = score[index] - start[0, index]
        for steps in _STEPS:
            share = _integral(model, grey[0], picture, int(index), steps)
            if abs(share.sum() - difference) <= _TOLERANCE * abs(difference):
                break
        shares.append(share)
    return np.stack(shares).astype(np.float32)


def _integral(
    model: keras.Model, start: Pixels, end: Pixels, index: int, steps: int
) -> npt.NDArray[np.float64]:
    points, weights = np.polynomial.legendre.leggauss(steps)
    total = np.zeros(end.shape, np.float64)
    for first in range(0, steps, _BATCH):
        # From -1..1, where the points lie, to 0..1.
        ways = (points[first : first + _BATCH, None, None, None] + 1) / 2
        path = tf.constant(start + ways * (end - start), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(path)
            score = model(path, training=False)[:, index]
        gradients = tape.gradient(score, path)
        if gradients is None:
            raise SettingError(
                f"{model.name} lets no gradient through to its pixels, so there is none to integrate; take "
                "the method 'occlusion'."
            )
        total += np.tensordot(weights[first : first + _BATCH] / 2, np.asarray(gradients), axes=1)
    return total * (end - start)

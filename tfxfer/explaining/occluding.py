"""Occlusion: what a score loses where a grey patch covers the picture."""

from __future__ import annotations

import itertools
from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from tfxfer.errors import SettingError

__all__ = ["occlusion"]

Pixels: TypeAlias = npt.NDArray[np.float32]

_GREY = 127.5
_BATCH = 32
_ACROSS = 7
"""How many patches lie side by side across the shorter side, where nobody says how large they are."""


def occlusion(
    model: keras.Model,
    pictures: Pixels,
    indices: npt.NDArray[np.intp],
    *,
    patch: int | None = None,
    stride: int | None = None,
) -> Pixels:
    """Cover pictures with a grey square, place by place, and see what their scores lose.

    Args:
        model: A model of pictures, RGB in 0..255; nothing but its scores is looked at.
        pictures: Shape (pictures, height, width, 3), in 0..255.
        indices: One score's index a picture.
        patch: Side of the square, in pixels, in 1..the shorter side; None is a seventh of that.
        stride: Pixels from one place to the next, at least 1; None is half the square. The last square of
            each row and column ends at the edge.

    Returns:
        For each pixel, the mean loss of the squares that cover it, in the unit of the score; below 0 where
        the score gained. Shape (pictures, height, width).

    Raises:
        SettingError: The square is larger than the picture, or it or the step is none.

    Source:
        Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901, section 4.2.
    """
    _, height, width, _ = pictures.shape
    shorter = min(height, width)
    side = max(1, round(shorter / _ACROSS)) if patch is None else patch
    step = max(1, side // 2) if stride is None else stride
    if not 1 <= side <= shorter or step < 1:
        raise SettingError(
            f"patch must be in 1..{shorter} and stride at least 1, in pixels, got {side} and {step}."
        )
    places = list(itertools.product(_starts(height, side, step), _starts(width, side, step)))
    scores = np.asarray(model(pictures, training=False))
    losses = []
    for picture, index, score in zip(pictures, indices, scores, strict=True):
        lost, covered = np.zeros((height, width)), np.zeros((height, width))
        for first in range(0, len(places), _BATCH):
            batch = places[first : first + _BATCH]
            hidden = np.repeat(picture[None], len(batch), axis=0)
            for each, (top, left) in zip(hidden, batch, strict=True):
                each[top : top + side, left : left + side] = _GREY
            left_over = np.asarray(model(hidden, training=False))[:, index]
            for (top, left), rest in zip(batch, left_over, strict=True):
                lost[top : top + side, left : left + side] += score[index] - rest
                covered[top : top + side, left : left + side] += 1
        losses.append(lost / covered)
    return np.stack(losses).astype(np.float32)


def _starts(length: int, side: int, step: int) -> list[int]:
    """Return where squares begin along a side.

    >>> _starts(10, 4, 3), _starts(10, 4, 4)
    ([0, 3, 6], [0, 4, 6])
    """
    return [*range(0, length - side, step), length - side]

"""What test-time augmentation shows a model beside the picture itself: the same picture, otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.errors import SettingError, did_you_mean

__all__ = ["VIEWS", "choose_views", "over_views", "reading_sizes", "view_count", "views_of"]

VIEWS = ("flip", "crops")
"""What views there are: mirrored left to right; and five crops, of the middle and the corners."""

_LARGER = 8 / 7
"""Crops are of a picture so much larger than the model takes, as 256 pixels are than 224."""

_PLACES = ((0.5, 0.5), (0, 0), (0, 1), (1, 0), (1, 1))


def choose_views(names: str | Sequence[str]) -> tuple[str, ...]:
    """Settle which views a picture is seen in beside itself.

    Args:
        names: Any of ``VIEWS``; none is the picture alone.

    Returns:
        The same, each once, in the order of ``VIEWS``.

    Raises:
        SettingError: There is no such view.
    """
    asked = (names,) if isinstance(names, str) else tuple(names)
    for name in asked:
        if name not in VIEWS:
            hint = did_you_mean(str(name), VIEWS) or "."
            raise SettingError(
                f"no view {name!r} for test-time augmentation{hint} There are {', '.join(VIEWS)}."
            )
    return tuple(name for name in VIEWS if name in asked)


def view_count(names: Sequence[str]) -> int:
    """Return in how many views a picture is seen, itself included.

    >>> view_count(()), view_count(("flip",)), view_count(("crops",)), view_count(("flip", "crops"))
    (1, 2, 6, 12)
    """
    return (1 + len(_PLACES) * ("crops" in names)) * (1 + ("flip" in names))


def reading_sizes(size: tuple[int, int], names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return in which sizes, (height, width), a picture is to be read for its views.

    >>> reading_sizes((224, 224), ("flip",)), reading_sizes((224, 224), ("flip", "crops"))
    (((224, 224),), ((224, 224), (256, 256)))
    """
    height, width = size
    return (size, (round(_LARGER * height), round(_LARGER * width))) if "crops" in names else (size,)


def views_of(readings: Sequence[npt.NDArray[np.uint8]], names: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return a picture in all its views.

    Args:
        readings: The picture in the sizes that ``reading_sizes`` says, RGB, shape (height, width, 3), uint8.
        names: As ``choose_views`` returns them.

    Returns:
        Shape (views, height, width, 3), uint8, of the model's size: the picture as it is; then, for
        ``"crops"``, the middle and the four corners of the larger one; then, for ``"flip"``, all of these
        mirrored left to right.

    Source:
        Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks, section 4.1:
        corners, middle and their mirror images, to which the whole picture is added here.

    >>> views_of([np.arange(12, dtype=np.uint8).reshape(1, 4, 3)], ("flip",))[:, 0, :, 0]
    array([[0, 3, 6, 9],
           [9, 6, 3, 0]], dtype=uint8)
    """
    views = [readings[0]]
    if "crops" in names:
        height, width = readings[0].shape[:2]
        whole = readings[1]
        for down, across in _PLACES:
            top, left = int(down * (len(whole) - height)), int(across * (whole.shape[1] - width))
            views.append(whole[top : top + height, left : left + width])
    if "flip" in names:
        views += [view[:, ::-1] for view in views]
    return np.stack(views)


def over_views(said: npt.NDArray[np.float32], names: Sequence[str]) -> dict[str, Any]:
    """Average what is said of each view.

    Args:
        said: Shape (pictures, views, classes), the pictures themselves first.
        names: As ``choose_views`` returns them.

    Returns:
        ``scores``, ``tta`` and ``plain``, as ``Predictions`` takes them.
    """
    mean = said.mean(axis=1, dtype=np.float64).astype(np.float32)
    return {"scores": mean, "tta": tuple(names), "plain": said[:, 0] if names else None}

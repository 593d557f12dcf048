"""A map of what a model sees, laid out for its own size or for the whole original picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfxfer.contracts import Resize

__all__ = ["Box", "resized", "seen_part"]

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; the last two are the first outside."""


def resized(values: npt.NDArray[np.float32], *, height: int, width: int) -> npt.NDArray[np.float32]:
    """Bring a map to another size, bilinearly, antialiased where it gets smaller.

    >>> resized(np.array([[0, 1]], np.float32), height=1, width=4).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    return np.array(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))


def seen_part(*, height: int, width: int, seen: tuple[int, int], resize: Resize) -> Box:
    """Say which part of a picture a model sees, to the nearest pixel.

    Args:
        height: Rows of the upright picture.
        width: Columns of it.
        seen: (height, width) that the model takes.
        resize: How it is brought to that.

    Returns:
        The part of the picture, not empty.

    >>> seen_part(height=100, width=300, seen=(32, 32), resize="crop")
    (100, 0, 200, 100)
    >>> seen_part(height=100, width=300, seen=(32, 32), resize="stretch")
    (0, 0, 300, 100)
    """
    if resize == "stretch":
        return (0, 0, width, height)
    # The middle of the picture that has the shape of what the model takes.
    rows = min(float(height), width * seen[0] / seen[1])
    columns = min(float(width), height * seen[1] / seen[0])
    left, top = round((width - columns) / 2), round((height - rows) / 2)
    return (left, top, left + max(1, round(columns)), top + max(1, round(rows)))

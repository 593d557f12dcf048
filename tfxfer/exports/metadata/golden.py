"""Pictures to test a model by: drawn, so that nobody's photograph travels in its file."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["GOLDEN_PICTURES", "as_png", "draw_pictures", "from_png"]

GOLDEN_PICTURES = 5
_TILES = 8
"""A picture is a chessboard of so many rows of plain colours, which a PNG says in a few kilobytes."""

Images = npt.NDArray[np.uint8]


def draw_pictures(height: int, width: int) -> Images:
    """Draw pictures of plain tiles, always the same.

    Tiles are of random colours, edges are sharp, and the darkest and the lightest value both occur, so that
    channels in another order, values in another range or another resize show in the scores.

    Args:
        height: Rows of pixels.
        width: Columns of pixels.

    Returns:
        Shape (5, height, width, 3), uint8.
    """
    generator = np.random.default_rng(0)
    rows = np.arange(height) * _TILES // height
    columns = np.arange(width) * _TILES // width
    tiles = generator.integers(0, 256, (GOLDEN_PICTURES, _TILES, _TILES, 3)).astype(np.uint8)
    tiles[:, 0, 0], tiles[:, -1, -1] = 0, 255
    return tiles[:, rows[:, np.newaxis], columns]


def as_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Pack one picture, shape (height, width, 3), without loss."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def from_png(png: bytes) -> npt.NDArray[np.uint8]:
    """Unpack one picture, shape (height, width, 3), uint8."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))

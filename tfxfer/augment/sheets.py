"""A sheet to look at: a row a picture, first as it is, then its views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = ["draw_sheet"]

GAP = 4
BAND = 18
"""Height of the line of titles, in pixels."""


def draw_sheet(rows: Sequence[Sequence[npt.NDArray[np.uint8]]], *, titles: Sequence[str]) -> Image.Image:
    """Lay pictures of one size out in rows, under one title a column.

    Args:
        rows: One or more rows of as many pictures, each RGB, shape (height, width, 3), uint8.
        titles: One a column.

    Returns:
        The sheet, RGB on white.

    >>> grey = np.full((20, 30, 3), 128, np.uint8)
    >>> draw_sheet([[grey, grey]], titles=["as it is", "1"]).size
    (72, 46)
    """
    height, width, _ = rows[0][0].shape
    size = (GAP + len(titles) * (width + GAP), BAND + GAP + len(rows) * (height + GAP))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((GAP + column * (width + GAP), GAP), title, fill="black")
    for line, row in enumerate(rows):
        for column, pixels in enumerate(row):
            corner = (GAP + column * (width + GAP), BAND + GAP + line * (height + GAP))
            sheet.paste(Image.fromarray(pixels), corner)
    return sheet

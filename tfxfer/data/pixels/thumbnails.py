"""Small pictures that lie within a page, so that it needs nothing beside it."""

from __future__ import annotations

import base64
import io
import warnings
from typing import Literal

from PIL import Image

from tfxfer.data.pixels.contents import Content
from tfxfer.data.pixels.decode import WARNING_FILTERS, opened, upright_rgb
from tfxfer.errors import DataError

__all__ = ["data_uri", "thumbnail"]


def thumbnail(content: Content, *, side: int = 160) -> str:
    """Make a picture small.

    Args:
        content: The picture as it is kept.
        side: The longer side at most, in pixels.

    Returns:
        A JPEG as a data URI, upright; nothing where it has no picture to show.
    """
    with WARNING_FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, of which an audit tells what matters
        try:
            with opened(content) as image:
                image.draft("RGB", (2 * side, 2 * side))
                pixels = upright_rgb(image)
        except (DataError, MemoryError):
            return ""
    pixels.thumbnail((side, side), Image.Resampling.BILINEAR)
    return data_uri(pixels)


def data_uri(picture: Image.Image, *, form: Literal["JPEG", "PNG"] = "JPEG") -> str:
    """Write a picture as text that a page can show.

    >>> data_uri(Image.new("RGB", (2, 1)), form="PNG")[:30]
    'data:image/png;base64,iVBORw0K'
    """
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=80, optimize=True)
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"

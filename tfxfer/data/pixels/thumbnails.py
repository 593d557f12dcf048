"""Small pictures that lie within a page, so that it needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import Literal

from PIL import Image

from tfxfer.data.pixels.contents import Content
from tfxfer.data.pixels.decode import decoding_threads, opened, upright_rgb
from tfxfer.errors import DataError

__all__ = ["data_uri", "make_thumbnails"]


def make_thumbnails(pictures: Iterable[tuple[str, Content]], *, side: int = 160) -> dict[str, str]:
    """Make pictures small.

    Args:
        pictures: Pairs of a name and a picture as it is kept.
        side: The longer side at most, in pixels.

    Returns:
        Name -> a JPEG as a data URI, upright; nothing where it has no picture to show.
    """
    with decoding_threads() as pool:
        return dict(pool.map(lambda named: (named[0], _thumbnail(named[1], side)), pictures))


def _thumbnail(content: Content, side: int) -> str:
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

"""One picture file is looked at once: what it is, what it holds, what it looks like."""

from __future__ import annotations

import stat
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import imagehash
import numpy as np
from PIL import Image

from tfxfer.data.pixels.contents import Content, content_sha256
from tfxfer.data.pixels.decode import claims_too_much, opened, upright_rgb
from tfxfer.errors import DataError

__all__ = ["Facts", "inspect_content", "inspect_file"]

_LARGE = 16_000_000
_ONE_LARGE_PICTURE = Lock()
"""Pictures of more pixels are decoded one at a time, or every core would hold one in memory."""

_DRAFT = (256, 256)
"""A JPEG decoder is asked for a reduced picture, still larger than this: enough to see what it is."""

_SMALL = (16, 16)
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Facts:
    """What one look at a file found.

    Attributes:
        state: ``"readable"``, ``"unreadable"`` or ``"oversized"``.
        reason: Why it is not readable; empty where it is. The rest is told of readable files only.
        format: As Pillow calls it, such as ``"JPEG"``; what counts is the content. Empty for pixels.
        width: Columns of pixels, the picture being upright.
        height: Rows of pixels.
        sha256: Of the file, the encoded bytes, or the pixels.
        look: Perceptual hash (DCT of 32 x 32 grey values), 64 bits.
        blank: Whether all pixels have one value.
        small: The picture as 16 x 16 grey values, 512 hexadecimal digits.
    """

    state: Literal["readable", "unreadable", "oversized"]
    reason: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    sha256: str = ""
    look: int = 0
    blank: bool = False
    small: str = ""


def inspect_file(path: Path, *, max_pixels: int) -> Facts:
    """Decode a file once, its header first; whatever is wrong with it becomes a reason.

    Args:
        path: The file.
        max_pixels: A header that claims more is not decoded.

    Returns:
        What was found; nothing is raised.
    """
    try:
        # To open a pipe would be to wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            return Facts("unreadable", "is no regular file.")
    except OSError:
        pass  # what cannot be asked cannot be opened either, and that says why
    return inspect_content(path, name=str(path), max_pixels=max_pixels)


def inspect_content(content: Content, *, name: str, max_pixels: int) -> Facts:
    """Decode a picture once as it is kept, its header first; whatever is wrong with it becomes a reason.

    Args:
        content: A file, encoded bytes, or pixels, uint8.
        name: What it is called.
        max_pixels: A header that claims more is not decoded.

    Returns:
        What was found; nothing is raised.
    """
    try:
        return _readable(content, name, max_pixels)
    except DataError as error:
        state: Literal["unreadable", "oversized"]
        state = "oversized" if claims_too_much(error) else "unreadable"
        return Facts(state, str(error).removeprefix(f"{name} "))
    except MemoryError:
        return Facts("unreadable", "needs more memory to decode than there is.")
    except Exception as error:
        # A decoder that trips over a damaged file in a new way must not end the audit of the others.
        return Facts("unreadable", f"is damaged ({type(error).__name__}: {str(error).rstrip('.')}).")


def _readable(content: Content, name: str, max_pixels: int) -> Facts:
    with opened(content, name=name, max_pixels=max_pixels) as image:
        width, height = image.size
        kind = image.format or ""
        if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        drafted = image.draft("RGB", _DRAFT) is not None
        with _ONE_LARGE_PICTURE if image.width * image.height > _LARGE else nullcontext():
            pixels = upright_rgb(image)
            look = imagehash.phash(pixels).hash
            blank = _one_value(pixels)
            small = pixels.convert("L").resize(_SMALL, Image.Resampling.BOX).tobytes()
    if blank and drafted:
        with opened(
            content, name=name, max_pixels=max_pixels
        ) as image:  # one dot is lost in a reduced picture
            blank = _one_value(upright_rgb(image))
    return Facts(
        state="readable",
        format=kind,
        width=width,
        height=height,
        sha256=content_sha256(content),
        look=int.from_bytes(np.packbits(look).tobytes()),
        blank=blank,
        small=small.hex(),
    )


def _one_value(pixels: Image.Image) -> bool:
    return pixels.getcolors(maxcolors=1) is not None  # it gives none where there are more

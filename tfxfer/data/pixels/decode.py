"""A picture file becomes RGB pixels, or a sentence that says why it cannot."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tfxfer.contracts import Resize
from tfxfer.data.pixels.contents import Content
from tfxfer.data.pixels.dicom import DICOM
from tfxfer.errors import DataError

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "check_pictures",
    "claims_too_much",
    "decoding_threads",
    "opened",
    "read_image",
    "upright_rgb",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".dcm", ".dicom"})

MAX_PIXELS = 64_000_000
"""A header that claims more pixels than this is refused before anything is decoded."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", DICOM)
_BLANK = (255, 255, 255, 255)

_PORTION = 256

_WARNING_FILTERS = RLock()

_TOO_MUCH = (Image.DecompressionBombError, Image.DecompressionBombWarning)
"""Pillow's own limits: the first ends, the second is heard, or ends where warnings are errors."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, *_TOO_MUCH)
"""What Pillow's decoders raise for a file that is no picture or is damaged."""


def read_image(
    picture: str | Content, *, height: int, width: int, resize: Resize = "crop", name: str | None = None
) -> npt.NDArray[np.uint8]:
    """Read one picture as RGB of the size asked for.

    The first frame of an animation; EXIF orientation honoured; transparency laid on white; brought to
    the size with an antialiased bilinear filter.

    Args:
        picture: JPEG, PNG, GIF, BMP, WebP or DICOM file, of which the content counts and not the suffix; its
            bytes; or decoded pixels, uint8 of shape (height, width), grey, or (height, width, 1, 3 or 4).
        height: Rows wanted, in pixels.
        width: Columns wanted, in pixels.
        resize: ``"crop"`` keeps the middle of what does not fit, ``"stretch"`` distorts it.
        name: What messages call it; None takes the file's path.

    Returns:
        Pixels, shape (height, width, 3), uint8 in 0..255.

    Raises:
        DataError: The file is missing, is no picture, is cut short, or claims too many pixels.
    """
    with opened(picture, name=name) as image:
        # Asks the JPEG decoder for a reduced picture, still at least twice the size wanted.
        image.draft("RGB", (2 * width, 2 * height))
        upright = upright_rgb(image)
        size = (width, height)
        if resize == "crop":
            return np.asarray(ImageOps.fit(upright, size, Image.Resampling.BILINEAR))
        return np.asarray(upright.resize(size, Image.Resampling.BILINEAR))


def check_pictures(pictures: Iterable[tuple[str, Content]]) -> None:
    """Decode every picture once and name all that cannot be read.

    Args:
        pictures: Pairs of a name and a picture; those of a stream are taken a portion at a time.

    Raises:
        DataError: At least one cannot be read; the message lists the first ten.
    """
    complaints: list[str] = []
    noun, remaining = "file", iter(pictures)
    with decoding_threads() as pool:
        while portion := list(islice(remaining, _PORTION)):
            complaints += filter(None, pool.map(_complaint, portion))
            if not isinstance(portion[0][1], Path):
                noun = "record"
    if not complaints:
        return
    listed = "\n".join(f"  {complaint}" for complaint in complaints[:10])
    more = f"\n  … and {len(complaints) - 10} more" if len(complaints) > 10 else ""
    nouns = noun if len(complaints) == 1 else f"{noun}s"
    raise DataError(
        f"{len(complaints)} {nouns} cannot be read as pictures; mend or remove them:\n{listed}{more}"
    )


def _complaint(named: tuple[str, Content]) -> str | None:
    name, picture = named
    try:
        read_image(picture, height=8, width=8, name=name)
    except DataError as error:
        return str(error)
    return None


@contextmanager
def decoding_threads() -> Iterator[ThreadPoolExecutor]:
    """Decode in threads (Pillow does without Python's lock), without a word from decoders themselves.

    The warning filters belong to the process: they are set once around all threads, by one caller at a
    time, and never within a thread, which would bend them under whoever else is at work.
    """
    with _WARNING_FILTERS, warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom|tfxfer\.data\.pixels)\b")
        yield pool


@contextmanager
def opened(
    picture: str | Content, *, max_pixels: int = MAX_PIXELS, name: str | None = None
) -> Iterator[Image.Image]:
    """Open a picture with Pillow: its header is read, its pixels not yet.

    ``name`` is what messages call it where it is not a file.

    Raises:
        DataError: From here or from within the block: the file cannot be read as a picture, or its
            header claims more than ``max_pixels``; one sentence that begins with its name.
    """
    name = name or (str(picture) if isinstance(picture, str | Path) else "the picture")
    try:
        with _open(picture) as image:
            pixels = image.width * image.height
            if pixels > max_pixels:
                raise DataError(
                    f"{name} claims {_millions(pixels)} megapixels; at most {_millions(max_pixels)} are "
                    "read. Shrink or remove it."
                ) from Image.DecompressionBombError(f"{pixels} pixels")
            yield image
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(_reason(name, picture, error)) from error


def _open(picture: str | Content) -> Image.Image:
    if isinstance(picture, np.ndarray):
        return Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture)
    return Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=_FORMATS)


def _millions(count: int) -> str:
    return f"{count / 1e6:,.0f}" if count >= 10_000_000 else f"{count / 1e6:.2g}"


def claims_too_much(error: DataError) -> bool:
    """Say whether a picture was refused for the number of pixels that its header claims."""
    return isinstance(error.__cause__, _TOO_MUCH)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Decode as people see it: RGB, turned as EXIF says, transparency laid on white."""
    upright = _rgb(image)
    ImageOps.exif_transpose(upright, in_place=True)  # else it is copied even where there is nothing to turn
    return upright


def _reason(name: str, picture: str | Content, error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist."
    if isinstance(error, UnidentifiedImageError):
        if isinstance(picture, str | Path) and not Path(picture).stat().st_size:
            return f"{name} is an empty file."
        if picture == b"":
            return f"{name} is empty."
        return f"{name} is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says."
    if isinstance(error, _TOO_MUCH):
        return f"{name} claims more pixels than any picture should; shrink or remove it."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder; give picture files."
    if isinstance(error, OSError) and error.errno:
        return f"{name} cannot be opened ({error.strerror})."
    return f"{name} is damaged ({str(error).rstrip('.')})."


def _rgb(image: Image.Image) -> Image.Image:
    """Turn any mode into RGB: 16-bit grey is scaled down, transparency is laid on white."""
    if image.mode.startswith("I"):
        image.load()
        return Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        pixels = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", pixels.size, _BLANK), pixels).convert("RGB")
    if image.mode == "RGB":
        image.load()
        return image
    return image.convert("RGB")

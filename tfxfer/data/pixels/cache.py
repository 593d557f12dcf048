"""Decoded pictures are kept, in memory or in a file, so that each is decoded once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import platformdirs

from tfxfer.errors import SettingError

__all__ = ["CACHES", "DISK_BYTES", "MEMORY_BYTES", "Cache", "cached"]

Cache = Literal["auto", "memory", "disk", "none"]
"""Where decoded pictures are kept: in memory, on disk, nowhere, or where there is room."""
CACHES: tuple[Cache, ...] = get_args(Cache)

MEMORY_BYTES = 1 << 30
"""Up to this much is kept in memory by itself."""
DISK_BYTES = 16 << 30
"""Up to this much, and half of what is free, is kept on disk by itself."""

Read = Callable[[int], npt.NDArray[np.uint8]]


def cached(read: Read, shape: tuple[int, ...], *, cache: Cache = "auto") -> Read:
    """Keep what a reader of pictures reads.

    A file is used for a space of its own in the user's cache folder: it has no name, so nothing is left
    of it when the process ends, however it does.

    Args:
        read: Index -> pixels, uint8 of shape ``shape[1:]``; called once an index, perhaps twice where
            threads meet.
        shape: Of all pictures together.
        cache: ``"memory"``, ``"disk"``, ``"none"``, or ``"auto"``: memory up to 1 GiB, else disk up to
            16 GiB and half of what is free, else none.

    Returns:
        A reader of the same pixels, which may be read and not written.

    Raises:
        SettingError: No such cache, or ``"disk"`` was asked for and has no room.

    >>> calls = []
    >>> def read(index):
    ...     calls.append(index)
    ...     return np.full((2, 2, 3), index, np.uint8)
    >>> again = cached(read, (5, 2, 2, 3))
    >>> again(3).max(), again(3).max(), calls
    (np.uint8(3), np.uint8(3), [3])
    """
    if cache not in CACHES:
        raise SettingError(f"cache must be one of {', '.join(CACHES)}, got {cache!r}.")
    size = int(np.prod(shape))
    if cache == "memory" or (cache == "auto" and size <= MEMORY_BYTES):
        return _keeping(read, np.empty(shape, np.uint8))
    if cache == "none" or (cache == "auto" and size > min(DISK_BYTES, _free() // 2)):
        return read
    return _keeping(read, _on_disk(shape, size))


def _keeping(read: Read, pixels: npt.NDArray[np.uint8]) -> Read:
    there = np.zeros(len(pixels), bool)
    pixels_to_read = pixels.view()
    pixels_to_read.flags.writeable = False

    def read_once(index: int) -> npt.NDArray[np.uint8]:
        if not there[index]:
            pixels[index] = read(index)
            there[index] = True
        kept: npt.NDArray[np.uint8] = pixels_to_read[index]
        return kept

    return read_once


def _home() -> Path:
    return Path(platformdirs.user_cache_dir("tfxfer"))


def _free() -> int:
    """Return how many bytes are free where the file would lie; 0 where it cannot lie at all."""
    try:
        _home().mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(_home()).free
    except OSError:
        return 0


def _on_disk(shape: tuple[int, ...], size: int) -> npt.NDArray[np.uint8]:
    """Return an array in a nameless file whose room is taken now: a full disk kills who writes later."""
    home = _home()
    if _free() < size:
        raise _no_room(size)
    with tempfile.TemporaryFile(dir=home) as file:
        try:
            _reserve(file.fileno(), size)
        except OSError:
            raise _no_room(size) from None
        mapped: Any = np.memmap(file, np.uint8, "r+", shape=shape)
    return np.asarray(mapped)


def _no_room(size: int) -> SettingError:
    return SettingError(
        f"{size / 1e9:,.1f} GB of decoded pictures have no room in {_home()} ({_free() / 1e9:,.1f} GB are "
        "free); clear some, or give cache='none' or a smaller image_size."
    )


def _reserve(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)

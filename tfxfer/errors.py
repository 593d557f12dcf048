"""Everything tfxfer raises on purpose, as one tree, and the one kind of warning it gives.

TfxferError
├── SettingError  (ValueError)      a setting is wrong; nothing has run yet
├── DataError     (ValueError)      a picture, a label or a folder on disk is wrong
├── WeightsError  (OSError)         pretrained weights cannot be had
├── MissingExtra  (ImportError)     an optional package is not installed
├── BundleError   (OSError)         a saved model folder is missing, damaged or not ours
├── DivergedError (ArithmeticError) training ran off to numbers that are none
├── OutOfMemoryError (MemoryError)  not even one picture at a time has room
├── DiskFullError (OSError)         what is written finds no room
├── FreezeError   (AssertionError)  what was frozen moved, or what should learn did not
└── ParityError   (AssertionError)  an exported file disagrees with its model

TfxferWarning     (UserWarning)     it goes on, but not quite as asked

Every message says what came, what is allowed, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BundleError",
    "DataError",
    "DiskFullError",
    "DivergedError",
    "FreezeError",
    "MissingExtra",
    "OutOfMemoryError",
    "ParityError",
    "SettingError",
    "TfxferError",
    "TfxferWarning",
    "WeightsError",
    "did_you_mean",
]


class TfxferError(Exception):
    """Base of every error that tfxfer raises on purpose."""


class SettingError(TfxferError, ValueError):
    """A setting is wrong; nothing has run yet."""


class DataError(TfxferError, ValueError):
    """A picture, a label or a folder on disk is wrong."""


class WeightsError(TfxferError, OSError):
    """Pretrained weights cannot be had."""


class MissingExtra(TfxferError, ImportError):
    """An optional package is not installed; the message says how to get it."""


class BundleError(TfxferError, OSError):
    """A saved model folder is missing, damaged or not written by tfxfer."""


class DivergedError(TfxferError, ArithmeticError):
    """Training ran off to numbers that are none."""


class OutOfMemoryError(TfxferError, MemoryError):
    """The memory is too small, however small the batch is made."""


class DiskFullError(TfxferError, OSError):
    """What is written finds no room on the disk; nothing is left half-written."""


class FreezeError(TfxferError, AssertionError):
    """A variable that was frozen moved, or a part that should learn did not."""


class ParityError(TfxferError, AssertionError):
    """An exported file disagrees with the model it came from."""


class TfxferWarning(UserWarning):
    """Something is left out, not used or done anew; what was asked for goes on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the nearest known name as a clause to put behind a message, or nothing.

    Args:
        name: What came.
        known: What is allowed.

    Returns:
        ``"; did you mean 'x'?"``, or ``""`` where nothing is near.

    >>> did_you_mean("resnet5", ["resnet50", "vgg16"])
    "; did you mean 'resnet50'?"
    >>> did_you_mean("zebra", ["resnet50", "vgg16"])
    ''
    """
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

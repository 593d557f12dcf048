"""How a folder of pictures is laid out: what counts as a picture, and which folders are parts."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from tfxfer.contracts import Part
from tfxfer.data.pixels.decode import IMAGE_SUFFIXES
from tfxfer.data.splits.cutting import PART_NAMES
from tfxfer.errors import DataError, TfxferWarning

__all__ = [
    "Listed",
    "Listing",
    "is_hidden",
    "list_everything",
    "pictures_below",
    "readable_below",
    "subfolders",
]

_UNREAD_SUFFIXES = frozenset({".tif", ".tiff", ".heic", ".heif", ".avif", ".jfif", ".jp2", ".dng", ".raw"})
"""Picture files that are not read; to leave them out without a word would surprise."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One picture file, with what its place says of it.

    Attributes:
        path: Relative to the folder listed, with forward slashes.
        label: The class whose folder it lies in, or what else is told of what it shows; or None.
        part: The part whose folder it lies in, or None.
        shown: The classes that it shows, where that is not the one that is its label.
    """

    path: str
    label: str | None
    part: Part | None
    shown: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All pictures under a folder, whatever is wrong with its layout.

    Attributes:
        pictures: One a file, in the order of their paths.
        classes: Names of the class folders, empty ones too, sorted.
        unread: Pictures in formats that are not read, sorted.
    """

    pictures: tuple[Listed, ...]
    classes: tuple[str, ...]
    unread: tuple[str, ...]


def subfolders(root: Path) -> list[Path]:
    """Return the folders right under a folder, sorted; hidden ones are left out.

    Raises:
        DataError: There is no such folder.
    """
    if not root.exists():
        raise DataError(f"{root} does not exist; give a folder that holds one folder a class.")
    if not root.is_dir():
        raise DataError(f"{root} is a file; give a folder that holds one folder a class.")
    return sorted(item for item in root.iterdir() if item.is_dir() and not is_hidden(item))


def is_hidden(path: Path) -> bool:
    """Say whether a name is one that people do not mean when they say what is in a folder."""
    return path.name.startswith((".", "__MACOSX"))


def pictures_below(folder: Path, *, deep: bool = True) -> tuple[list[Path], list[Path]]:
    """List the pictures under a folder, and those in formats that are not read.

    Links are followed, hidden things left out; ``deep`` says whether folders inside count.
    """
    found, unread = [], []
    seen: set[str] = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        inside = [name for name in folders if not is_hidden(Path(name))]
        folders[:] = inside if deep and real not in seen else []
        if real not in seen:
            paths = [Path(where) / name for name in files if not is_hidden(Path(name))]
            found += [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
            unread += [path for path in paths if path.suffix.lower() in _UNREAD_SUFFIXES]
        seen.add(real)
    return sorted(found), sorted(unread)


def readable_below(folder: Path) -> list[Path]:
    """List the pictures under a folder, and tell of those that are not read."""
    found, unread = pictures_below(folder)
    if unread:
        others = f" and {len(unread) - 1} more" if unread[1:] else ""
        warnings.warn(
            f"{unread[0].name}{others} in {folder} left out: what is to be used must be JPEG, PNG, GIF, "
            "BMP or WebP.",
            TfxferWarning,
            stacklevel=2,
        )
    return found


def list_everything(root: Path) -> Listing:
    """List the pictures under a folder without insisting on any layout.

    Where a folder called ``train`` (or ``training``) holds folders with pictures, the parts' folders
    give the parts, and the folders in them the classes. Anywhere else the folders right under the
    root are the classes.

    Raises:
        DataError: There is no such folder, or no picture in it.
    """
    tops = subfolders(root)
    fixed = any(PART_NAMES.get(top.name.lower()) == "train" and _holds_classes(top) for top in tops)
    pictures: list[Listed] = []
    unread: list[str] = []
    classes: set[str] = set()

    def add(folder: Path, label: str | None, part: Part | None, *, deep: bool = True) -> None:
        found, others = pictures_below(folder, deep=deep)
        pictures.extend(Listed(path.relative_to(root).as_posix(), label, part) for path in found)
        unread.extend(path.relative_to(root).as_posix() for path in others)
        if label is not None:
            classes.add(label)

    add(root, None, None, deep=False)
    for top in tops:
        part = PART_NAMES.get(top.name.lower()) if fixed else None
        if part:
            add(top, None, part, deep=False)
            for inside in subfolders(top):
                add(inside, inside.name, part)
        else:
            add(top, None if fixed else top.name, None)
    if not pictures and not unread:
        raise DataError(
            f"{root} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep; give the folder that "
            "the pictures lie in."
        )
    in_order = tuple(sorted(pictures, key=lambda picture: picture.path))
    return Listing(in_order, tuple(sorted(classes)), tuple(sorted(unread)))


def _holds_classes(folder: Path) -> bool:
    return any(any(pictures_below(inside)) for inside in subfolders(folder))

"""Where the pixels of a picture are got, by its name: whatever a data set reads from has these two faces."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tfxfer import runtime

__all__ = [
    "Content",
    "Files",
    "Pictures",
    "RandomAccess",
    "Seen",
    "Source",
    "content_sha256",
    "named_pictures",
]

Content: TypeAlias = Path | bytes | npt.NDArray[np.uint8]
"""A picture as it is kept: a file, its encoded bytes, or pixels of shape (height, width[, 1, 3 or 4])."""

Pictures: TypeAlias = str | Content | Iterable[str | Content]
"""One picture or several; pixels of several may be one array, which has an axis more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a source says of one picture.

    Attributes:
        key: Its name.
        label: Its label, as text; several, or numbers, are in it in a form that their source knows.
        group: Its group, or None.
        shown: Names of the classes that it shows, or its numbers, where these are not one label.
    """

    key: str
    label: str
    group: str | None = None
    shown: tuple[str, ...] | tuple[float, ...] | None = None


class Source(ABC):
    """Pictures by name, as a data set holds them; ``str`` says what messages call it."""

    def name_of(self, key: str) -> str:
        """Return what messages and predictions call a picture."""
        return key

    @abstractmethod
    def contents(self, keys: Sequence[str]) -> Iterator[tuple[int, Content]]:
        """Yield where in ``keys`` a picture stands, and the picture: each once, in the source's own order.

        Raises:
            DataError: The source has changed since it was first read.
        """


class RandomAccess(Source):
    """A source of which any picture can be had, from several threads at once."""

    @abstractmethod
    def content(self, key: str) -> Content:
        """Return one picture as it is kept."""

    def contents(self, keys: Sequence[str]) -> Iterator[tuple[int, Content]]:
        """Yield the pictures in the order asked for."""
        return ((position, self.content(key)) for position, key in enumerate(keys))


@dataclass(frozen=True, slots=True)
class Files(RandomAccess):
    """Picture files below a folder.

    Attributes:
        root: The folder; a picture's name is its path from there, with forward slashes.
    """

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def name_of(self, key: str) -> str:
        """Return the file."""
        return str(self.root / key)

    def content(self, key: str) -> Content:
        """Return the file."""
        return self.root / key


def content_sha256(content: Content) -> str:
    """Return the SHA-256 of a picture's encoded bytes, or of its pixels where it has none.

    >>> content_sha256(b"")[:8], content_sha256(np.zeros((0, 1, 3), np.uint8))[:8]
    ('e3b0c442', 'e3b0c442')
    """
    if isinstance(content, Path):
        return runtime.file_sha256(content)
    return hashlib.sha256(content if isinstance(content, bytes) else content.tobytes()).hexdigest()


def named_pictures(pictures: Pictures) -> Iterator[tuple[str, Content]]:
    """Yield each picture behind its name: its file, or where it is none, its place.

    >>> [name for name, _ in named_pictures(["a.jpg", b"..."])]
    ['a.jpg', 'picture 2']
    """
    each: Iterable[str | Content]
    if isinstance(pictures, str | Path | bytes):
        each = (pictures,)
    else:
        alone = isinstance(pictures, np.ndarray) and pictures.ndim < 4
        each = cast("Iterable[str | Content]", (pictures,) if alone else pictures)
    for number, picture in enumerate(each, start=1):
        if isinstance(picture, str | Path):
            yield str(picture), Path(picture)
        else:
            yield f"picture {number}", picture

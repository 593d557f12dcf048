"""The pictures that an export needs: to quantize by, to choose a way by, and to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import InputContract
from tfxfer.data import Photos, read_image
from tfxfer.errors import DataError
from tfxfer.runtime import ModelFacts

__all__ = ["MAX_COMPARED", "REPRESENTATIVE", "Material"]

MAX_COMPARED = 500
"""Files are compared with the model on at most so many of the test pictures."""
REPRESENTATIVE = 128
"""Training pictures that ranges of activations are taken from, at most."""
_FILES = 32

Images = npt.NDArray[np.uint8]
Truth = npt.NDArray[np.int64] | npt.NDArray[np.float32]


@dataclass(frozen=True)
class Material:
    """Pictures of a data set as a model takes them, decoded when they are asked for.

    Attributes:
        photos: The data set.
        size: What the model takes.
    """

    photos: Photos
    size: InputContract

    @property
    def facts(self) -> ModelFacts:
        """What a model of these pictures takes and tells."""
        photos = self.photos
        return ModelFacts(photos.task, photos.classes, self.size, photos.resize)

    @cached_property
    def representative(self) -> Images:
        """Training pictures, the classes in turn, shape (pictures, height, width, 3), uint8.

        Black and white are in the first one's corner, so that the whole range of pixels is, and the input of
        what is quantized is the pixels as they are.

        Raises:
            DataError: A class has no training picture.
        """
        images = self._decoded(self._in_turn()[:REPRESENTATIVE])
        images[0, 0, :2] = [[0] * 3, [255] * 3]
        return images

    @cached_property
    def choosing(self) -> tuple[Images, Truth]:
        """Validation pictures, evenly thinned, and what they show."""
        return self._thinned(self.photos.split.validation, self.photos.targets("validation"))

    @cached_property
    def judging(self) -> tuple[Images, Truth]:
        """Test pictures, evenly thinned, and what they show."""
        return self._thinned(self.photos.split.test, self.photos.targets("test"))

    @cached_property
    def files(self) -> list[tuple[int, bytes]]:
        """JPEG and PNG files among those that judge, 32 at most, each with its place there."""
        part = self.photos.split.test
        places = _evenly(len(part), MAX_COMPARED)
        chosen = {part[places[place]]: int(place) for place in _evenly(len(places), _FILES)}
        found = []
        for index, content in self.photos.contents(list(chosen)):
            data = content.read_bytes() if isinstance(content, Path) else content
            if isinstance(data, bytes) and data.startswith((b"\xff\xd8", b"\x89PNG")):
                found.append((chosen[index], data))
        return sorted(found)

    def check(self) -> None:
        """Refuse a training part that is not representative, before anything is written.

        Raises:
            DataError: A class has no training picture.
        """
        self._in_turn()

    def _in_turn(self) -> list[int]:
        photos, training = self.photos, sorted(set(self.photos.split.train))
        if photos.task != "single_label":
            return [training[position] for position in _evenly(len(training), REPRESENTATIVE)]
        kinds: list[list[int]] = [[] for _ in photos.classes]
        for index in training:
            kinds[photos.records[index].label].append(index)
        if missing := [name for name, kind in zip(photos.classes, kinds, strict=True) if not kind]:
            raise DataError(
                f"no training picture shows {', '.join(missing)}, and quantizing goes by what the model "
                "makes of training pictures; give pictures of every class, or other formats."
            )
        ranked = [
            (place, label, index) for label, kind in enumerate(kinds) for place, index in enumerate(kind)
        ]
        return [index for _, _, index in sorted(ranked)]

    def _thinned(self, part: tuple[int, ...], truth: Truth) -> tuple[Images, Truth]:
        """Take some evenly: parts are sorted by class, and all classes shall be in."""
        places = _evenly(len(part), MAX_COMPARED)
        return self._decoded([part[place] for place in places]), truth[places]

    def _decoded(self, chosen: list[int]) -> Images:
        size, photos = self.size, self.photos
        images = {
            index: read_image(content, height=size.height, width=size.width, resize=photos.resize)
            for index, content in photos.contents(chosen)
        }
        return np.stack([images[index] for index in chosen])


def _evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    """Return places, as many as there are at most."""
    return np.linspace(0, count - 1, num=min(count, most)).round().astype(np.int64)

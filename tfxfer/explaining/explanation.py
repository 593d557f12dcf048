"""What in one picture speaks for one label, as a value that draws itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfxfer.contracts import Resize, Task
from tfxfer.data.pixels.decode import opened, upright_rgb
from tfxfer.errors import SettingError
from tfxfer.explaining.colours import viridis
from tfxfer.explaining.geometry import resized, seen_part
from tfxfer.explaining.methods import ExplainMethod
from tfxfer.runtime import whole_file

if TYPE_CHECKING:
    from tfxfer.data.pixels.contents import Content

__all__ = ["OVERLAY_SUFFIXES", "Explanation", "check_suffix"]

OVERLAY_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_OPACITY = 0.6
"""How much of the colours shows, the rest being the picture in grey."""

_UNSEEN = 0.4
"""How bright what lies outside the model's sight remains."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where in a picture a model sees a label; printed, it is a line.

    Attributes:
        file: The picture.
        label: The class, or the name of the number, that it is about.
        score: The model's probability of it, in 0..1, or the number, in its own unit.
        method: How it was found out.
        map: How much each pixel speaks for the label, shape (height, width) of the model's input, float32 in
            0..1; where nothing does, 0 everywhere.
        pixels: The picture as the model sees it, shape (height, width, 3), uint8.
        task: What the model says of a picture.
        resize: How the picture was brought to the model's size.
        content: The picture as it is kept: a file, its bytes or its pixels.
    """

    file: str
    label: str
    score: float
    method: ExplainMethod
    map: npt.NDArray[np.float32] = field(repr=False)
    pixels: npt.NDArray[np.uint8] = field(repr=False)
    task: Task
    resize: Resize
    content: Content = field(repr=False)

    def overlay(self, *, original: bool = False) -> Image.Image:
        """Lay the map in colours over the picture in grey: the lighter, the more speaks for the label.

        Args:
            original: Whether over the whole picture, upright and in its own size, where what the model does
                not see is dark; else over what the model sees, in the model's size.

        Returns:
            An RGB picture.

        Raises:
            DataError: The original cannot be read any more.
        """
        if not original:
            return _laid(self.map, Image.fromarray(self.pixels))
        with opened(self.content, name=self.file) as image:
            upright = upright_rgb(image)
            height, width, _ = self.pixels.shape
            box = seen_part(
                height=upright.height, width=upright.width, seen=(height, width), resize=self.resize
            )
            left, top, right, bottom = box
            whole = upright.point(lambda value: value * _UNSEEN)
            values = resized(self.map, height=bottom - top, width=right - left)
            whole.paste(_laid(values, upright.crop(box)), (left, top))
            return whole

    def save(self, file: str | Path, *, original: bool = False) -> Path:
        """Write the overlay; a file that is there already is replaced, in one step.

        Args:
            file: A .png, .jpg or .webp file.
            original: As ``overlay`` takes it.

        Returns:
            The file.

        Raises:
            SettingError: Another kind of file, or one that cannot be written.
            DataError: The original cannot be read any more.
        """
        target = check_suffix(file)
        picture = self.overlay(original=original)
        with whole_file(target) as draft:
            picture.save(draft)
        return target

    def to_dict(self) -> dict[str, Any]:
        """Return all but the map and the picture as plain values, ready for JSON."""
        return {"file": self.file, "label": self.label, "score": self.score, "method": self.method}

    def __str__(self) -> str:
        score = f"{self.score:.6g}" if self.task == "regression" else f"{self.score:.1%}"
        return f"{self.file}  {self.label}  {score}  {self.method}"


def check_suffix(file: str | Path) -> Path:
    """Refuse a file to write that is no picture by its name.

    Raises:
        SettingError: It does not end as a picture's that can be written.
    """
    if Path(file).suffix.lower() not in OVERLAY_SUFFIXES:
        raise SettingError(
            f"{file} must end in {', '.join(OVERLAY_SUFFIXES[:-1])} or {OVERLAY_SUFFIXES[-1]}."
        )
    return Path(file)


def _laid(values: npt.NDArray[np.float32], picture: Image.Image) -> Image.Image:
    return Image.blend(picture.convert("L").convert("RGB"), Image.fromarray(viridis(values)), _OPACITY)

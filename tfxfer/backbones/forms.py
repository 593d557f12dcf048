"""Backbones from outside the catalogue: each form of them is told by the start of the name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import keras

from tfxfer.backbones.catalog import BACKBONES
from tfxfer.backbones.files.builder import build_file
from tfxfer.backbones.hub.builder import build_hub
from tfxfer.backbones.kerashub.builder import build_keras_hub
from tfxfer.backbones.preprocess import PixelRange
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.errors import SettingError
from tfxfer.runtime import OWN_MARK

__all__ = ["build_outside", "catalogued", "is_outside"]


class Form(Protocol):
    """Builds a functional model from raw RGB 0..255 to features, of what the rest of the name says."""

    def __call__(
        self,
        handle: str,
        *,
        image_size: tuple[int, int] | None,
        pixel_range: PixelRange | None,
        weights: str | Path | None,
        sha256: str | None,
    ) -> keras.Model: ...


FORMS: dict[str, Form] = {"file": build_file, "hub": build_hub, "kerashub": build_keras_hub}


def is_outside(backbone: str) -> bool:
    """Say whether a name is not for the catalogue, but of a form such as ``hub:...``."""
    form, colon, _ = backbone.partition(":")
    return bool(colon) and form in FORMS


def catalogued(backbone: str) -> BackboneSpec:
    """Look a name up in the catalogue.

    Raises:
        SettingError: The catalogue does not hold it; where a file or folder has that name, it is shown
            how to build on that.
    """
    path = Path(backbone)
    form = _form_of(path)
    if form and backbone not in BACKBONES:
        kind = "folder" if path.is_dir() else "file"
        raise SettingError(
            f"no backbone {backbone!r} in the catalogue, but there is a {kind} of that name; write "
            f"'{form}:{backbone}' to build on it."
        )
    return BACKBONES[backbone]


def _form_of(path: Path) -> str | None:
    """Return the form that takes a file or folder, by what is in it; None where none does."""
    if path.suffix == ".keras" and path.is_file():
        return "file"
    marks = {OWN_MARK: "file", "saved_model.pb": "hub", "config.json": "kerashub"}
    return next((form for mark, form in marks.items() if (path / mark).is_file()), None)


def build_outside(
    backbone: str,
    *,
    image_size: tuple[int, int] | None = None,
    pixel_range: PixelRange | None = None,
    weights: str | Path | None = "pretrained",
    sha256: str | None = None,
) -> keras.Model:
    """Build a backbone that the catalogue does not hold.

    Args:
        backbone: A form, a colon, and what that form takes, as in ``"hub:my_module"``.
        image_size: (height, width) of the pictures; None takes the backbone's own.
        pixel_range: The values that it takes black and white as, where it does not say so itself.
        weights: As the form takes them; ``"pretrained"`` are its own.
        sha256: What they must have, a file or all files of a folder; None takes any.

    Returns:
        A model from ``image``, shape (batch, height, width, 3), RGB in 0..255, to features, shape
        (batch, channels) or (batch, rows, columns, channels).

    Raises:
        SettingError: The size or the range must be chosen or does not fit, or it takes no pictures.
        MissingExtra: A package that the form needs is not installed.
        WeightsError: It cannot be had, its files are damaged or refused, or have another digest.
    """
    form, _, handle = backbone.partition(":")
    return FORMS[form](handle, image_size=image_size, pixel_range=pixel_range, weights=weights, sha256=sha256)

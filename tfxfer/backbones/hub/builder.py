"""The door to modules of TensorFlow Hub: from raw RGB to their features, as a functional model."""

from __future__ import annotations

import re
from pathlib import Path

import keras

from tfxfer.backbones.graph import model_name
from tfxfer.backbones.hub.fetch import address_of, module_folder
from tfxfer.backbones.hub.layer import HubLayer
from tfxfer.backbones.origin import Origin, with_origin
from tfxfer.backbones.preprocess import PixelRange, checked_range, in_range
from tfxfer.errors import SettingError

__all__ = ["build_hub"]

ASKED = (
    "pass pixel_range=(0, 1) (--pixel-range 0..1), the convention of TensorFlow Hub's image modules, or "
    "(-1, 1) or (0, 255) where the module's page says so."
)


def build_hub(
    handle: str,
    *,
    image_size: tuple[int, int] | None = None,
    pixel_range: PixelRange | None = None,
    weights: str | Path | None = "pretrained",
    sha256: str | None = None,
) -> keras.Model:
    """Build a functional model from raw RGB to the features of a module.

    Args:
        handle: A folder, a ``.tar.gz`` file, an address of one, or a model of Kaggle, as
            ``module_folder`` takes them; without ``hub:``.
        image_size: (height, width) of the pictures; None takes what the module is bound to.
        pixel_range: The values that it takes black and white as. A module of bytes says that itself;
            others must be told, since no SavedModel does.
        weights: ``"pretrained"``, the only ones there are.
        sha256: What all its files together must have, as a bundle's card tells; None takes any.

    Returns:
        A model from ``image``, shape (batch, height, width, 3), RGB in 0..255, to features, shape
        (batch, channels) or (batch, rows, columns, channels). Its one layer with weights is a
        ``HubLayer``; a layer ``preprocess_rescaling`` in front brings the pixels to its range.

    Raises:
        SettingError: The size or the range must be chosen or does not fit, or it is no image module.
        WeightsError: The module cannot be had, or its files are damaged or refused.
    """
    if weights != "pretrained":
        raise SettingError(
            f"a hub module comes with its weights, so weights must be 'pretrained', got {weights!r}."
        )
    name = _model_name(handle)
    with module_folder(handle) as folder:
        layer = HubLayer(folder, image_size=image_size, label=_label(handle), name=f"{name}_module")
    origin = Origin("hub", layer.facts.label, layer.facts.sha256)
    origin.hold(sha256)
    height, width = layer.image_size
    image = keras.Input((height, width, 3), dtype="float32", name="image")
    features = layer(in_range(image, _checked_range(layer, pixel_range)))
    if len(features.shape) not in (2, 4) or features.shape[-1] is None:
        raise SettingError(
            f"{layer.facts.label} gives features of shape {features.shape}, for which there is no head; "
            "take a module that gives (batch, channels) or (batch, rows, columns, channels)."
        )
    return with_origin(keras.Model(image, features, name=name), origin)


def _label(handle: str) -> str:
    """Return what the module is called for good; where it lay on this machine is nobody's affair."""
    return f"hub:{handle if address_of(handle) else Path(handle).name}"


def _model_name(handle: str) -> str:
    """Make a name that Keras takes out of the last words of a handle."""
    words = re.sub(r"\.(tar\.gz|tgz|tar)$", "", handle.partition("?")[0].rstrip("/")).split("/")
    last = [word for word in words if word][-1:] if Path(handle).exists() else words[-2:]
    return model_name("hub", "_".join(last))


def _checked_range(layer: HubLayer, asked: PixelRange | None) -> PixelRange:
    """Return the values of black and white, or raise SettingError."""
    label, bytes_taken = layer.facts.label, layer.facts.input_dtype == "uint8"
    if bytes_taken and asked not in (None, (0, 255)):
        raise SettingError(f"{label} takes bytes, so pixel_range must be (0, 255) or left out, got {asked}.")
    if bytes_taken:
        return (0, 255)
    return checked_range(asked, label=label, advice=ASKED)

"""The layers in front of a backbone that turn raw RGB 0..255 into what it was pretrained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import keras
from keras import KerasTensor

from tfxfer.backbones.spec import Scaling
from tfxfer.errors import SettingError

__all__ = ["DEVIATION", "MEAN", "PixelRange", "checked_range", "in_range", "rescaled", "scaled"]

PixelRange: TypeAlias = tuple[float, float]
"""What a backbone takes black and white as."""

MEAN = (0.485, 0.456, 0.406)
"""ImageNet's mean of red, green and blue, in 0..1."""

DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's standard deviation of red, green and blue, in 0..1."""

MEAN_BGR = (103.939, 116.779, 123.68)
"""ImageNet's mean of blue, green and red, in 0..255, as Caffe's models were trained with."""


def scaled(image: KerasTensor, scaling: Scaling) -> KerasTensor:
    """Put the preprocessing layers behind an input; their names start with ``preprocess_``.

    Args:
        image: Raw RGB, shape (batch, height, width, 3), 0..255.
        scaling: What the backbone wants; see ``Scaling``.

    Returns:
        The same pictures as the backbone wants them, same shape.

    Source:
        https://github.com/keras-team/keras/blob/v3.15.1/keras/src/applications/imagenet_utils.py
    """
    if scaling == "none":
        return image
    if scaling == "symmetric":
        return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess_rescaling")(image)
    if scaling == "imagenet":
        return keras.layers.Rescaling(
            [1 / (255 * deviation) for deviation in DEVIATION],
            offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
            name="preprocess_rescaling",
        )(image)
    return keras.layers.Rescaling(1.0, offset=[-mean for mean in MEAN_BGR], name="preprocess_rescaling")(
        _flipped(image)
    )


def in_range(image: KerasTensor, values: PixelRange) -> KerasTensor:
    """Put a preprocessing layer behind an input where a backbone wants another range.

    Args:
        image: Raw RGB, shape (batch, height, width, 3), 0..255.
        values: What black and white shall be.

    Returns:
        The same pictures in that range, same shape.
    """
    low, high = values
    if (low, high) == (0, 255):
        return image
    return keras.layers.Rescaling((high - low) / 255, offset=float(low), name="preprocess_rescaling")(image)


def rescaled(
    image: KerasTensor, *, scale: float | Sequence[float] | None, offset: float | Sequence[float] | None
) -> KerasTensor:
    """Put a preprocessing layer behind an input where a backbone says how it scales.

    Args:
        image: Raw RGB, shape (batch, height, width, 3), 0..255.
        scale: What it multiplies pixels by, one number or one a channel; None for nothing.
        offset: What it adds then, likewise.

    Returns:
        The same pictures so scaled, same shape.
    """
    if scale is None and offset is None:
        return image
    # Lists, since Keras writes no tuple into a file as it was.
    factor, shift = (
        [float(number) for number in value] if isinstance(value, Sequence) else float(value)
        for value in (1 if scale is None else scale, 0 if offset is None else offset)
    )
    return keras.layers.Rescaling(factor, offset=shift, name="preprocess_rescaling")(image)


def checked_range(asked: PixelRange | None, *, label: str, advice: str) -> PixelRange:
    """Return the range that a person gave for a backbone that does not tell its own.

    Raises:
        SettingError: None was given, or it does not rise.
    """
    if asked is None:
        raise SettingError(f"{label} does not say which values it takes for black and white; {advice}")
    if len(asked) != 2 or not -math.inf < asked[0] < asked[1] < math.inf:
        raise SettingError(f"pixel_range must be two rising numbers, got {asked}; {advice}")
    return asked


def _flipped(image: KerasTensor) -> KerasTensor:
    """Turn RGB into BGR."""
    flipped = keras.ops.flip(image, axis=-1)
    # An operation takes no name when called; a fixed one keeps saved graphs alike.
    keras.Model(image, flipped).operations[-1].name = "preprocess_flip"
    return flipped

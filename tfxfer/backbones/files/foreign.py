"""Anybody's Keras model as a backbone: flat, without its classification top, from raw RGB."""

from __future__ import annotations

import keras
import numpy as np
from keras import KerasTensor

from tfxfer.backbones.files.classification_top import features_of
from tfxfer.backbones.graph import christen, cut_points, flat_operations, replayed
from tfxfer.backbones.graph_stages import layers_within
from tfxfer.backbones.hub.layer import HubLayer
from tfxfer.backbones.preprocess import PixelRange, checked_range, in_range
from tfxfer.errors import SettingError

__all__ = ["build_foreign"]

AUGMENTING = tuple(
    getattr(keras.layers, name)
    for name in dir(keras.layers)
    # RandomCrop makes pictures smaller outside training too.
    if name in ("AugMix", "CutMix", "MixUp", "RandAugment") or (name[:6] == "Random" and name != "RandomCrop")
)
"""Layers that change pictures in training alone."""

SCALING = ("Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract", "Add")
ARRANGING = ("Cast", "CenterCrop", "Flip", "GetItem", "Resizing")
"""Operations that models begin with, by class: those that change the range of pixels, those that do not."""

REDUCED = ("bfloat16", "float16", "mixed_bfloat16", "mixed_float16")
"""Policies that give up precision for speed on the machine a model was trained on."""

WIDEST = 5.0
"""Networks take values of about -3..3; scaled pixels beyond this come from another range than 0..255."""

ASKED = (
    "pass pixel_range as it was trained: (0, 255) (--pixel-range 0..255) for raw pixels, (0, 1) for pixels "
    "divided by 255, (-1, 1) for those divided by 127.5, less 1."
)


def build_foreign(
    saved: keras.Model,
    *,
    label: str,
    name: str,
    image_size: tuple[int, int] | None,
    pixel_range: PixelRange | None,
    fresh: bool = False,
) -> keras.Model:
    """Build a backbone of a model that tfxfer did not make.

    Models within the model are opened. Layers that augment pictures are left out: they do nothing outside
    training. Mixed precision becomes float32. What counts as its top, ``features_of`` tells.

    A model says that it takes 0..255 where its first layers bring these values to about -3..3; else the
    range must be given.

    Args:
        saved: Functional or Sequential model of one RGB picture; its operations are named anew.
        label: What messages call it.
        name: Name of the backbone.
        image_size: (height, width) of the pictures; None takes the model's own.
        pixel_range: The values it takes black and white as, where it does not scale pixels itself.
        fresh: Whether to give it random weights.

    Returns:
        A flat functional model from ``image`` to features.

    Raises:
        SettingError: It is no model of pictures, has nothing to build on, or its size or range of pixels
            must be chosen or does not fit.
    """
    own_size = _own_size(saved, label)
    _check_layers(saved, label)
    _calculate_in_float32(saved)
    christen(saved, reserved=("image", "preprocess_rescaling"))
    image = keras.Input((*own_size, 3), dtype="float32", name="image")
    flat = keras.Model(image, replayed(saved, image, left_out=AUGMENTING, fresh=fresh))
    values = _values(flat, label, pixel_range)
    body = keras.Model(image, features_of(flat, label), name=name)
    size = image_size or own_size
    if None in size:
        raise SettingError(
            f"{label} takes pictures of any size, so it must be chosen; pass image_size (--image-size), best "
            "the size it was trained with."
        )
    if size == own_size and values == (0, 255):
        return body
    image = keras.Input((*size, 3), dtype="float32", name="image")
    try:
        return keras.Model(image, replayed(body, in_range(image, values)), name=name)
    except ValueError as error:
        built_for = "" if None in own_size else f", only of {own_size[0]} x {own_size[1]}"
        raise SettingError(
            f"{label} takes no pictures of {size[0]} x {size[1]} pixels{built_for}: its layers do not fit; "
            "pass another image_size."
        ) from error


def _check_layers(model: keras.Model, label: str) -> None:
    """Refuse what could not be frozen, or could not learn."""
    for operation in flat_operations(model):
        if isinstance(operation, HubLayer):
            raise SettingError(
                f"{label} holds a hub module under a head that tfxfer did not make; build on the module "
                "itself (hub:...)."
            )
        if isinstance(operation, keras.layers.SpectralNormalization):
            raise SettingError(
                f"{label} holds SpectralNormalization, which moves its kernel in training even while it is "
                "frozen; give a model without it."
            )
        mode = getattr(getattr(operation, "dtype_policy", None), "quantization_mode", None)
        if mode:
            raise SettingError(
                f"{label} is quantized ({mode}), so its kernels cannot learn; give the "
                "model as it was before."
            )


def _own_size(model: keras.Model, label: str) -> tuple[int | None, int | None]:
    """Return height and width that a model takes, or raise SettingError where it takes no RGB picture."""
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise SettingError(
            f"{label} holds a {type(model).__name__}, whose layers cannot be told; give a functional or "
            "Sequential model."
        )
    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise SettingError(
            f"{label} has {len(inputs)} inputs and {len(outputs)} outputs; give a model from one picture to "
            "one output."
        )
    shape = tuple(inputs[0].shape)
    if len(shape) != 4 or shape[3] != 3:
        raise SettingError(
            f"{label} takes {inputs[0].name!r} of shape {shape}; give a model of RGB pictures, shape (batch, "
            "height, width, 3)."
        )
    return shape[1], shape[2]


def _calculate_in_float32(model: keras.Model) -> None:
    """Undo mixed precision, which TFLite does not take and a head need not share."""
    for operation in flat_operations(model):
        for layer in layers_within(operation) if isinstance(operation, keras.Layer) else ():
            if layer.dtype_policy.name in REDUCED:
                layer.dtype_policy = "float32"


def _values(flat: keras.Model, label: str, asked: PixelRange | None) -> PixelRange:
    """Return what a model takes black and white as; name the layers in front that scale pixels."""
    front = _front(flat)
    for operation in front:
        if not operation.name.startswith("preprocess_"):
            operation.name = f"preprocess_{operation.name.removeprefix('body_')}"
    if not any(type(operation).__name__ in SCALING for operation in front):
        return checked_range(asked, label=label, advice=ASKED)
    black, white = _brought_to(flat.inputs[0], front[-1].output)
    brought = f"its first layers bring 0..255 to {black.min():.4g}..{white.max():.4g}"
    if max(abs(black).max(), abs(white).max()) > WIDEST or abs(white - black).min() < 0.5:
        return checked_range(asked, label=f"{label} scales pixels ({brought}), but", advice=ASKED)
    if asked not in (None, (0, 255)):
        raise SettingError(
            f"{label} takes raw pixels ({brought}), so pixel_range must be (0, 255) or left out, got {asked}."
        )
    return (0, 255)


def _front(flat: keras.Model) -> list[keras.Operation]:
    """Return the operations in a row behind the input that are known to scale or arrange pixels."""
    cuts = {id(operation) for operation in cut_points(flat)}
    front: list[keras.Operation] = []
    for operation in flat.operations[1:]:
        known = type(operation).__name__ in SCALING + ARRANGING
        if not known or id(operation) not in cuts or tuple(operation.output.shape[3:]) != (3,):
            break
        front.append(operation)
    return front


def _brought_to(
    image: KerasTensor, scaled: KerasTensor
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], ...]:
    """Return what becomes of a black and of a white picture, shape (channels,) each."""
    height, width = (side or 32 for side in image.shape[1:3])
    pictures = np.stack([np.full((height, width, 3), level, np.float32) for level in (0, 255)])
    black, white = np.asarray(keras.Model(image, scaled)(pictures, training=False))
    return black.mean(axis=(0, 1)), white.mean(axis=(0, 1))

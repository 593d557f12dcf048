"""Backbone and head become one flat functional model."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from pathlib import Path
from typing import SupportsIndex

import keras
import numpy as np

from tfxfer.backbones import (
    PixelRange,
    build_backbone,
    build_outside,
    catalogued,
    check_digest,
    check_drop_path,
    is_outside,
    layers_within,
    origin_of,
    with_drop_path,
    with_origin,
)
from tfxfer.contracts import InputContract, Task
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.heads import Head, head_for
from tfxfer.models.precision import set_precision
from tfxfer.models.trainable import set_trainable
from tfxfer.runtime import choose_precision, set_seed

__all__ = ["build", "head_of"]


def build(
    photos: Photos | None = None,
    *,
    classes: SupportsIndex | Sequence[str] | None = None,
    task: Task | None = None,
    backbone: str = "mobilenet_v2",
    weights: str | Path | None = "pretrained",
    weights_sha256: str | None = None,
    image_size: int | tuple[int, int] | None = None,
    pixel_range: PixelRange | None = None,
    dropout: float = 0.2,
    precision: str = "float32",
    drop_path: float | None = None,
    seed: int = 0,
) -> keras.Model:
    """Build a model on a pretrained backbone, ready to learn its head.

    The result is a plain functional ``keras.Model`` named after its backbone. Its graph is flat: the
    backbone's layers are the model's layers. It takes raw RGB in 0..255 (uint8 or float32), scales
    inside, and gives probabilities, or numbers in their own units. Its ``.keras`` file loads where tfxfer is
    not installed.

    With a module of TensorFlow Hub, the backbone is one layer, a ``tfxfer.backbones.HubLayer``. The
    module travels inside the ``.keras`` file, which loads where that class has been imported. With a
    preset of KerasHub, the file loads where KerasHub is installed; the backbone's layers are the model's,
    but for some (ViT, DeiT, Swin, MiT, MobileNet), where KerasHub's backbone is one layer.

    With ``"file:"``, a model goes on that was trained before: a bundle of tfxfer, or anybody's ``.keras``
    file, functional or Sequential, loaded in Keras's safe mode. Its head goes, its classes are forgotten.
    A bundle on a backbone of the catalogue takes any size, others their own, or another where their
    layers fit. Of another's model, models within it are opened, layers that augment pictures are left
    out, and it ends at the last feature map before it is pooled, or else at what its last Dense layer
    gets; its stages are found in its graph.

    Args:
        photos: Data set whose classes or numbers are to be learnt; or give ``classes``.
        classes: Number of classes, or their names; for regression of numbers.
        task: What is learnt: ``"single_label"``, ``"multi_label"`` or ``"regression"``; None is that of the
            photos, or the first.
        backbone: A name that ``tfxfer backbones`` lists; ``"hub:"`` and a module of TensorFlow Hub: a
            folder, a ``.tar.gz`` file, an address, or a model of Kaggle; ``"kerashub:"`` and a preset of
            KerasHub: its name, ``kaggle://…``, ``hf://…``, or a folder; or ``"file:"`` and a folder that
            tfxfer wrote or a ``.keras`` file.
        weights: ``"pretrained"`` for the backbone's own, ``"imagenet"`` for the same where these are
            ImageNet's, None for random ones, or a file of weights for this backbone of the catalogue.
        weights_sha256: The SHA-256 that they must have, such as a bundle's card tells; None takes any.
        image_size: Side of a square, or (height, width), in pixels; None takes the size that the
            backbone was pretrained with, or the module or the file's model takes.
        pixel_range: The values that it takes black and white as, for a module of TensorFlow Hub (by
            convention (0, 1)), a preset of KerasHub without an image converter, or a ``.keras`` file of
            another's that does not begin with layers that scale 0..255.
        dropout: Share of features switched off in training in front of the last layer, in [0, 1).
        precision: What it is to compute in where you train it yourself: ``"float32"``; ``"mixed_float16"`` or
            ``"mixed_bfloat16"``, of which GPUs make more in the same time; or ``"auto"``, by the GPUs.
            ``fit`` sees to it by itself, ``export`` writes float32.
        drop_path: How often the last block is left out in training, in [0, 1), those below it less in
            proportion to depth; for EfficientNets, which come with 0.2, and ConvNeXts, which come with 0.
            None leaves them so.
        seed: Seed of the random weights, in 0..2**32 - 1; it is set for the whole process.

    Returns:
        The model, not compiled; its head learns, its backbone is frozen. With ``weights=None`` there
        is nothing worth freezing, and everything learns.

    Raises:
        MissingExtra: A preset of KerasHub without the extra ``kerashub``.
        SettingError: No such backbone, a size it cannot take, or no classes; a task that is not the
            photos'; a module, preset or file's model that takes no pictures, or whose size or range of
            pixels must be chosen.
        WeightsError: The weights cannot be had, are not this backbone's, or have another SHA-256.

    >>> model = build(classes=3, backbone="micro", image_size=32)
    >>> model.name, model.input_shape, model.output_shape
    ('micro', (None, 32, 32, 3), (None, 3))
    """
    head, computing = _head(photos, classes, task, dropout), choose_precision(precision)
    check_digest(weights_sha256, weights=weights)
    check_drop_path(drop_path, None if is_outside(backbone) else catalogued(backbone), backbone)
    set_seed(seed)
    body = _body(
        backbone, weights=weights, sha256=weights_sha256, image_size=image_size, pixel_range=pixel_range
    )
    if drop_path is not None:
        body = with_drop_path(body, drop_path)
    model = keras.Model(body.inputs[0], head.apply(body.outputs[0]), name=body.name)
    with_origin(model, origin_of(body))
    if weights is None:
        _quicken_batch_norm(model)
        set_trainable(model, "all", batch_norm="train")
    else:
        set_trainable(model, "head")
    if computing != "float32":
        set_precision(model, computing)
    return model


def _body(
    backbone: str,
    *,
    weights: str | Path | None,
    sha256: str | None,
    image_size: int | tuple[int, int] | None,
    pixel_range: PixelRange | None,
) -> keras.Model:
    """Build the backbone, from the catalogue or from outside."""
    size = _input_size(image_size)
    if is_outside(backbone):
        return build_outside(
            backbone,
            image_size=(size.height, size.width) if size else None,
            pixel_range=pixel_range,
            weights=weights,
            sha256=sha256,
        )
    spec = catalogued(backbone)
    if pixel_range is not None:
        raise SettingError(
            "pixel_range is for backbones from outside the catalogue (hub:..., kerashub:..., file:...), got "
            f"{pixel_range}; {backbone} scales by itself."
        )
    return build_backbone(spec, input_shape=(size or spec.input).shape, weights=weights, sha256=sha256)


def _quicken_batch_norm(model: keras.Model) -> None:
    """Let BatchNorm's running statistics follow within some dozens of steps.

    The momenta that backbones come with are for hundreds of thousands of steps; after a few hundred,
    which is what a small data set gives, statistics kept with them still are near where they began.
    """
    for layer in layers_within(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, 0.9)


def _head(
    photos: Photos | None,
    classes: SupportsIndex | Sequence[str] | None,
    task: Task | None,
    dropout: float,
) -> Head:
    if (photos is None) == (classes is None):
        raise SettingError(
            "build needs either photos or classes, and not both: build(photos) or build(classes=3)."
        )
    if photos is not None:
        if task not in (None, photos.task):
            raise SettingError(f"these photos are for {photos.task}, got task {task!r}; leave it out.")
        return head_of(photos, dropout=dropout)
    outputs = index(classes) if isinstance(classes, SupportsIndex) else len(classes or ())
    return head_for(task or "single_label", outputs, dropout=dropout)


def head_of(photos: Photos, *, dropout: float = 0.2) -> Head:
    """Return the head that learns what a data set shows, and by which loss and metrics it does."""
    numbers = photos.targets("train").astype(np.float32) if photos.task == "regression" else None
    return head_for(photos.task, len(photos.classes), dropout=dropout, numbers=numbers)


def _input_size(image_size: int | tuple[int, int] | None) -> InputContract | None:
    if image_size is None:
        return None
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return InputContract(height, width)

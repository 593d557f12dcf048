"""One vector a picture, from any backbone: what nearest neighbours, probes and rankings begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console

from tfxfer.data import Photos
from tfxfer.features.budget import check_room, check_writable
from tfxfer.features.engines import Engine, choose_engine
from tfxfer.features.extraction import kept_bytes, open_features
from tfxfer.features.watching import tell_engine, watched

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, FroFA

__all__ = ["kept_features", "pooled_features", "pooled_prefix"]


def pooled_features(
    model: keras.Model,
    photos: Photos,
    indices: Sequence[int],
    *,
    progress: bool = True,
    console: Console | None = None,
) -> npt.NDArray[np.float32]:
    """Compute what a backbone makes of pictures, averaged over the map; what was computed before is kept.

    Args:
        model: A backbone, from ``build_backbone``, or a model from ``tfxfer.build``, of which the head does
            not count.
        photos: The data set.
        indices: Which of its records.
        progress: Whether to show how far it is, on standard error.
        console: Where; None is standard error.

    Returns:
        Shape (pictures, features), in the order of the indices; to the precision of float16.

    Raises:
        DataError: A picture cannot be read.
        SettingError: There is no room for them, or float16 does not hold them.

    >>> from tfxfer.backbones import BACKBONES, build_backbone
    >>> from tfxfer.data import from_arrays
    >>> images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    >>> photos = from_arrays(images, [0, 1] * 6)
    >>> backbone = build_backbone(BACKBONES["micro"], input_shape=(32, 32, 3))
    >>> pooled_features(backbone, photos, range(5), progress=False).shape
    (5, 224)
    """
    prefix = pooled_prefix(model)
    return kept_features(prefix, photos, indices, progress=progress, console=console)


def pooled_prefix(model: keras.Model) -> keras.Model:
    """Return what of a model comes before its head, averaged over the map: pictures -> one vector each."""
    return keras.Model(model.inputs[0], _pooled(_body_output(model)), name=f"{model.name}_prefix")


def kept_features(
    prefix: keras.Model,
    photos: Photos,
    indices: Sequence[int],
    *,
    engine: Engine | None = None,
    augment: Augmentation | FroFA | None = None,
    views: int = 1,
    progress: bool = True,
    console: Console | None = None,
) -> npt.NDArray[np.float32]:
    """Find what was kept of a frozen part of one output, and compute what was not.

    Args:
        prefix: From ``pooled_prefix``.
        photos: The data set.
        indices: Which of its records.
        engine: What runs it; None chooses one, if any is needed.
        augment: What all views of a picture but the first go through, or what the map of it does.
        views: How many of each.
        progress: Whether to show how far it is, on standard error.
        console: Where; None is standard error.

    Returns:
        Shape (pictures, features), in the order of the indices; of several views those of a picture follow
        each other.

    Raises:
        DataError: A picture cannot be read.
        SettingError: There is no room for them, or float16 does not hold them.
    """
    check_writable()
    row = 2 * views * math.prod(prefix.output_shape[1:])
    check_room(len(indices) * row, kept=kept_bytes(prefix, photos))
    extraction = open_features(prefix, photos, indices, augment=augment)
    wanted = dict.fromkeys(indices, views)
    extraction.make_room(wanted)
    missing = extraction.missing(wanted)
    if missing.views:
        why = ""
        if engine is None:
            engine, why = choose_engine(extraction.frozen, pictures=extraction.runs(missing))
        compute = partial(extraction.compute, missing, engine)
        if progress:
            tell_engine(engine.name, why, console=console)
            with watched(missing.views, engine=engine.name, console=console) as advance:
                compute(advance=advance)
        else:
            compute(advance=lambda _: None)
    (features,) = extraction.gather(extraction.places(indices, views).ravel(), [0])
    return features.astype(np.float32)


def _body_output(model: keras.Model) -> keras.KerasTensor:
    """Return what the head stands on, or else what the model gives."""
    head = [layer for layer in model.layers if layer.name.startswith("head_")]
    return head[0].input if head else model.outputs[0]


def _pooled(features: keras.KerasTensor) -> keras.KerasTensor:
    if len(features.shape) == 2:
        return features
    # By a name of its own: one that Keras counts would make it another graph each time.
    return keras.layers.GlobalAveragePooling2D(name="pooled")(features)

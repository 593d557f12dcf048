"""The classification layers that keras.applications' backbones were pretrained with."""

from __future__ import annotations

from typing import Literal

import keras

from tfxfer.backbones.from_applications import called
from tfxfer.backbones.graph import flat_operations, output_within, replayed, steady_names
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.backbones.top import PretrainedTop
from tfxfer.errors import SettingError

__all__ = ["pretrained_top"]


def pretrained_top(
    model: keras.Model, spec: BackboneSpec, *, weights: Literal["imagenet"] | None = "imagenet"
) -> PretrainedTop:
    """Build what stood on a backbone when it was pretrained, by keras.applications' own way to its weights.

    Its dropout is left out.

    Args:
        model: A model on that backbone, with its map.
        spec: The backbone, whose builder is ``keras.applications:...``.
        weights: ``"imagenet"``, or None for random ones.

    Returns:
        The layers, of their own, and where in the model they belong.

    Raises:
        SettingError: The layers take no map of the model's size.
        WeightsError: The weights cannot be had.
    """
    whole = called(spec, keras.Input(spec.input.shape), weights=weights, top=True)
    names = steady_names(flat_operations(whole))
    theirs = {names[operation.name]: operation for operation in whole.operations if operation.name in names}
    # ConvNeXt has a normalization behind its last map where it ends there, and another where it goes on.
    last = next(each for each in reversed(model.operations) if each.name in theirs)
    features = output_within(model, last)
    tail = keras.Model(output_within(whole, theirs[last.name]), whole.outputs[0])
    inputs = keras.Input(features.shape[1:])
    try:
        logits = replayed(tail, inputs, left_out=(keras.layers.Dropout,))
    except ValueError as error:
        height, width = model.input_shape[1:3]
        raise SettingError(
            f"the classification layer of {spec.name} takes pictures of {spec.input.height} x "
            f"{spec.input.width} alone, got {height} x {width}; build the model at that size, or leave "
            "co_tuning out."
        ) from error
    return PretrainedTop(last.name, keras.Model(inputs, logits, name="pretrained_top"))

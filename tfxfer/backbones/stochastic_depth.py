"""Stochastic depth: in training, whole blocks are left out by chance, the more often the further up."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tfxfer.backbones.graph import replayed
from tfxfer.backbones.origin import origin_of, with_origin
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.errors import SettingError

__all__ = ["check_drop_path", "with_drop_path"]

_WHOLE = (None, 1, 1, 1)
"""The noise of a Dropout layer that keeps or leaves out all that a block makes of a picture."""
_BUILT_WITH = 0.2
"""What Keras builds EfficientNets of both generations with; checked on 3.15.1."""
_IDENTITY = "_identity"
"""How the names of the layers end that Keras builds into ConvNeXt where nothing is left out."""


def check_drop_path(rate: float | None, spec: BackboneSpec | None, name: str) -> None:
    """Refuse a rate out of range, or for a backbone without stochastic depth.

    Args:
        rate: The rate, or None.
        spec: The backbone, or None for one from outside the catalogue.
        name: What it is called.

    Raises:
        SettingError: It is so.
    """
    if rate is None:
        return
    if not 0 <= rate < 1:
        raise SettingError(f"drop_path must be in [0, 1), got {rate:g}.")
    _, _, function = spec.builder.partition(":") if spec else ("", "", "")
    if not function.startswith(("EfficientNet", "ConvNeXt")):
        raise SettingError(
            "drop_path is for backbones of the catalogue that have stochastic depth (efficientnet_..., "
            f"convnext_...), and {name} has none; leave it out."
        )


def with_drop_path(backbone: keras.Model, rate: float) -> keras.Model:
    """Set how often the last block of a backbone is left out; those below it less, in proportion to depth.

    Args:
        backbone: An EfficientNet or a ConvNeXt, from ``build_backbone``.
        rate: The rate, in [0, 1): the first block's is 0, and a block at share s of the depth has s times
            this rate.

    Returns:
        The backbone: an EfficientNet the same, a ConvNeXt one with layers of its own.

    Source:
        Huang et al. 2016, https://arxiv.org/abs/1603.09382; by depth as each backbone's authors have it.
    """
    dropping = [each for each in backbone.layers if getattr(each, "noise_shape", None) == _WHOLE]
    for layer in dropping:
        layer.rate = layer.rate * rate / _BUILT_WITH
    return backbone if dropping else _with_layers(backbone, rate)


def _with_layers(backbone: keras.Model, rate: float) -> keras.Model:
    """Put dropout of whole blocks where ConvNeXt has layers that do nothing."""
    blocks = [each.name for each in backbone.operations if each.name.endswith(_IDENTITY)]
    rates = dict(zip(blocks, np.linspace(0, rate, len(blocks)), strict=True))

    def step(layer: Any, *inputs: Any, **options: Any) -> Any:
        if layer.name not in rates:
            return layer(*inputs, **options)
        name = f"{layer.name.removesuffix(_IDENTITY)}_stochastic_depth"
        return keras.layers.Dropout(float(rates[layer.name]), noise_shape=_WHOLE, name=name)(*inputs)

    image = keras.Input(backbone.input_shape[1:], dtype=backbone.inputs[0].dtype, name="image")
    deep = keras.Model(image, replayed(backbone, image, call=step), name=backbone.name)
    return with_origin(deep, origin_of(backbone))

"""What is known of a backbone before it is built: frozen data that tests hold to the real thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tfxfer.contracts import InputContract

__all__ = ["BackboneSpec", "Scaling", "Stage"]

Scaling = Literal["none", "symmetric", "imagenet", "imagenet-bgr"]
"""What a backbone wants done to raw RGB 0..255 before its first layer.

- ``none``: nothing, it scales inside.
- ``symmetric``: to -1..1.
- ``imagenet``: to 0..1, then ImageNet's mean and standard deviation by channel.
- ``imagenet-bgr``: to BGR, less ImageNet's mean by channel, not scaled.
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """One block of a backbone, ended by a layer.

    Attributes:
        name: What people call it, e.g. ``"block_13"``.
        output: Name of its last layer; every layer between the stage below and this one belongs to it.
    """

    name: str
    output: str


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """Facts about one backbone.

    Attributes:
        name: The name people look it up by.
        builder: Where its function lives, e.g. ``"keras.applications:MobileNetV2"``.
        input: The picture size it was pretrained with.
        scaling: What is done to raw RGB 0..255 in front of it.
        features: Channels of its last feature map.
        parameters: Number of parameters without the classification top.
        macs: Multiply-adds for one picture of the size ``input``, without the classification top.
        stages: Its blocks from the pixels to the head.
        weights: What it was pretrained on: ``"imagenet"`` or ``"embedded"``.
        weights_sha256: Digest of the file of its weights where that comes with tfxfer; ``""`` where Keras
            fetches them.
        top1: ImageNet top-1 accuracy of these weights in percent, as published; None where nobody did.
        top1_source: Where that stands; ``""`` where there is none.
        licence: The licence of the weights, by its SPDX name where the source names a version;
            ``""`` where none is known.
        licence_source: Where that stands; ``""`` where there is none.
        source: Paper and address.
        minimum: The smallest height and width it can be built for.
        options: Further arguments of the builder, as pairs.
    """

    name: str
    builder: str
    input: InputContract
    scaling: Scaling
    features: int
    parameters: int
    macs: int
    stages: tuple[Stage, ...]
    weights: str
    top1: float | None
    top1_source: str
    licence: str
    licence_source: str
    source: str
    weights_sha256: str = ""
    minimum: int = 32
    options: tuple[tuple[str, float | bool], ...] = ()

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, from the pixels to the head."""
        return tuple(stage.name for stage in self.stages)

"""ResNets of both kinds."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import FACEBOOK_LICENCE, KERAS_DOCUMENTATION, KERAS_IO
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["RESIDUAL"]


def resnet(
    depth: int, *, parameters: int, macs: int, top1: float, blocks: tuple[int, int, int, int]
) -> BackboneSpec:
    """Describe a ResNet; ``blocks`` says how many blocks conv2..conv5 have."""
    return BackboneSpec(
        name=f"resnet{depth}",
        builder=f"keras.applications:ResNet{depth}",
        input=InputContract(224, 224),
        scaling="imagenet-bgr",
        features=2048,
        parameters=parameters,
        macs=macs,
        stages=residual_stages(blocks, last=f"conv5_block{blocks[-1]}_out"),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="MIT",
        licence_source=KERAS_DOCUMENTATION,
        source="He et al. 2015, https://arxiv.org/abs/1512.03385",
    )


def resnet_v2(
    depth: int, *, parameters: int, macs: int, top1: float, blocks: tuple[int, int, int, int]
) -> BackboneSpec:
    """Describe a ResNet with normalisation ahead of each convolution."""
    return BackboneSpec(
        name=f"resnet{depth}_v2",
        builder=f"keras.applications:ResNet{depth}V2",
        input=InputContract(224, 224),
        scaling="symmetric",
        features=2048,
        parameters=parameters,
        macs=macs,
        stages=residual_stages(blocks, last="post_relu"),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="BSD",
        licence_source=FACEBOOK_LICENCE,
        source="He et al. 2016, https://arxiv.org/abs/1603.05027",
    )


def residual_stages(blocks: tuple[int, int, int, int], *, last: str) -> tuple[Stage, ...]:
    """List conv1..conv5; ``last`` ends conv5.

    >>> residual_stages((3, 4, 6, 3), last="post_relu")[1]
    Stage(name='conv2', output='conv2_block3_out')
    """
    middle = (
        Stage(f"conv{stage}", f"conv{stage}_block{count}_out")
        for stage, count in enumerate(blocks[:-1], start=2)
    )
    return (Stage("conv1", "pool1_pool"), *middle, Stage("conv5", last))


RESIDUAL: tuple[BackboneSpec, ...] = (
    resnet(50, parameters=23_587_712, macs=3_855_925_248, top1=74.9, blocks=(3, 4, 6, 3)),
    resnet(101, parameters=42_658_176, macs=7_568_146_432, top1=76.4, blocks=(3, 4, 23, 3)),
    resnet(152, parameters=58_370_944, macs=11_280_367_616, top1=76.6, blocks=(3, 8, 36, 3)),
    resnet_v2(50, parameters=23_564_800, macs=3_480_207_360, top1=76.0, blocks=(3, 4, 6, 3)),
    resnet_v2(101, parameters=42_626_560, macs=7_192_428_544, top1=77.2, blocks=(3, 4, 23, 3)),
    resnet_v2(152, parameters=58_331_648, macs=10_904_649_728, top1=78.0, blocks=(3, 8, 36, 3)),
)

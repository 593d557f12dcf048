"""DenseNets."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import KERAS_DOCUMENTATION, KERAS_IO
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["DENSE"]


def densenet(
    depth: int, *, features: int, parameters: int, macs: int, top1: float, layers: tuple[int, int, int, int]
) -> BackboneSpec:
    """Describe a DenseNet; ``layers`` says how many layers conv2..conv5 have.

    The pooling between two stages belongs to the upper one, as in a ResNet.
    """
    middle = (
        Stage(f"conv{stage}", f"conv{stage}_block{count}_concat")
        for stage, count in enumerate(layers[:-1], start=2)
    )
    return BackboneSpec(
        name=f"densenet{depth}",
        builder=f"keras.applications:DenseNet{depth}",
        input=InputContract(224, 224),
        scaling="imagenet",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=(Stage("conv1", "pool1"), *middle, Stage("conv5", "relu")),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="BSD-3-Clause",
        licence_source=KERAS_DOCUMENTATION,
        source="Huang et al. 2016, https://arxiv.org/abs/1608.06993",
    )


DENSE: tuple[BackboneSpec, ...] = (
    densenet(121, features=1024, parameters=7_037_504, macs=2_833_137_664, top1=75.0, layers=(6, 12, 24, 16)),
    densenet(
        169, features=1664, parameters=12_642_880, macs=3_358_179_328, top1=76.2, layers=(6, 12, 32, 32)
    ),
    densenet(
        201, features=1920, parameters=18_321_984, macs=4_289_445_888, top1=77.3, layers=(6, 12, 48, 32)
    ),
)

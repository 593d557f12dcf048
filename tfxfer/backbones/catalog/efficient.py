"""EfficientNets, which scale pixels themselves."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import AUTOML_LICENCE, KERAS_IO, TPU_LICENCE
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["EFFICIENT"]

FIRST_PAPER = "Tan & Le 2019, https://arxiv.org/abs/1905.11946"
SECOND_PAPER = "Tan & Le 2021, https://arxiv.org/abs/2104.00298"

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def efficientnet(
    variant: str,
    *,
    size: int,
    features: int,
    parameters: int,
    macs: int,
    top1: float,
    repeats: tuple[int, ...],
) -> BackboneSpec:
    """Describe an EfficientNet of either generation; ``repeats`` says how many blocks each group has."""
    second = variant.startswith("V2")
    return BackboneSpec(
        name=f"efficientnet_{variant.lower().replace('v2', 'v2_')}",
        builder=f"keras.applications:EfficientNet{variant}",
        input=InputContract(size, size),
        scaling="none",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=grouped(repeats, alone="project_activation" if second else "project_bn"),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="Apache-2.0",
        licence_source=AUTOML_LICENCE if second else TPU_LICENCE,
        source=SECOND_PAPER if second else FIRST_PAPER,
    )


def grouped(repeats: tuple[int, ...], *, alone: str) -> tuple[Stage, ...]:
    """List the stages: a group ends with a sum, or with ``alone`` where it is a single block.

    >>> grouped((1, 2), alone="project_bn")[1:3]
    (Stage(name='block1', output='block1a_project_bn'), Stage(name='block2', output='block2b_add'))
    """
    groups = (
        Stage(
            f"block{group}",
            f"block{group}{LETTERS[blocks - 1]}_{'add' if blocks > 1 else alone}",
        )
        for group, blocks in enumerate(repeats, start=1)
    )
    return (Stage("stem", "stem_activation"), *groups, Stage("top", "top_activation"))


EFFICIENT: tuple[BackboneSpec, ...] = (
    efficientnet(
        "B0",
        size=224,
        features=1280,
        parameters=4_049_571,
        macs=384_534_752,
        top1=77.1,
        repeats=(1, 2, 2, 3, 3, 4, 1),
    ),
    efficientnet(
        "B1",
        size=240,
        features=1280,
        parameters=6_575_239,
        macs=685_522_832,
        top1=79.1,
        repeats=(2, 3, 3, 4, 4, 5, 2),
    ),
    efficientnet(
        "B2",
        size=260,
        features=1408,
        parameters=7_768_569,
        macs=992_153_872,
        top1=80.1,
        repeats=(2, 3, 3, 4, 4, 5, 2),
    ),
    efficientnet(
        "B3",
        size=300,
        features=1536,
        parameters=10_783_535,
        macs=1_825_605_392,
        top1=81.6,
        repeats=(2, 3, 3, 5, 5, 6, 2),
    ),
    efficientnet(
        "B4",
        size=380,
        features=1792,
        parameters=17_673_823,
        macs=4_391_979_024,
        top1=82.9,
        repeats=(2, 4, 4, 6, 6, 8, 2),
    ),
    efficientnet(
        "B5",
        size=456,
        features=2048,
        parameters=28_513_527,
        macs=10_264_336_752,
        top1=83.6,
        repeats=(3, 5, 5, 7, 7, 9, 3),
    ),
    efficientnet(
        "B6",
        size=528,
        features=2304,
        parameters=40_960_143,
        macs=19_065_289_536,
        top1=84.0,
        repeats=(3, 6, 6, 8, 8, 11, 3),
    ),
    efficientnet(
        "B7",
        size=600,
        features=2560,
        parameters=64_097_687,
        macs=37_743_324_192,
        top1=84.3,
        repeats=(4, 7, 7, 10, 10, 13, 4),
    ),
    efficientnet(
        "V2B0",
        size=224,
        features=1280,
        parameters=5_919_312,
        macs=716_806_176,
        top1=78.7,
        repeats=(1, 2, 2, 3, 5, 8),
    ),
    efficientnet(
        "V2B1",
        size=240,
        features=1280,
        parameters=6_931_124,
        macs=1_195_539_360,
        top1=79.8,
        repeats=(2, 3, 3, 4, 6, 9),
    ),
    efficientnet(
        "V2B2",
        size=260,
        features=1408,
        parameters=8_769_374,
        macs=1_696_134_832,
        top1=80.5,
        repeats=(2, 3, 3, 4, 6, 10),
    ),
    efficientnet(
        "V2B3",
        size=300,
        features=1536,
        parameters=12_930_622,
        macs=3_009_922_816,
        top1=82.0,
        repeats=(2, 3, 3, 5, 7, 12),
    ),
    efficientnet(
        "V2S",
        size=384,
        features=1280,
        parameters=20_331_360,
        macs=8_364_337_152,
        top1=83.9,
        repeats=(2, 4, 4, 6, 9, 15),
    ),
    efficientnet(
        "V2M",
        size=480,
        features=1280,
        parameters=53_150_388,
        macs=24_581_180_384,
        top1=85.3,
        repeats=(3, 5, 5, 7, 14, 18, 5),
    ),
    efficientnet(
        "V2L",
        size=480,
        features=1280,
        parameters=117_746_848,
        macs=56_078_419_008,
        top1=85.7,
        repeats=(4, 7, 7, 10, 19, 25, 7),
    ),
)

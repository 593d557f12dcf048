"""Inception networks, Xception and NASNets: many branches within a block."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import KERAS_DOCUMENTATION, KERAS_IO
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["INCEPTION"]


def nasnet(
    variant: str, *, size: int, features: int, parameters: int, macs: int, top1: float, cells: int, last: str
) -> BackboneSpec:
    """Describe a NASNet of three runs of ``cells`` normal cells; ``last`` ends the last one."""
    return BackboneSpec(
        name=f"nasnet_{variant.lower()}",
        builder=f"keras.applications:NASNet{variant}",
        input=InputContract(size, size),
        scaling="symmetric",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=cell_stages(cells, last=last),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="Apache-2.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Zoph et al. 2017, https://arxiv.org/abs/1707.07012",
    )


def cell_stages(cells: int, *, last: str) -> tuple[Stage, ...]:
    """List the cells of a NASNet, with a reduction after the first run and the second.

    >>> [stage.name for stage in cell_stages(1, last="end")]
    ['stem', 'cell_0', 'reduce_1', 'cell_2', 'reduce_2', 'cell_3']
    """
    stages = [Stage("stem", "reduction_concat_stem_2")]
    for run in range(3):
        if run:
            stages.append(Stage(f"reduce_{run * cells}", f"reduction_concat_reduce_{run * cells}"))
        first = run * cells + (run > 0)
        numbers = range(first, (run + 1) * cells + (run > 0))
        stages += [Stage(f"cell_{number}", f"normal_concat_{number}") for number in numbers]
    return (*stages[:-1], Stage(stages[-1].name, last))


INCEPTION: tuple[BackboneSpec, ...] = (
    BackboneSpec(
        name="inception_v3",
        builder="keras.applications:InceptionV3",
        input=InputContract(299, 299),
        scaling="symmetric",
        features=2048,
        parameters=21_802_784,
        macs=5_711_168_096,
        stages=(
            Stage("stem", "body_max_pooling2d_2"),
            *(Stage(f"mixed{block}", f"mixed{block}") for block in range(11)),
        ),
        weights="imagenet",
        top1=77.9,
        top1_source=KERAS_IO,
        licence="Apache-2.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Szegedy et al. 2015, https://arxiv.org/abs/1512.00567",
        minimum=75,
    ),
    BackboneSpec(
        name="inception_resnet_v2",
        builder="keras.applications:InceptionResNetV2",
        input=InputContract(299, 299),
        scaling="symmetric",
        features=1536,
        parameters=54_336_736,
        macs=13_154_258_016,
        stages=(
            Stage("stem", "body_max_pooling2d_2"),
            Stage("mixed_5b", "mixed_5b"),
            Stage("block35", "block35_10_ac"),
            Stage("mixed_6a", "mixed_6a"),
            Stage("block17", "block17_20_ac"),
            Stage("mixed_7a", "mixed_7a"),
            Stage("block8", "body_custom_scale_layer_40"),
            Stage("top", "conv_7b_ac"),
        ),
        weights="imagenet",
        top1=80.3,
        top1_source=KERAS_IO,
        licence="Apache-2.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Szegedy et al. 2016, https://arxiv.org/abs/1602.07261",
        minimum=75,
    ),
    BackboneSpec(
        name="xception",
        builder="keras.applications:Xception",
        input=InputContract(299, 299),
        scaling="symmetric",
        features=2048,
        parameters=20_861_480,
        macs=8_355_355_496,
        stages=(
            Stage("block1", "block1_conv2_act"),
            *(Stage(f"block{block}", f"body_add_{block - 1}") for block in range(2, 14)),
            Stage("block14", "block14_sepconv2_act"),
        ),
        weights="imagenet",
        top1=79.0,
        top1_source=KERAS_IO,
        licence="MIT",
        licence_source=KERAS_DOCUMENTATION,
        source="Chollet 2016, https://arxiv.org/abs/1610.02357",
        minimum=71,
    ),
    nasnet(
        "Mobile",
        size=224,
        features=1056,
        parameters=4_269_716,
        macs=562_582_816,
        top1=74.4,
        cells=4,
        last="body_activation_188",
    ),
    nasnet(
        "Large",
        size=331,
        features=4032,
        parameters=84_916_818,
        macs=23_779_382_658,
        top1=82.5,
        cells=6,
        last="body_activation_260",
    ),
)

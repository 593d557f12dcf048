"""MobileNets: small enough for a phone."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import (
    KERAS_APPLICATIONS,
    KERAS_DOCUMENTATION,
    KERAS_IO,
    KERAS_MOBILENET_V3,
    MODELS_LICENCE,
)
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["MOBILE"]


def mobilenet(
    name: str, *, alpha: float, features: int, parameters: int, macs: int, top1: float
) -> BackboneSpec:
    """Describe a MobileNet of some width."""
    blocks = (Stage(f"block_{block}", f"conv_pw_{block}_relu") for block in range(1, 14))
    return BackboneSpec(
        name=name,
        builder="keras.applications:MobileNet",
        input=InputContract(224, 224),
        scaling="symmetric",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=(Stage("stem", "conv1_relu"), *blocks),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO if alpha == 1.0 else KERAS_APPLICATIONS,
        licence="Apache-2.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Howard et al. 2017, https://arxiv.org/abs/1704.04861",
        options=(("alpha", alpha),),
    )


def mobilenet_v2(
    name: str, *, alpha: float, features: int, parameters: int, macs: int, top1: float
) -> BackboneSpec:
    """Describe a MobileNetV2 of some width."""
    first_of_width = (1, 3, 6, 10, 13, 16)
    blocks = (
        Stage(
            f"block_{block}",
            f"block_{block}_{'project_BN' if block in first_of_width else 'add'}",
        )
        for block in range(1, 17)
    )
    return BackboneSpec(
        name=name,
        builder="keras.applications:MobileNetV2",
        input=InputContract(224, 224),
        scaling="symmetric",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=(Stage("stem", "expanded_conv_project_BN"), *blocks, Stage("top", "out_relu")),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO if alpha == 1.0 else KERAS_APPLICATIONS,
        licence="Apache-2.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Sandler et al. 2018, https://arxiv.org/abs/1801.04381",
        options=(("alpha", alpha),),
    )


def mobilenet_v3(
    name: str,
    builder: str,
    *,
    features: int,
    parameters: int,
    macs: int,
    top1: float,
    last: str,
    options: tuple[tuple[str, float | bool], ...] = (),
) -> BackboneSpec:
    """Describe a MobileNetV3, which scales pixels itself; ``last`` is its last layer.

    The minimalistic ones have no squeeze-and-excite, no hard swish and no 5 x 5 kernels.
    """
    small = builder.endswith("Small")
    return BackboneSpec(
        name=name,
        builder=f"keras.applications:{builder}",
        input=InputContract(224, 224),
        scaling="none",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=(
            Stage("stem", f"expanded_conv_{'project_bn' if small else 'add'}"),
            *v3_blocks(10 if small else 14, first_of_width=(1, 3, 6, 8) if small else (1, 3, 6, 10, 12)),
            Stage("top", last),
        ),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_MOBILENET_V3,
        licence="Apache-2.0",
        licence_source=MODELS_LICENCE,
        source="Howard et al. 2019, https://arxiv.org/abs/1905.02244",
        options=options,
    )


def v3_blocks(count: int, *, first_of_width: tuple[int, ...]) -> tuple[Stage, ...]:
    """List the blocks of a MobileNetV3 behind its stem; only equal widths can be added."""
    return tuple(
        Stage(
            f"block_{block}",
            f"expanded_conv_{block}_{'project_bn' if block in first_of_width else 'add'}",
        )
        for block in range(1, count + 1)
    )


MOBILE: tuple[BackboneSpec, ...] = (
    mobilenet_v2("mobilenet_v2", alpha=1.0, features=1280, parameters=2_257_984, macs=299_494_272, top1=71.3),
    mobilenet_v2(
        "mobilenet_v2_035", alpha=0.35, features=1280, parameters=410_208, macs=58_005_808, top1=60.1
    ),
    mobilenet_v2(
        "mobilenet_v2_050", alpha=0.5, features=1280, parameters=706_224, macs=95_851_840, top1=65.2
    ),
    mobilenet_v2(
        "mobilenet_v2_075", alpha=0.75, features=1280, parameters=1_382_064, macs=207_789_792, top1=69.5
    ),
    mobilenet_v2(
        "mobilenet_v2_130", alpha=1.3, features=1664, parameters=3_766_048, macs=507_710_560, top1=74.7
    ),
    mobilenet_v2(
        "mobilenet_v2_140", alpha=1.4, features=1792, parameters=4_363_712, macs=580_403_824, top1=75.2
    ),
    mobilenet("mobilenet", alpha=1.0, features=1024, parameters=3_228_864, macs=567_716_352, top1=70.4),
    mobilenet("mobilenet_025", alpha=0.25, features=256, parameters=218_544, macs=40_774_272, top1=51.6),
    mobilenet("mobilenet_050", alpha=0.5, features=512, parameters=829_536, macs=148_985_088, top1=64.3),
    mobilenet("mobilenet_075", alpha=0.75, features=768, parameters=1_832_976, macs=324_632_448, top1=68.4),
    mobilenet_v3(
        "mobilenet_v3_small",
        "MobileNetV3Small",
        features=576,
        parameters=939_120,
        macs=54_896_576,
        top1=68.1,
        last="body_activation_18",
    ),
    mobilenet_v3(
        "mobilenet_v3_small_075",
        "MobileNetV3Small",
        features=432,
        parameters=583_160,
        macs=41_932_976,
        top1=65.4,
        last="body_activation_18",
        options=(("alpha", 0.75),),
    ),
    mobilenet_v3(
        "mobilenet_v3_small_minimalistic",
        "MobileNetV3Small",
        features=576,
        parameters=441_000,
        macs=50_674_624,
        top1=61.9,
        last="body_re_lu_23",
        options=(("minimalistic", True),),
    ),
    mobilenet_v3(
        "mobilenet_v3_large",
        "MobileNetV3Large",
        features=960,
        parameters=2_996_352,
        macs=214_080_960,
        top1=75.6,
        last="body_activation_20",
    ),
    mobilenet_v3(
        "mobilenet_v3_large_075",
        "MobileNetV3Large",
        features=720,
        parameters=1_808_736,
        macs=152_359_024,
        top1=73.3,
        last="body_activation_20",
        options=(("alpha", 0.75),),
    ),
    mobilenet_v3(
        "mobilenet_v3_large_minimalistic",
        "MobileNetV3Large",
        features=960,
        parameters=1_437_608,
        macs=206_627_904,
        top1=72.3,
        last="body_re_lu_31",
        options=(("minimalistic", True),),
    ),
)

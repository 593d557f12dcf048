"""VGG and ConvNeXt: one straight line of blocks."""

from __future__ import annotations

from itertools import accumulate

from tfxfer.backbones.catalog.sources import CONVNEXT_LICENCE, KERAS_CONVNEXT, KERAS_DOCUMENTATION, KERAS_IO
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["PLAIN"]


def vgg(depth: int, *, parameters: int, macs: int, top1: float) -> BackboneSpec:
    """Describe a VGG network of some depth."""
    return BackboneSpec(
        name=f"vgg{depth}",
        builder=f"keras.applications:VGG{depth}",
        input=InputContract(224, 224),
        scaling="imagenet-bgr",
        features=512,
        parameters=parameters,
        macs=macs,
        stages=tuple(Stage(f"block{block}", f"block{block}_pool") for block in range(1, 6)),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_IO,
        licence="CC-BY-4.0",
        licence_source=KERAS_DOCUMENTATION,
        source="Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556",
    )


def convnext(
    variant: str, *, features: int, parameters: int, macs: int, top1: float, blocks: tuple[int, int, int, int]
) -> BackboneSpec:
    """Describe a ConvNeXt, which scales pixels itself; ``blocks`` counts each stage's blocks."""
    name = f"convnext_{variant.lower()}"
    # Every block ends with a sum; Keras leaves the sums without a name.
    ends = [f"body_add_{blocks_so_far}" for blocks_so_far in accumulate(blocks)]
    ends[-1] = "body_layer_normalization_1"
    return BackboneSpec(
        name=name,
        builder=f"keras.applications:ConvNeXt{variant}",
        input=InputContract(224, 224),
        scaling="none",
        features=features,
        parameters=parameters,
        macs=macs,
        stages=(
            Stage("stem", f"{name}_stem_layernorm"),
            *(Stage(f"stage_{number}", end) for number, end in enumerate(ends)),
        ),
        weights="imagenet",
        top1=top1,
        top1_source=KERAS_CONVNEXT,
        licence="MIT",
        licence_source=CONVNEXT_LICENCE,
        source="Liu et al. 2022, https://arxiv.org/abs/2201.03545",
    )


PLAIN: tuple[BackboneSpec, ...] = (
    vgg(16, parameters=14_714_688, macs=15_346_630_656, top1=71.3),
    vgg(19, parameters=20_024_384, macs=19_508_428_800, top1=71.3),
    convnext("Tiny", features=768, parameters=27_820_128, macs=4_454_763_264, top1=81.3, blocks=(3, 3, 9, 3)),
    convnext(
        "Small", features=768, parameters=49_454_688, macs=8_682_944_256, top1=82.4, blocks=(3, 3, 27, 3)
    ),
    convnext(
        "Base", features=1024, parameters=87_566_464, macs=15_353_705_472, top1=85.4, blocks=(3, 3, 27, 3)
    ),
    convnext(
        "Large", features=1536, parameters=196_230_336, macs=34_359_897_600, top1=86.4, blocks=(3, 3, 27, 3)
    ),
    convnext(
        "XLarge", features=2048, parameters=348_147_968, macs=60_918_982_656, top1=86.7, blocks=(3, 3, 27, 3)
    ),
)

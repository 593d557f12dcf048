"""BackboneSpec: stages are found by name, and near misses are named."""

from tfxfer.backbones import BackboneSpec, Stage
from tfxfer.contracts import InputContract

SPEC = BackboneSpec(
    name="tiny",
    builder="nowhere:tiny",
    input=InputContract(32, 48),
    scaling="none",
    features=8,
    parameters=100,
    macs=1000,
    stages=(Stage("stem", "stem_out"), Stage("block_1", "block_1_out"), Stage("block_2", "block_2_out")),
    weights="imagenet",
    top1=50.0,
    top1_source="nowhere",
    licence="MIT",
    licence_source="nowhere",
    source="none",
)


def test_stages_stand_in_the_order_an_image_meets_them():
    assert SPEC.stage_names == ("stem", "block_1", "block_2")

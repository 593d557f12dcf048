"""The backbone whose weights come with tfxfer."""

from __future__ import annotations

from tfxfer.backbones.catalog.sources import OURS
from tfxfer.backbones.spec import BackboneSpec, Stage
from tfxfer.contracts import InputContract

__all__ = ["EMBEDDED"]

EMBEDDED: tuple[BackboneSpec, ...] = (
    BackboneSpec(
        name="micro",
        builder="tfxfer.backbones.embedded:micro",
        input=InputContract(64, 64),
        scaling="symmetric",
        features=224,
        parameters=673_768,
        macs=18_178_048,
        stages=tuple(Stage(name, f"{name}_out") for name in ("stem", "block_1", "block_2", "block_3")),
        weights="embedded",
        weights_sha256="5052adbf24a1c2128b0c132b92579d4d2037a093d2324833d43fe2aea5af6a00",
        top1=None,
        top1_source="",
        licence="Apache-2.0",
        licence_source=OURS,
        source="generated pictures, and MobileNet as teacher: saved_models/micro/pretrain.py, then distil.py",
    ),
)

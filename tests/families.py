"""Which backbones of the catalogue a test is tried on: a few always, one of a family with the slow ones."""

from collections.abc import Collection

import pytest

from tfxfer.backbones import BACKBONES

ONE_OF_A_FAMILY = {
    "micro",
    "mobilenet_025",
    "mobilenet_v2_035",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "resnet50",
    "resnet50_v2",
    "densenet121",
    "inception_v3",
    "inception_resnet_v2",
    "xception",
    "nasnet_mobile",
    "vgg16",
    "convnext_tiny",
}


def every_backbone(*, quick: Collection[str]) -> list:
    """Return all names as parameters: ``quick`` ones unmarked, one of a family slow, the rest exhaustive."""

    def marks(name: str) -> list:
        if name in quick:
            return []
        return [pytest.mark.slow if name in ONE_OF_A_FAMILY else pytest.mark.exhaustive]

    return [pytest.param(spec.name, marks=marks(spec.name)) for spec in BACKBONES]

"""count_macs: the catalogue's multiply-adds are those of the graph, by two counts."""

import re

import keras
import pytest

from benchmarks.count_macs import count_macs, main, profiled_macs
from tests.families import every_backbone
from tfxfer.backbones import BACKBONES, build_backbone


@pytest.mark.parametrize("name", every_backbone(quick=["micro", "mobilenet_v2_035", "mobilenet_v3_small"]))
def test_an_entry_says_what_both_count(name):
    spec = BACKBONES[name]
    model = build_backbone(spec, weights=None)
    assert count_macs(model) == spec.macs
    assert profiled_macs(model) == spec.macs
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (keras.layers.Conv2D(5, 3, strides=2, padding="same"), 4 * 3 * (3 * 3 * 2 * 5)),
        (keras.layers.Conv2D(4, 3, groups=2), 6 * 4 * (3 * 3 * 1 * 4)),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 4 * (3 * 3 * 2 * 2)),
        (keras.layers.SeparableConv2D(5, 3, strides=2), 3 * 2 * (3 * 3 * 2 + 2 * 5)),
        (keras.layers.Dense(7), 8 * 6 * (2 * 7)),
        (keras.layers.BatchNormalization(), 0),
    ],
    ids=["strided", "grouped", "depthwise", "separable", "dense", "none"],
)
def test_a_layer_counts_its_kernel_once_a_pixel(layer, macs):
    image = keras.Input((8, 6, 2))
    assert count_macs(keras.Model(image, layer(image))) == macs


def test_a_kernel_without_a_rule_is_refused(says):
    image = keras.Input((8, 8, 2))
    model = keras.Model(image, keras.layers.Conv2DTranspose(3, 2, name="up")(image))
    message = "up is a Conv2DTranspose with a kernel: say how it counts."
    with pytest.raises(ValueError, match=says(message)):
        count_macs(model)


def test_the_script_prints_a_line_a_backbone_and_tells_of_differences(capsys):
    assert main(["micro"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "counted", "profiled", "catalogue"]
    assert re.fullmatch(r"micro( +18,178,048){3}", line)

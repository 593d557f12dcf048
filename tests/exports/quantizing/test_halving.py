"""halved: large weights in float16, the few whose rounding does harm in float32."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfxfer.exports import LiteRTModel
from tfxfer.exports.quantizing.converter import converted
from tfxfer.exports.quantizing.halving import halved


@pytest.fixture(scope="module")
def model(float32):
    return halved(float32)


def test_it_says_nearly_the_same(model, images, expected):
    np.testing.assert_allclose(LiteRTModel(model).all_scores(images), expected, atol=5e-3)


def test_it_is_as_small_as_what_rounds_everything(model, saved):
    assert len(model) < 1.1 * len(converted(saved, "float16"))


def test_large_weights_are_float16_and_the_others_not(tmp_path):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(256, 1)(keras.layers.DepthwiseConv2D(3)(keras.layers.Conv2D(8, 1)(image)))
    network = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    network.export(tmp_path / "saved", format="tf_saved_model", verbose=False)
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = halved(converted(tmp_path / "saved", "float32"))
    operations = Interpreter(model_content=made, experimental_op_resolver_type=plain)._get_ops_details()
    half = {each["outputs"][0] for each in operations if each["op_name"] == "DEQUANTIZE"}
    found = [
        (each["op_name"], source in half)
        for each in operations
        for source in each["inputs"][1:2]
        if each["op_name"] != "MEAN"
    ]
    # Of 2,584 weights beside the depthwise ones, the first convolution's 24 are less than one in fifty.
    assert found == [
        ("CONV_2D", False),
        ("DEPTHWISE_CONV_2D", False),
        ("CONV_2D", True),
        ("FULLY_CONNECTED", True),
    ]
    assert not half & {each["inputs"][2] for each in operations if len(each["inputs"]) > 2}


def test_it_says_nothing_on_the_streams(float32, capfd):
    halved(float32)
    told = capfd.readouterr()
    assert told.out == ""
    assert "it/s" not in told.err

"""Quantizer: int8 by ai-edge-quantizer, uint8 in, and what stays in float32 does."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tfxfer.exports import LiteRTModel
from tfxfer.exports.quantizing.quantizer import Quantizer


@pytest.fixture(scope="module")
def quantizer(float32, images):
    return Quantizer(float32, images)


def test_pixels_go_in_as_they_are(quantizer, images, expected):
    model = quantizer.quantized()
    details = Interpreter(model_content=model)
    assert details.get_input_details()[0]["dtype"] == np.uint8
    assert details.get_input_details()[0]["quantization"] == (1.0, 0)
    assert details.get_output_details()[0]["dtype"] == np.float32
    np.testing.assert_allclose(LiteRTModel(model).all_scores(images), expected, atol=0.2)


def test_what_stays_float_is_larger_and_nearer(quantizer, images, expected):
    def difference(model):
        return np.abs(LiteRTModel(model).all_scores(images) - expected).mean()

    whole, none = quantizer.quantized(), quantizer.quantized(quantizer.operations)
    assert len(none) > 2 * len(whole)
    assert difference(none) < difference(whole) / 3


def test_operations_come_from_the_pixels_on(quantizer):
    kinds = [operation.kind for operation in quantizer.operations]
    assert kinds.index("CONV_2D") < kinds.index("FULLY_CONNECTED") < kinds.index("SOFTMAX")
    assert len({operation.output for operation in quantizer.operations}) == len(kinds)


def test_it_says_nothing_on_the_streams(float32, images, capfd):
    Quantizer(float32, images).quantized()
    told = capfd.readouterr()
    assert told.out == ""
    assert "it/s" not in told.err

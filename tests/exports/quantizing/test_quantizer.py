"""Quantizer: int8 and int16x8 by ai-edge-quantizer, and what stays in float32 does."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfxfer.exports import LiteRTModel
from tfxfer.exports.quantizing.quantizer import Quantizer

WITHOUT_DELEGATES = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


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


def test_int16x8_computes_in_16_bits_with_weights_of_8(quantizer, float32, images, expected):
    model = Quantizer(float32, images, "int16x8").quantized()
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=WITHOUT_DELEGATES)
    kinds = [interpreter.get_input_details()[0]["dtype"], interpreter.get_output_details()[0]["dtype"]]
    assert kinds == [np.float32, np.float32]
    tensors = {each["index"]: each["dtype"] for each in interpreter.get_tensor_details()}
    (first, *_) = [each for each in interpreter._get_ops_details() if each["op_name"] == "CONV_2D"]
    pixels, weights, *_ = first["inputs"]
    assert (tensors[pixels], tensors[weights]) == (np.int16, np.int8)
    scores = LiteRTModel(model).all_scores(images)
    assert np.abs(scores - expected).mean() < np.abs(eights(quantizer, images) - expected).mean()


def eights(quantizer, images):
    return LiteRTModel(quantizer.quantized()).all_scores(images)


def test_operations_come_from_the_pixels_on(quantizer):
    kinds = [operation.kind for operation in quantizer.operations]
    assert kinds.index("CONV_2D") < kinds.index("FULLY_CONNECTED") < kinds.index("SOFTMAX")
    assert len({operation.output for operation in quantizer.operations}) == len(kinds)


def test_it_says_nothing_on_the_streams(float32, images, capfd):
    Quantizer(float32, images).quantized()
    told = capfd.readouterr()
    assert told.out == ""
    assert "it/s" not in told.err


def test_the_first_operations_have_a_fiftieth_of_the_constants(quantizer, float32):
    """Weights of convolutions and dense layers are nearly all of them; those are counted alone here."""
    interpreter = Interpreter(model_content=float32, experimental_op_resolver_type=WITHOUT_DELEGATES)
    tensors = {each["index"]: each for each in interpreter.get_tensor_details()}
    weights = {
        tensors[each["outputs"][0]]["name"]: np.prod(tensors[each["inputs"][1]]["shape"])
        for each in interpreter._get_ops_details()
        if each["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    }
    assert quantizer.first == quantizer.operations[: len(quantizer.first)]
    share = sum(weights.get(each.output, 0) for each in quantizer.first) / sum(weights.values())
    assert 0 < share <= 0.021

"""TensorFlow's converter: what goes in and comes out of each kind of file."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tfxfer.exports import LiteRTModel
from tfxfer.exports.quantizing.converter import converted

KINDS = {"float32": 1e-5, "float16": 0.01, "dynamic": 0.05, "int8": 0.1}


@pytest.mark.parametrize("numbers", KINDS)
def test_each_kind_says_nearly_the_same(numbers, saved, images, expected):
    model = converted(saved, numbers, representative=images if numbers == "int8" else None)
    np.testing.assert_allclose(LiteRTModel(model).all_scores(images), expected, atol=KINDS[numbers])


def test_int8_takes_pixels_as_they_are(saved, images):
    details = Interpreter(model_content=converted(saved, "int8", representative=images))
    assert details.get_input_details()[0]["dtype"] == np.uint8
    assert details.get_input_details()[0]["quantization"] == (1.0, 0)
    assert details.get_output_details()[0]["dtype"] == np.float32


def test_smaller_numbers_make_smaller_files(saved, images):
    sizes = [
        len(converted(saved, numbers, representative=images if numbers == "int8" else None))
        for numbers in ("float32", "float16", "int8")
    ]
    assert sizes[0] > 1.7 * sizes[1] > 2.2 * sizes[2]

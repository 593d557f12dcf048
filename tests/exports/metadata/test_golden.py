"""Golden pictures: always the same, small, and of all values."""

import numpy as np
import pytest

from tfxfer.exports.metadata.golden import GOLDEN_PICTURES, as_png, draw_pictures, from_png


@pytest.mark.parametrize("size", [(224, 224), (12, 20), (7, 3)], ids=str)
def test_pictures_are_of_the_size(size):
    pictures = draw_pictures(*size)
    assert pictures.shape == (GOLDEN_PICTURES, *size, 3)
    assert pictures.dtype == np.uint8


def test_pictures_are_always_the_same_and_differ():
    pictures = draw_pictures(32, 32)
    np.testing.assert_array_equal(pictures, draw_pictures(32, 32))
    assert len({picture.tobytes() for picture in pictures}) == GOLDEN_PICTURES


def test_black_and_white_are_in_each():
    for picture in draw_pictures(32, 32):
        assert (picture[0, 0] == 0).all()
        assert (picture[-1, -1] == 255).all()


def test_a_png_is_small_and_loses_nothing():
    for picture in draw_pictures(224, 224):
        png = as_png(picture)
        assert len(png) < 2000
        np.testing.assert_array_equal(from_png(png), picture)

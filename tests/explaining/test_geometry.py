"""seen_part: the very part that read_image keeps; resized: means are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfxfer.data import read_image
from tfxfer.explaining.geometry import resized, seen_part

SIDES = st.integers(1, 400)


@given(height=SIDES, width=SIDES, seen=st.tuples(SIDES, SIDES), resize=st.sampled_from(["crop", "stretch"]))
def test_the_part_is_within_the_picture_and_as_large_as_its_shape_allows(height, width, seen, resize):
    left, top, right, bottom = seen_part(height=height, width=width, seen=seen, resize=resize)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert right - left == width or bottom - top == height


@pytest.mark.parametrize("size", [(400, 100), (100, 400), (300, 200)])
@pytest.mark.parametrize("resize", ["crop", "stretch"])
def test_it_is_what_the_model_sees(size, resize):
    width, height = size
    ramp = np.add.outer(np.linspace(0, 120, height), np.linspace(0, 120, width)).astype(np.uint8)
    picture = np.repeat(ramp[..., None], 3, axis=2)
    box = seen_part(height=height, width=width, seen=(40, 60), resize=resize)
    part = Image.fromarray(picture).crop(box).resize((60, 40), Image.Resampling.BILINEAR)
    seen = read_image(picture, height=40, width=60, resize=resize).astype(int)
    assert np.abs(np.asarray(part).astype(int) - seen).max() <= 1


def test_a_map_keeps_its_mean_when_it_is_made_smaller():
    values = np.random.default_rng(0).random((12, 8), np.float32)
    small = resized(values, height=3, width=4)
    assert small.shape == (3, 4)
    assert small.mean() == pytest.approx(values.mean(), abs=0.02)

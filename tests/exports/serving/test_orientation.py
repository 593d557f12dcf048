"""orientation_of: what the EXIF of a JPEG says, and 1 of whatever else there is."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tfxfer.exports.serving.orientation import orientation_of, turned

TIFF = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def jpeg(tiff=TIFF, before=b""):
    segment = b"Exif\0\0" + tiff
    length = (len(segment) + 2).to_bytes(2, "big")
    return b"\xff\xd8" + before + b"\xff\xe1" + length + segment + b"\xff\xda\0\2"


def read(content):
    return int(orientation_of(tf.constant(content)))


def test_it_is_read_from_the_first_directory():
    assert read(jpeg()) == 6


def test_other_segments_and_fill_bytes_stand_before_it():
    assert read(jpeg(before=b"\xff\xe0\0\x06JFIF\xff\xff\xe1\0\x08http:/")) == 6


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8",
        b"\xff\xd8\xff\xda\0\2" + jpeg()[2:],
        jpeg(TIFF[:12]),
        jpeg(TIFF.replace(b"\0\x06\0\0", b"\0\x09\0\0")),
        jpeg(TIFF.replace(b"\0\x03\0\0", b"\0\x02\0\0", 1)),
        jpeg(TIFF.replace(b"\x01\x12", b"\x01\x13")),
        jpeg(TIFF.replace(b"\0\0\0\x08", b"\xff\xff\xff\xff")),
    ],
    ids=["empty", "behind the picture", "cut short", "9", "text", "another tag", "far away"],
)
def test_what_makes_no_sense_is_upright(content):
    assert read(content) == 1


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_break_it(tail, in_tiff):
    assert 1 <= read(jpeg(tail) if in_tiff else b"\xff\xd8" + tail) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_turns_as_pillow_does(orientation):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(stream))
    np.testing.assert_array_equal(turned(tf.constant(pixels), tf.constant(orientation)), expected)

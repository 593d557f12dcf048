"""pixels_of: the pixels that read_image gives, in TensorFlow's own operations."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfxfer.data import read_image
from tfxfer.exports.serving.pictures import pixels_of

SIZES = [(37, 53), (64, 64), (300, 201), (1000, 333)]


def drawn(height, width, channels=3, seed=0):
    """Draw soft colours, in which nothing but the decoder makes edges."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 5, channels)).astype(np.uint8)
    planes = [Image.fromarray(coarse[..., each]).resize((width, height)) for each in range(channels)]
    return np.squeeze(np.stack([np.asarray(plane) for plane in planes], axis=-1))


def encoded(pixels, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def both(content, resize="crop", height=48, width=64):
    expected = read_image(content, height=height, width=width, resize=resize)
    found = pixels_of(tf.constant([content]), height=height, width=width, resize=resize)[0]
    return np.asarray(found).astype(int), expected.astype(int)


@pytest.mark.parametrize("resize", ["crop", "stretch"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_any_size_comes_out_as_in_training(kind, size, resize):
    found, expected = both(encoded(drawn(*size), kind), resize)
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 0.15


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["little", "big"])
def test_a_jpeg_is_turned_as_its_exif_says(orientation, order):
    exif = Image.Exif()
    exif.endian = "<" if order == "little" else ">"
    exif[0x010F], exif[0x0112], exif[0x0131] = "a maker", orientation, "a program"
    found, expected = both(encoded(drawn(90, 160), "JPEG", exif=exif.tobytes()))
    assert np.abs(found - expected).max() <= 1
    upright, _ = both(encoded(drawn(90, 160), "JPEG"))
    assert (np.abs(found - upright).max() <= 1) == (orientation == 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_grey_becomes_rgb(kind):
    found, expected = both(encoded(drawn(80, 100, channels=1), kind))
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("channels", [2, 4])
def test_transparency_is_laid_on_white(channels):
    found, expected = both(encoded(drawn(80, 100, channels), "PNG"))
    assert np.abs(found - expected).max() <= 1


def test_a_palette_and_its_transparency():
    image = Image.fromarray(drawn(80, 100)).quantize(16)
    for options in ({}, {"transparency": 3}):
        stream = io.BytesIO()
        image.save(stream, "PNG", **options)
        found, expected = both(stream.getvalue())
        assert np.abs(found - expected).max() <= 1


def test_several_at_once_each_as_alone():
    contents = [encoded(drawn(40 + seed, 50, seed=seed), "PNG") for seed in range(3)]
    found = pixels_of(tf.constant(contents), height=16, width=16, resize="crop")
    alone = [pixels_of(tf.constant([each]), height=16, width=16, resize="crop")[0] for each in contents]
    np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff"])
def test_what_is_no_picture_fails(content):
    with pytest.raises(tf.errors.InvalidArgumentError):
        pixels_of(tf.constant([content]), height=16, width=16, resize="crop")

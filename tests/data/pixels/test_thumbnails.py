"""Thumbnails: small, upright, within the page; nothing where there is no picture."""

import base64
import io

import numpy as np
from PIL import Image

from tests.conftest import draw
from tfxfer.data import data_uri, make_thumbnails


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_files_bytes_and_pixels_become_small(tmp_path):
    picture = draw("red", 1, size=300)
    file = tmp_path / "a.png"
    picture.save(file)
    contents = {"file": file, "bytes": file.read_bytes(), "pixels": np.asarray(picture)}
    small = make_thumbnails(contents.items(), side=100)
    assert list(small) == [*contents]
    for each in map(decoded, small.values()):
        assert (each.format, each.size) == ("JPEG", (100, 100))


def test_a_small_picture_stays_as_large_as_it_is_and_is_set_upright(tmp_path):
    file = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (30, 20)).save(file, exif=exif)
    assert decoded(make_thumbnails([("a", file)])["a"]).size == (20, 30)


def test_what_is_no_picture_is_nothing(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    assert make_thumbnails([("a", tmp_path / "a.jpg")]) == {"a": ""}


def test_a_png_keeps_every_pixel():
    picture = draw("blue", 2)
    assert np.array_equal(decoded(data_uri(picture, form="PNG")), picture)

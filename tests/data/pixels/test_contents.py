"""Content digests: one for a picture's bytes, wherever they are."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tfxfer.data import content_sha256, named_pictures
from tfxfer.data.pixels.contents import Files, RandomAccess, Source


def test_a_file_and_its_bytes_have_one_digest(pictures):
    file = pictures / "red" / "00.png"
    assert content_sha256(file) == content_sha256(file.read_bytes())
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert content_sha256(pixels[:, ::-1]) == hashlib.sha256(pixels[:, ::-1].tobytes()).hexdigest()


def test_files_are_called_by_their_paths(pictures):
    source = Files(pictures)
    assert source.name_of("red/00.png") == str(pictures / "red" / "00.png")
    assert list(source.contents(["red/00.png", "blue/01.png"])) == [
        (0, pictures / "red" / "00.png"),
        (1, pictures / "blue" / "01.png"),
    ]


def test_the_faces_are_no_sources_themselves():
    for face in (Source, RandomAccess):
        with pytest.raises(TypeError, match="abstract"):
            face()


def test_pictures_are_called_by_their_files_or_their_places():
    pixels = np.zeros((8, 8, 3), np.uint8)
    assert list(named_pictures("a.png")) == [("a.png", Path("a.png"))]
    assert list(named_pictures(b"...")) == [("picture 1", b"...")]
    assert [name for name, _ in named_pictures(pixels)] == ["picture 1"]
    assert [name for name, _ in named_pictures(np.stack([pixels] * 2))] == ["picture 1", "picture 2"]
    given = named_pictures(each for each in (Path("a.png"), pixels, b"..."))
    assert [name for name, _ in given] == ["a.png", "picture 2", "picture 3"]

"""pictures_at: a file, a folder, a pattern; and what is none of these is said."""

import pytest

from tests.conftest import draw
from tfxfer.data import pictures_at
from tfxfer.errors import DataError, TfxferWarning


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("b.png", "a.JPG", ".hidden.png", "deep/er/c.png", ".cache/d.png", "odd[1].png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        draw("red", 0).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("place", "names"),
    [
        (".", ["a.JPG", "b.png", "deep/er/c.png", "odd[1].png"]),
        ("deep", ["deep/er/c.png"]),
        ("*.png", ["b.png", "odd[1].png"]),
        ("**/*.png", ["b.png", "deep/er/c.png", "odd[1].png"]),
        ("[ab].*", ["a.JPG", "b.png"]),
        ("?otes.txt", ["notes.txt"]),
        ("d*", None),  # a folder is no file
        ("odd[1].png", ["odd[1].png"]),
        ("nowhere.png", ["nowhere.png"]),
    ],
)
def test_a_word_means_files(home, place, names, says):
    for start in ("", f"{home}/"):
        word = start + place
        if names is None:
            message = f"no file matches {word}; * is for names, and ** for folders however deep."
            with pytest.raises(DataError, match=says(message)):
                pictures_at(word)
        else:
            expected = [f"{start if start else ''}{name}" for name in names]
            assert [str(file) for file in pictures_at(word)] == expected


def test_a_folder_without_pictures_is_told(tmp_path, says):
    message = f"{tmp_path} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep."
    with pytest.raises(DataError, match=says(message)):
        pictures_at(tmp_path)


def test_an_empty_text_is_not_the_current_folder(home, says):  # noqa: ARG001 pictures lie there
    with pytest.raises(DataError, match=says("'' names no picture; give a file, a folder or a pattern.")):
        pictures_at("")


def test_what_is_not_read_in_a_folder_is_told(home, says):
    (home / "scan.tiff").touch()
    message = f"scan.tiff in {home} left out: what is to be used must be JPEG, PNG, GIF, BMP or WebP."
    with pytest.warns(TfxferWarning, match=says(message)):
        assert len(pictures_at(home)) == 4


@pytest.mark.parametrize("address", ["https://example.org/*.jpg", "s3://bucket/a.png"])
def test_nothing_is_downloaded(address, says):
    message = f"{address} is an address, and nothing is downloaded; give the picture as a file."
    with pytest.raises(DataError, match=says(message)):
        pictures_at(address)

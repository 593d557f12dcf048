"""list_everything: every picture with what its place says, whatever the layout."""

import pytest

from tests.conftest import draw, write_pictures
from tfxfer.data.sources.layout import Listed, list_everything
from tfxfer.errors import DataError


def test_folders_under_the_root_are_classes(tmp_path):
    write_pictures(tmp_path, count=1, colours=("blue", "red"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "red" / "deeper").mkdir()
    draw("red", 1).save(tmp_path / "red" / "deeper" / "a.JPG")
    draw("red", 2).save(tmp_path / "stray.png")
    (tmp_path / "red" / "scan.TIF").touch()
    listing = list_everything(tmp_path)
    assert listing.pictures == (
        Listed("blue/00.png", "blue", None),
        Listed("red/00.png", "red", None),
        Listed("red/deeper/a.JPG", "red", None),
        Listed("stray.png", None, None),
    )
    assert listing.classes == ("blue", "empty", "red")
    assert listing.unread == ("red/scan.TIF",)


def test_parts_are_told_by_their_folders_and_odd_ones_have_no_class(tmp_path):
    write_pictures(tmp_path / "Train", count=1, colours=("red",))
    write_pictures(tmp_path / "val", count=1, colours=("blue",))
    for flat in ("test", "unlabelled"):
        (tmp_path / flat).mkdir()
        draw("red", 3).save(tmp_path / flat / "a.png")
    listing = list_everything(tmp_path)
    assert listing.pictures == (
        Listed("Train/red/00.png", "red", "train"),
        Listed("test/a.png", None, "test"),
        Listed("unlabelled/a.png", None, None),
        Listed("val/blue/00.png", "blue", "validation"),
    )
    assert listing.classes == ("blue", "red")


def test_classes_may_be_called_train_and_test(tmp_path):
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
        draw("red", 0).save(tmp_path / name / "a.png")
    assert list_everything(tmp_path).pictures == (
        Listed("test/a.png", "test", None),
        Listed("train/a.png", "train", None),
    )


def test_a_folder_without_pictures_is_refused(tmp_path, says):
    (tmp_path / "notes.txt").touch()
    message = (
        f"{tmp_path} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep; give the folder that "
        "the pictures lie in."
    )
    with pytest.raises(DataError, match=says(message)):
        list_everything(tmp_path)

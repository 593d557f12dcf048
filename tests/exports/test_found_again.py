"""trained_on, check_unseen: a bundle's pictures again, each in its part; what it must not know."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.conftest import write_pictures
from tfxfer.data import from_folder
from tfxfer.errors import DataError, SettingError, TfxferWarning
from tfxfer.exports import check_unseen, trained_on, write_manifest


def test_each_picture_has_its_part_again_whatever_its_name(bundle, photos, tmp_path):
    moved = shutil.copytree(photos.root, tmp_path / "moved")
    for file in list(moved.rglob("*.png")):
        file.rename(file.with_stem(f"new {file.stem}"))
    found = trained_on(bundle[0], moved)
    for part in ("train", "validation", "test"):
        again = {name.rpartition("new ")[2] for name in found.names(part)}
        assert len(found.split[part]) == len(photos.split[part])
        assert again == {path.name for path in photos.paths(part)}
    assert found.split.seed == photos.split.seed


def test_some_that_are_missing_are_told(bundle, photos, tmp_path, says):
    moved = shutil.copytree(photos.root, tmp_path / "moved")
    for part in ("train", "test"):
        (moved / photos.records[photos.split[part][0]].path).unlink()
    train, validation, test = (len(photos.split[part]) for part in ("train", "validation", "test"))
    message = (
        f"{moved} has {train - 1} of {train} train, {validation} of {validation} validation and {test - 1} "
        f"of {test} test pictures of {bundle[0]}, and what comes of it goes by these alone; give all that it "
        "was trained on."
    )
    with pytest.warns(TfxferWarning, match=says(message)):
        found = trained_on(bundle[0], moved)
    assert len(found.split.test) == test - 1


def test_copies_in_several_parts_are_told_by_name(bundle, photos, tmp_path):
    """Of a picture that is in the training part and in the test part too, each has its own again."""
    folder = shutil.copytree(bundle[0], tmp_path / "bundle")
    moved = shutil.copytree(photos.root, tmp_path / "moved")
    split = json.loads((folder / "split.json").read_text())
    train, test = split["train"][0], split["test"][0]
    shutil.copy(moved / train["path"], moved / test["path"])
    test["sha256"], train["alike"], test["alike"] = train["sha256"], train["path"], train["path"]
    (folder / "split.json").write_text(json.dumps(split))
    write_manifest(folder, ())
    found = trained_on(folder, moved)
    for part in ("train", "test"):
        assert len(found.split[part]) == len(photos.split[part])
    marked = {record.path: record.alike for record in found.records if record.alike}
    assert marked == dict.fromkeys((train["path"], test["path"]), train["path"])


def test_a_test_part_that_it_learnt_from_is_refused(bundle, photos, says):
    check_unseen(bundle[0], photos)
    other = replace(photos, split=replace(photos.split, test=photos.split.train[:3] + photos.split.test))
    message = (
        f"3 of the {3 + len(photos.split.test)} test pictures of {photos.source} are known to {bundle[0]}, "
        "which was trained or chosen on them; give the pictures and the seed that it was trained with."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_unseen(bundle[0], other)


def test_others_are_refused(bundle, tmp_path, says):
    folder = bundle[0]
    others = from_folder(write_pictures(tmp_path / "two", colours=("blue", "red")))
    message = (
        f"{folder} is for blue, green, red, and {others.source} has blue, red; give the pictures it was "
        "trained on."
    )
    with pytest.raises(SettingError, match=says(message)):
        trained_on(folder, others)


def test_a_part_that_is_gone_is_named(bundle, photos, tmp_path, says):
    moved = shutil.copytree(photos.root, tmp_path / "moved")
    for path in photos.paths("test"):
        (moved / path.relative_to(photos.root)).unlink()
    message = (
        f"none of the {60 - len(photos.split.test)} pictures of {moved} is of the test part of {bundle[0]}; "
        "give those it was trained on."
    )
    with pytest.raises(DataError, match=says(message)):
        trained_on(bundle[0], moved)

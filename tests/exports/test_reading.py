"""Reading a bundle: what is not what was written is not read."""

import json
import shutil

import pytest

from tfxfer.errors import BundleError
from tfxfer.exports.reading import check_bundle, check_digest, read_checked, read_json


def test_what_was_written_is_read(bundle):
    assert read_checked(check_bundle(bundle[0]), "card.json")["backbone"] == "micro"


def test_what_was_edited_is_not(bundle, tmp_path, says):
    folder = shutil.copytree(bundle[0], tmp_path / "bundle")
    (folder / "labels.txt").write_text("other")
    message = (
        f"{folder / 'labels.txt'} is not the file that was exported (its SHA-256 differs); export the model "
        "again."
    )
    with pytest.raises(BundleError, match=says(message)):
        check_digest(folder, "labels.txt")
    (folder / "labels.txt").unlink()
    with pytest.raises(BundleError, match=says(f"{folder} has lost its labels.txt; export the model again.")):
        check_digest(folder, "labels.txt")


@pytest.mark.parametrize("content", ["[1", json.dumps([1])])
def test_what_is_no_object_is_damaged(tmp_path, content):
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(BundleError, match=r"card\.json is damaged"):
        read_json(tmp_path / "card.json")

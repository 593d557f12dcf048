"""Reading a bundle: what is not what was written is not read."""

import json

import pytest

from tfxfer.contracts import InputContract
from tfxfer.errors import BundleError
from tfxfer.runtime import (
    ModelFacts,
    check_bundle,
    check_digest,
    file_sha256,
    read_card,
    read_checked,
    read_json,
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "card.json").write_text('{"task": "regression"}')
    files = {"card.json": {"sha256": file_sha256(tmp_path / "card.json")}}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    return tmp_path


def test_what_was_written_is_read(folder):
    assert check_bundle(str(folder)) == folder
    assert read_card(str(folder)) == read_checked(folder, "card.json") == {"task": "regression"}


def test_a_card_tells_what_must_be_known_to_ask_a_model():
    card = {"classes": ["ant"], "input": {"height": 32, "width": 48, "resize": "crop", "pixels": "RGB"}}
    expected = ModelFacts("single_label", ("ant",), InputContract(32, 48), "crop")
    assert ModelFacts.of_card(card) == expected
    numbers = {"task": "regression", "names": ["wear"], "input": card["input"]}
    assert ModelFacts.of_card(numbers).classes == ("wear",)


def test_what_was_edited_is_not(folder, says):
    file = folder / "card.json"
    file.write_text("{}")
    message = f"{file} is not the file that was exported (its SHA-256 differs); export the model again."
    with pytest.raises(BundleError, match=says(message)):
        check_digest(folder, "card.json")
    file.unlink()
    with pytest.raises(BundleError, match=says(f"{folder} has lost its card.json; export the model again.")):
        check_digest(folder, "card.json")


def test_what_nobody_recorded_is_refused(folder, says):
    message = f"{folder} was exported without other.json; export the model again, with all formats."
    with pytest.raises(BundleError, match=says(message)):
        read_checked(folder, "other.json")


@pytest.mark.parametrize("content", ["[1", json.dumps([1])])
def test_what_is_no_object_is_damaged(folder, content):
    (folder / "card.json").write_text(content)
    with pytest.raises(BundleError, match=r"card\.json is damaged"):
        read_json(folder / "card.json")

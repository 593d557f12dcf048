"""A folder of shards says what it holds; one that does not is refused."""

import json
import re

import pytest

from tfxfer.data.sources.shard_index import is_shards, read_index, shard_name
from tfxfer.errors import DataError

TRAIN = shard_name("train", 0, 1)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / TRAIN).write_bytes(b"1234")
    write(tmp_path, "shards.json", {"classes": ["a", "b"], "shards": {"train": {TRAIN: 2}}})
    write(tmp_path, "manifest.json", {"files": {TRAIN: {"bytes": 4}}})
    return tmp_path


def write(folder, name, value):
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))


def test_it_says_what_is_there(folder):
    assert is_shards(folder)
    index = read_index(folder)
    assert index.classes == ("a", "b")
    assert index.shards == {"train": (TRAIN,)}
    assert index.pictures == {TRAIN: 2}


def test_another_folder_holds_none(tmp_path, says):
    assert not is_shards(tmp_path)
    message = f"{tmp_path} has no shards.json, so it holds no shards; tfxfer shards writes them."
    with pytest.raises(DataError, match=says(message)):
        read_index(tmp_path)


def test_a_shard_that_is_missing_is_named(folder, says):
    (folder / TRAIN).unlink()
    with pytest.raises(DataError, match=says(f"{folder / TRAIN} is missing; write the shards again.")):
        read_index(folder)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("shards.json", "[]", "damaged (no JSON object)"),
        (
            "shards.json",
            "{",
            "cannot be read (Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        ("shards.json", {"classes": ["a"]}, "damaged (KeyError('shards'))"),
        ("shards.json", {"classes": ["a"], "shards": {}}, "damaged (ValueError('no shards of train'))"),
        ("shards.json", {"classes": ["a"], "shards": {"train": {"x": 1}}}, "damaged (KeyError('x'))"),
        ("shards.json", {"classes": 3, "shards": {"train": {TRAIN: 1}}}, "damaged (TypeError("),
    ],
    ids=["list", "no JSON", "no shards", "no train", "unknown file", "no classes"],
)
def test_a_damaged_index_is_named(folder, name, value, reason):
    write(folder, name, value)
    start = re.escape(
        f"{folder / name} {reason}" if reason.startswith("cannot") else f"{folder / name} is {reason}"
    )
    with pytest.raises(DataError, match=rf"^{start}.*; write the shards again\.$"):
        read_index(folder)

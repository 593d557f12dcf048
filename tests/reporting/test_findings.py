"""What an audit finds in the parts of a data set, and which labels are doubted, as a report tells them."""

import shutil
from dataclasses import replace

import pytest

from tests.conftest import write_pictures
from tfxfer.contracts import Split
from tfxfer.data import from_folder
from tfxfer.evaluation import LabelError
from tfxfer.reporting.findings import audit_facts, label_error_facts


@pytest.fixture
def photos(tmp_path):
    """Blue 00 is in the test part and, as red, in the training part too, where green 00 is twice."""
    folder = write_pictures(tmp_path / "pictures")
    for source, copy in (("blue/00", "red/copy"), ("green/00", "green/copy")):
        shutil.copy(folder / f"{source}.png", folder / f"{copy}.png")
    found = from_folder(folder)
    test = [
        index for index, record in enumerate(found.records) if record.path in ("blue/00.png", "blue/01.png")
    ]
    validation = [index for index, record in enumerate(found.records) if record.path.endswith("02.png")]
    train = [index for index in range(len(found)) if index not in (*test, *validation)]
    return replace(found, split=Split(tuple(train), tuple(validation), tuple(test), seed=0))


def test_groups_are_counted_and_named(photos):
    found = audit_facts(photos)
    assert found["pictures"] == 38
    there = {kind: count for kind, count in found["counts"].items() if count}
    assert there == {"leaks": 1, "conflicting_labels": 1, "duplicates": 2}
    assert list(found["samples"]) == list(there)
    alike = {
        "of": 2,
        "files": [
            {"file": "blue/00.png", "note": "blue, test"},
            {"file": "red/copy.png", "note": "red, train"},
        ],
    }
    assert found["samples"]["leaks"] == found["samples"]["conflicting_labels"] == [alike]
    assert found["samples"]["duplicates"][0] == alike


def test_what_is_in_no_part_does_not_count(photos):
    paths = {index: record.path for index, record in enumerate(photos.records)}
    train = tuple(index for index in photos.split.train if "copy" not in paths[index])
    found = audit_facts(replace(photos, split=replace(photos.split, train=train)))
    assert found["pictures"] == 36
    assert not any(found["counts"].values())
    assert found["samples"] == {}


def test_single_files_are_told_why_and_long_lists_are_cut(tmp_path):
    folder = write_pictures(tmp_path / "pictures", count=8)
    for path in folder.rglob("*.png"):
        with_small(path)
    found = audit_facts(from_folder(folder))
    assert found["counts"]["tiny"] == 24
    assert len(found["samples"]["tiny"]) == 6
    assert found["samples"]["tiny"][0]["files"] == [{"file": "blue/00.png", "note": "is 20 x 20 pixels."}]


def with_small(path):
    from PIL import Image

    with Image.open(path) as image:
        image.crop((0, 0, 20, 20)).save(path)


def test_doubted_labels_are_named_as_the_data_set_does(photos):
    error = LabelError(str(photos.root / "red/copy.png"), "train", "red", "blue", 0.1, 0.9)
    found = label_error_facts(photos, [error] * 30)
    assert (found["reason"], found["pictures"], found["count"]) == (None, 38, 30)
    assert len(found["first"]) == 24
    assert found["first"][0] == {**error.to_dict(), "file": "red/copy.png"}
    assert label_error_facts(photos, "nobody looked") == {
        "reason": "nobody looked",
        "pictures": 0,
        "count": 0,
        "first": [],
    }

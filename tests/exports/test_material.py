"""Material: which pictures quantize, choose and judge."""

from dataclasses import replace

import numpy as np
import pytest

from tfxfer.contracts import InputContract
from tfxfer.data import read_image
from tfxfer.errors import DataError
from tfxfer.exports import material as material_module
from tfxfer.exports.material import Material

SIZE = InputContract(32, 32)


def decoded(paths):
    return np.stack([read_image(path, height=32, width=32) for path in paths])


def test_classes_take_turns(photos, monkeypatch):
    monkeypatch.setattr(material_module, "REPRESENTATIVE", 6)
    paths, labels = photos.paths("train"), list(photos.labels("train"))
    kinds = [
        [path for path, shown in zip(paths, labels, strict=True) if shown == label] for label in range(3)
    ]
    expected = decoded([kind[place] for place in (0, 1) for kind in kinds])
    found = Material(photos, SIZE).representative
    np.testing.assert_array_equal(found[1:], expected[1:])
    np.testing.assert_array_equal(found[0, 1:], expected[0, 1:])
    np.testing.assert_array_equal(found[0, 0, :2], [[0] * 3, [255] * 3])


def test_one_class_that_nobody_learns_is_refused(photos, says):
    green = tuple(index for index in photos.split.train if photos.records[index].label != 1)
    message = (
        "no training picture shows green, and quantizing goes by what the model makes of training pictures; "
        "give pictures of every class, or other formats."
    )
    with pytest.raises(DataError, match=says(message)):
        Material(replace(photos, split=replace(photos.split, train=green)), SIZE).check()


@pytest.mark.parametrize(("name", "part"), [("choosing", "validation"), ("judging", "test")])
def test_all_classes_are_among_the_compared(photos, monkeypatch, name, part):
    monkeypatch.setattr(material_module, "MAX_COMPARED", 3)
    images, truth = getattr(Material(photos, SIZE), name)
    chosen = [0, 4, 8]
    np.testing.assert_array_equal(images, decoded([photos.paths(part)[index] for index in chosen]))
    assert truth.tolist() == [photos.labels(part)[index] for index in chosen] == [0, 1, 2]


def test_numbers_are_spread(numbers):
    assert len(Material(numbers, SIZE).representative) == len(numbers.split.train)


def test_files_come_with_their_place_among_those_that_judge(photos, monkeypatch):
    monkeypatch.setattr(material_module, "_FILES", 4)
    found = Material(photos, SIZE).files
    paths = photos.paths("test")
    assert [place for place, _ in found] == [0, 3, 5, 8]
    assert [content for _, content in found] == [paths[place].read_bytes() for place, _ in found]

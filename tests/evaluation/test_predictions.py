"""evaluate: the model's own scores, in the order of the records, whatever the part."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import write_pictures
from tfxfer.contracts import PARTS
from tfxfer.data import from_folder, read_image
from tfxfer.errors import DataError, SettingError
from tfxfer.evaluation import evaluate, predict_part
from tfxfer.models import build


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.fixture(scope="module")
def model(photos):
    return build(photos, backbone="micro", image_size=32)


@pytest.mark.parametrize("part", PARTS)
def test_scores_come_in_the_order_of_the_records(model, photos, part):
    predictions = predict_part(model, photos, part=part, batch_size=5)
    images = np.stack([read_image(path, height=32, width=32) for path in photos.paths(part)])
    np.testing.assert_allclose(predictions.scores, model.predict(images, verbose=0), atol=1e-6)
    assert predictions.labels.tolist() == photos.labels(part)
    assert predictions.files == tuple(map(str, photos.paths(part)))


def test_a_picture_that_breaks_meanwhile_is_named(model, tmp_path):
    photos = from_folder(write_pictures(tmp_path / "pictures"))
    photos.paths("test")[0].write_text("no picture")
    with pytest.raises(
        DataError, match=f"^1 file cannot be read .*\n  {photos.paths('test')[0]} is not a JPEG"
    ):
        evaluate(model, photos)


def test_an_empty_part_is_refused(model, photos, says):
    empty = replace(photos, split=replace(photos.split, test=()))
    message = f"the test part of {photos.root} is empty; there is nothing to judge by."
    with pytest.raises(DataError, match=says(message)):
        evaluate(model, empty)


def test_a_model_of_other_classes_is_refused(photos, says):
    other = build(classes=5, backbone="micro", image_size=32)
    message = "the model tells 5 classes apart, the pictures have 3; build the model with these photos."
    with pytest.raises(SettingError, match=says(message)):
        evaluate(other, photos)


def test_accuracy_is_that_of_keras(model, photos):
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    _, accuracy = model.evaluate(photos.batches("test", image_size=32), verbose=0)
    assert evaluate(model, photos).accuracy == pytest.approx(accuracy, abs=1e-6)


def test_groups_that_are_given_are_judged_by_themselves(model, shared_pictures):
    photos = from_folder(shared_pictures)
    photos = replace(photos, split=replace(photos.split, test=tuple(range(60))))
    groups = ["old"] * 30 + ["new"] * 20 + [None] * 10
    report = evaluate(model, photos, group=groups)
    assert [(each.name, each.images) for each in report.subgroups] == [("new", 20), ("old", 30)]
    right = report.predictions.scores.argmax(axis=1) == report.predictions.labels
    assert [each.value for each in report.subgroups] == [right[30:50].mean(), right[:30].mean()]


def test_groups_that_do_not_go_with_the_pictures_are_refused(model, photos, says):
    message = (
        "group must be a sequence of 9 names, one for each picture of the test part in the order of "
        "photos.names('test'), got {} of {}."
    )
    for group, came in ((["a"] * 8, ("list", 8)), ("hospital!", ("str", 9)), ({"a.png": "a"}, ("dict", 1))):
        with pytest.raises(SettingError, match=says(message.format(*came))):
            evaluate(model, photos, group=group)
    message = "group must hold names, and None for a picture of no group, got nan; write it as text."
    with pytest.raises(SettingError, match=says(message)):
        evaluate(model, photos, group=["a"] * 8 + [float("nan")])


def test_a_top_k_is_refused_before_a_picture_is_read(model, photos, says):
    message = "top_k must be in 1..2, fewer than there are classes, got 3."
    with pytest.raises(SettingError, match=says(message)):
        evaluate(model, replace(photos, split=replace(photos.split, test=())), top_k=3)
    assert evaluate(model, photos, top_k=2).top_k == 2

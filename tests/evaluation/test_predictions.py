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

"""with_metadata and describe: the model stays, what cannot be described is refused."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.exports.metadata.conftest import IMAGES, SIZE, converted, small_model
from tfxfer.errors import BundleError, SettingError
from tfxfer.exports import LiteRTModel, describe, read_metadata, self_test, with_metadata
from tfxfer.exports.metadata.archive import unpacked


@pytest.mark.parametrize("name", ["plain", "quantized"])
def test_the_model_says_what_it_said(name, facts, tmp_path, request):
    before = request.getfixturevalue(name)
    path = tmp_path / "model.tflite"
    path.write_bytes(before)
    describe(path, facts)
    after = LiteRTModel(path).all_scores(IMAGES)
    np.testing.assert_array_equal(after, LiteRTModel(before).all_scores(IMAGES))
    assert path.stat().st_size - len(before) < 7000


def test_any_language_reads_the_card(facts, plain):
    _, files = unpacked(with_metadata(plain, facts))
    card = json.loads(files["tfxfer.json"])
    assert files["labels.txt"].decode() == "Gänseblümchen\ndaisy, wild\nrose\n"
    assert card["labels"] == ["Gänseblümchen", "daisy, wild", "rose"]
    assert card["input"] == {
        "height": 12,
        "width": 20,
        "dtype": "float32",
        "pixels": "RGB, 0..255",
        "filter": "bilinear, antialiased",
    }
    assert (card["resize"], card["temperature"], card["reject_threshold"]) == ("crop", 1.25, 0.4)


def test_equal_files_and_facts_give_equal_bytes(facts, plain):
    assert with_metadata(plain, facts) == with_metadata(plain, facts)


def test_what_was_written_before_is_replaced(facts, plain, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(plain)
    describe(path, facts)
    first = path.stat().st_size
    describe(path, facts)
    assert read_metadata(path).facts == facts
    assert self_test(path) == 0
    assert path.stat().st_size - first < 2000


def test_what_is_no_model_is_refused(facts):
    with pytest.raises(BundleError, match=r"^these bytes are no \.tflite file"):
        with_metadata(b"no model at all", facts)


def test_scores_of_other_labels_are_refused(facts, plain, says):
    message = (
        "the model's first output has shape (1, 3), and readers of metadata take it for scores of 2 labels; "
        "let (1, 2) come first."
    )
    with pytest.raises(SettingError, match=says(message)):
        with_metadata(plain, type(facts)("petals", "single_label", ("a", "b"), "crop"))


def test_scores_must_come_first(facts, tmp_path):
    """Of two outputs of a SavedModel, the converter puts the second first."""
    model = small_model(lambda scores: keras.ops.max(scores, axis=-1, keepdims=True))
    with pytest.raises(SettingError, match=r"^the model's first output has shape \(1, 1\)"):
        with_metadata(converted(model, tmp_path / "model"), facts)


def test_more_than_a_picture_is_refused(facts, tmp_path, says):
    images = [keras.Input((*SIZE, 3)), keras.Input((*SIZE, 3))]
    model = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(images[0] + images[1])))
    message = (
        "the model takes (1, 12, 20, 3) and (1, 12, 20, 3), and readers of metadata give it one picture; let "
        "it take (1, height, width, 3)."
    )
    with pytest.raises(SettingError, match=says(message)):
        with_metadata(converted(model, tmp_path / "model"), facts)


def test_int8_pixels_are_refused(facts, tmp_path, says):
    content = converted(small_model(), tmp_path / "model", IMAGES, takes=tf.int8)
    message = "the model takes int8, and readers of metadata know float32 and uint8; convert it so."
    with pytest.raises(SettingError, match=says(message)):
        with_metadata(content, facts)


def test_pixels_that_are_scaled_are_refused(facts, tmp_path, says):
    """Which is what becomes of pictures without black and white."""
    content = converted(small_model(), tmp_path / "model", IMAGES // 2)
    message = (
        "the model's uint8 input is scaled by 0.498039 from 0, and readers of metadata give it raw pixels; "
        "calibrate it with pictures in which 0 and 255 occur."
    )
    with pytest.raises(SettingError, match=says(message)):
        with_metadata(content, facts)

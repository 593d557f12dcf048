"""export: the folder holds what it says, each file runs on its own, and nothing is half there."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tfxfer.data import read_image
from tfxfer.errors import SettingError
from tfxfer.evaluation import evaluate
from tfxfer.exports import FileFacts, export, read_metadata, self_test
from tfxfer.exports.metadata.archive import unpacked
from tfxfer.models import build


def json_of(path):
    return json.loads(path.read_text())


def test_it_holds_all_it_should(bundle):
    folder, _ = bundle
    assert sorted(item.name for item in folder.iterdir()) == [
        "card.json",
        "labels.txt",
        "manifest.json",
        "model.keras",
        "model.tflite",
        "saved_model",
        "split.json",
    ]
    assert (folder / "labels.txt").read_text() == "blue\ngreen\nred\n"


def test_artifacts_tell_size_and_parity(bundle):
    folder, artifacts = bundle
    assert [artifact.format for artifact in artifacts] == ["keras", "saved-model", "tflite"]
    for artifact in artifacts:
        assert artifact.path.parent == folder
        assert artifact.path.exists()
        assert artifact.comparison.images == 9
        assert artifact.comparison.disagreements == 0
        assert artifact.comparison.largest_difference < 1e-4
    assert artifacts[2].size == (folder / "model.tflite").stat().st_size


def test_the_file_for_phones_says_what_it_is(bundle):
    folder, _ = bundle
    metadata = read_metadata(folder / "model.tflite")
    assert metadata.facts == FileFacts(
        name="micro",
        task="single_label",
        labels=("blue", "green", "red"),
        resize="crop",
        card_sha256=hashlib.sha256((folder / "card.json").read_bytes()).hexdigest(),
    )
    _, files = unpacked((folder / "model.tflite").read_bytes())
    assert files["labels.txt"] == (folder / "labels.txt").read_bytes()
    assert self_test(folder / "model.tflite") == 0


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_files_of_other_tasks_say_what_they_are(task, of_task):
    photos, _, _, folder, _ = of_task[task]
    facts = read_metadata(folder / "model.tflite").facts
    assert (facts.task, facts.labels) == (task, photos.classes)
    assert self_test(folder / "model.tflite") == 0


PLAIN = """
import sys
import numpy
sys.modules["tfxfer"] = None
folder, images = sys.argv[1], numpy.load("images.npy")

from ai_edge_litert.interpreter import Interpreter
runner = Interpreter(f"{folder}/model.tflite").get_signature_runner()
name = next(iter(runner.get_input_details()))
(lite,) = runner(**{name: images.astype("float32")}).values()
assert not {"tensorflow", "keras"} & set(sys.modules)

import tensorflow
loaded = tensorflow.saved_model.load(f"{folder}/saved_model/1")
saved_model = loaded.serve(images.astype("float32"))

import keras
plain = keras.models.load_model(f"{folder}/model.keras").predict(images, verbose=0)
numpy.savez("scores.npz", lite=lite, saved_model=saved_model.numpy(), keras=plain)
"""


def test_each_file_runs_where_tfxfer_is_not(bundle, fitted, photos, tmp_path):
    """LiteRT first, which does not need TensorFlow, and then what does."""
    folder, _ = bundle
    model, _ = fitted
    images = np.stack([read_image(path, height=32, width=32) for path in photos.paths("test")])
    np.save(tmp_path / "images.npy", images)
    command = [sys.executable, "-c", PLAIN, str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    expected = model.predict(images, verbose=0)
    with np.load(tmp_path / "scores.npz") as found:
        assert sorted(found) == ["keras", "lite", "saved_model"]
        for form, scores in found.items():
            np.testing.assert_allclose(scores, expected, atol=1e-5, err_msg=form)


def test_a_report_on_other_pictures_is_refused(fitted, photos, tmp_path, says):
    report = evaluate(fitted[0], photos, part="train")
    message = (
        "the report is not on the test part of these photos; make it with "
        "tfxfer.evaluate(model, photos), or leave it out."
    )
    with pytest.raises(SettingError, match=says(message)):
        export(fitted[0], tmp_path / "bundle", photos, report=report)
    report = evaluate(fitted[0], photos, tta=("flip",))
    message = (
        "the report is of test-time augmentation, which no file does by itself; make it with "
        "tfxfer.evaluate(model, photos), or leave it out."
    )
    with pytest.raises(SettingError, match=says(message)):
        export(fitted[0], tmp_path / "bundle", photos, report=report)


def test_a_model_of_other_classes_is_refused(photos, tmp_path, says):
    model = build(classes=5, backbone="micro", image_size=32)
    message = "the model tells 5 classes apart, the pictures have 3; build the model with these photos."
    with pytest.raises(SettingError, match=says(message)):
        export(model, tmp_path / "bundle", photos)


def test_a_target_that_is_there_is_kept(fitted, photos, bundle, says):
    folder, _ = bundle
    message = (
        f"{folder} exists already, and is never overwritten unasked; give another folder, or --force "
        "(force=True) to replace it."
    )
    with pytest.raises(SettingError, match=says(message)):
        export(fitted[0], folder, photos)


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (
            [],
            "formats must name at least one of keras, saved-model, tflite, tflite-float16, tflite-dynamic, "
            "tflite-int8, tflite-int16x8, onnx.",
        ),
        (
            ["tf-lite"],
            "no export format 'tf-lite'; did you mean 'tflite'? tfxfer.exports.FORMATS lists all 8.",
        ),
    ],
    ids=["none", "unknown"],
)
def test_formats_are_checked_first(fitted, photos, tmp_path, formats, message, says):
    with pytest.raises(SettingError, match=says(message)):
        export(fitted[0], tmp_path / "bundle", photos, formats=formats)


def test_one_form_alone_with_labels_of_any_letters(fitted, tmp_path, photos):
    """Class names are people's own."""
    renamed = replace(photos, classes=("bleu ciel", "grün", "赤"))
    (artifact,) = export(fitted[0], tmp_path / "bundle", renamed, formats=["tflite"])
    assert artifact.path == tmp_path / "bundle" / "model.tflite"
    assert not (tmp_path / "bundle" / "saved_model").exists()
    assert (tmp_path / "bundle" / "labels.txt").read_text(encoding="utf-8") == "bleu ciel\ngrün\n赤\n"
    assert json_of(tmp_path / "bundle" / "card.json")["classes"] == ["bleu ciel", "grün", "赤"]

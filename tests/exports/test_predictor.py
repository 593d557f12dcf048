"""load: predicts what the model predicted, without TensorFlow, and only from a folder that is whole."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tfxfer.data import read_image
from tfxfer.errors import BundleError, DataError
from tfxfer.evaluation import evaluate, judge
from tfxfer.exports import load
from tfxfer.runtime import file_sha256


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle[0], tmp_path / "copy")


def test_it_predicts_what_the_model_predicts(bundle, fitted, photos):
    paths = photos.paths("test")
    images = np.stack([read_image(path, height=32, width=32) for path in paths])
    scores = fitted[0].predict(images, verbose=0)
    predictions = load(bundle[0]).predict(paths)
    for path, row, prediction in zip(paths, scores, predictions, strict=True):
        assert prediction.file == str(path)
        assert prediction.label == photos.classes[row.argmax()]
        assert prediction.probability == pytest.approx(row.max(), abs=1e-5)
        assert list(prediction.scores) == list(photos.classes)
        assert list(prediction.scores.values()) == pytest.approx(row.tolist(), abs=1e-5)


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_each_task_is_predicted_as_its_model_does(of_task, task):
    photos, model, _, folder, _ = of_task[task]
    predictor = load(folder)
    paths = photos.paths("test")
    images = np.stack([read_image(path, height=32, width=32) for path in paths])
    assert (predictor.task, predictor.classes) == (task, photos.classes)
    scores = model.predict(images, verbose=0)
    for path, row, prediction in zip(paths, scores, predictor.predict(paths), strict=True):
        assert prediction.file == str(path)
        if task == "regression":
            assert list(prediction.numbers.values()) == pytest.approx(row.tolist(), rel=1e-4)
        else:
            assert list(prediction.scores.values()) == pytest.approx(row.tolist(), abs=1e-5)
            assert prediction.labels == tuple(
                name for name, score in zip(photos.classes, row, strict=True) if score >= 0.5
            )


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_a_bundle_judges_as_its_model_does(of_task, task):
    photos, model, _, folder, _ = of_task[task]
    predictions = load(folder).predictions(photos.paths("test"), photos.targets("test"))
    mine, theirs = judge(predictions), evaluate(model, photos)
    assert type(mine) is type(theirs)
    assert mine.headline.value == pytest.approx(theirs.headline.value, abs=1e-4)


def test_a_bundle_of_before_there_were_tasks_is_of_one_label(copy, photos):
    rewrite_card(copy, lambda card: {key: value for key, value in card.items() if key != "task"})
    (prediction,) = load(copy).predict(photos.paths("test")[0])
    assert prediction.label in photos.classes


def test_a_task_of_a_later_version(copy, says):
    rewrite_card(copy, lambda card: card | {"task": "segmentation"})
    message = (
        f"{copy} is for a task 'segmentation', and this version of tfxfer knows single_label, multi_label, "
        "regression; take a newer one."
    )
    refused(copy, message, says)


def rewrite_card(folder, change):
    """Write the card anew, and its digest with it."""
    card, manifest = (json.loads((folder / f"{name}.json").read_text()) for name in ("card", "manifest"))
    (folder / "card.json").write_text(json.dumps(change(card)))
    manifest["files"]["card.json"]["sha256"] = file_sha256(folder / "card.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_one_file_gives_a_list_of_one(bundle, photos):
    (prediction,) = load(bundle[0]).predict(str(photos.paths("test")[0]))
    assert set(prediction.to_dict()) == {"file", "label", "probability", "scores", "known"}


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_no_task_needs_tensorflow(of_task, task):
    photos, _, _, folder, _ = of_task[task]
    code = (
        "import sys\nsys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import json, tfxfer\n"
        f"(said,) = tfxfer.load({str(folder)!r}).predict({str(photos.paths('test')[0])!r})\n"
        "print(json.dumps(said.to_dict()))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    said = json.loads(run.stdout)
    assert tuple(said["numbers" if task == "regression" else "scores"]) == photos.classes


def test_tensorflow_is_not_needed(bundle, photos):
    code = (
        "import sys\nsys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import tfxfer\n"
        f"print(tfxfer.load({str(bundle[0])!r}).predict({str(photos.paths('test')[0])!r})[0].label)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() in photos.classes


def test_a_picture_that_cannot_be_read_is_named(bundle, tmp_path, says):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match=says(f"{tmp_path / 'a.png'} is an empty file.")):
        load(bundle[0]).predict([tmp_path / "a.png"])


def refused(folder, message, says):
    with pytest.raises(BundleError, match=says(message)):
        load(folder)


def test_a_folder_that_is_missing(tmp_path, says):
    folder = tmp_path / "nowhere"
    refused(folder, f"{folder} is not a folder; give one that tfxfer train wrote.", says)


def test_a_folder_that_is_no_bundle(tmp_path, says):
    message = f"{tmp_path} has no manifest.json, so it is no bundle; give a folder that tfxfer train wrote."
    refused(tmp_path, message, says)


def test_a_model_that_was_changed(copy, says):
    path = copy / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    message = f"{path} is not the file that was exported (its SHA-256 differs); export the model again."
    refused(copy, message, says)


def test_a_model_that_was_lost(copy, says):
    (copy / "model.tflite").unlink()
    refused(copy, f"{copy} has lost its model.tflite; export the model again.", says)


def test_a_bundle_without_tflite(copy, says):
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["model.tflite"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    message = f"{copy} was exported without model.tflite; export the model again, with all formats."
    refused(copy, message, says)


@pytest.mark.parametrize("content", ["{", "[]", ""], ids=["cut", "list", "empty"])
def test_a_damaged_manifest(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match=r"^.*manifest\.json is damaged \(.*\); export the model again\.$"):
        load(copy)

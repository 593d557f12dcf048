"""export: the folder holds what it says, each file runs on its own, and nothing is half there."""

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, origin_of
from tfxfer.contracts import PARTS, LeftOut
from tfxfer.data import read_image
from tfxfer.errors import ParityError, SettingError
from tfxfer.evaluation import evaluate
from tfxfer.exports import FORMATS, FileFacts, export, read_metadata, self_test
from tfxfer.exports import bundle as bundle_module
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
    assert [artifact.format for artifact in artifacts] == ["keras", "saved_model", "tflite"]
    for artifact in artifacts:
        assert artifact.path.parent == folder
        assert artifact.path.exists()
        assert artifact.images == 9
        assert artifact.disagreements == 0
        assert artifact.largest_difference < 1e-4
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


def test_the_manifest_has_every_file_as_it_is(bundle):
    folder, _ = bundle
    files = json_of(folder / "manifest.json")["files"]
    found = {
        file.relative_to(folder).as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    assert set(files) == set(found)
    for name, file in found.items():
        content = file.read_bytes()
        assert files[name] == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_the_split_says_groups_only_where_there_are_some(bundle):
    entries = json_of(bundle[0] / "split.json")["test"]
    assert {key for entry in entries for key in entry} == {"path", "class", "sha256"}


def test_the_split_is_kept_by_path_and_content(bundle, photos):
    folder, _ = bundle
    split = json_of(folder / "split.json")
    assert split["seed"] == 4
    for part in PARTS:
        entries = [(photos.root / entry["path"], entry["class"]) for entry in split[part]]
        assert [path for path, _ in entries] == photos.paths(part)
        assert [name for _, name in entries] == [photos.classes[i] for i in photos.labels(part)]
    first = split["test"][0]
    content = (photos.root / first["path"]).read_bytes()
    assert first["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_card_tells_input_figures_and_training(bundle, fitted, photos):
    folder, _ = bundle
    card = json_of(folder / "card.json")
    model, log = fitted
    assert card["input"] == {
        "height": 32,
        "width": 32,
        "pixels": "RGB, 0..255",
        "resize": "crop",
        "filter": "bilinear, antialiased",
    }
    assert card["backbone"] == "micro"
    assert card["weights"] == asdict(origin_of(model))
    assert card["weights"]["sha256"] == BACKBONES["micro"].weights_sha256
    assert card["task"] == "single_label"
    assert card["classes"] == ["blue", "green", "red"]
    assert card["test"]["accuracy"] == evaluate(model, photos).accuracy
    assert card["training"]["kept"] == log.kept
    assert card["training"]["validation_accuracy"] == log.validation_accuracy
    assert card["settings"] == {"seed": 4}


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
loaded = tensorflow.saved_model.load(f"{folder}/saved_model")
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


@pytest.fixture
def altered(monkeypatch):
    """Have the keras format read back other scores than it wrote, as a broken converter would."""

    def alter(change):
        form = FORMATS["keras"]
        broken = replace(form, scores=lambda path, images: change(form.scores(path, images)))
        monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [broken])

    return alter


def test_a_file_that_disagrees_is_not_written(fitted, photos, tmp_path, altered):
    altered(lambda scores: np.roll(scores, 1, axis=1))
    pattern = (
        r"^model\.keras disagrees with the model on [1-9] of 9 pictures \(largest difference [\d.]+, bound "
        r"0\.001\); leave this format out with formats=…, and report this\.$"
    )
    with pytest.raises(ParityError, match=pattern):
        export(fitted[0], tmp_path / "bundle", photos)
    assert list(tmp_path.iterdir()) == []


def test_nan_is_no_agreement(fitted, photos, tmp_path, altered):
    altered(lambda scores: scores * np.nan)
    with pytest.raises(ParityError, match="largest difference nan"):
        export(fitted[0], tmp_path / "bundle", photos)


def test_all_classes_are_among_the_compared(fitted, photos, monkeypatch):
    monkeypatch.setattr(bundle_module, "MAX_COMPARED", 3)
    paths = photos.paths("test")
    compared = bundle_module._compared_images(fitted[0], photos)
    expected = [read_image(paths[index], height=32, width=32) for index in (0, 4, 8)]
    np.testing.assert_array_equal(compared, expected)
    assert {paths[index].parent.name for index in (0, 4, 8)} == {"blue", "green", "red"}


def test_a_report_on_other_pictures_is_refused(fitted, photos, tmp_path, says):
    report = evaluate(fitted[0], photos, part="train")
    message = (
        "the report is not on the test part of these photos; make it with "
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
        ([], "formats must name at least one of keras, saved_model, tflite."),
        (
            ["tf_lite"],
            "no export format 'tf_lite'; did you mean 'tflite'? tfxfer.exports.FORMATS lists all 3.",
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


def test_several_labels_are_told_by_name(of_task):
    photos, model, log, folder, artifacts = of_task["multi_label"]
    card = json_of(folder / "card.json")
    assert card["task"] == "multi_label"
    assert card["classes"] == ["blue", "green", "red", "round"]
    assert card["test"] == evaluate(model, photos).to_dict()
    assert card["training"]["validation_binary_accuracy"] == log.validation_metrics["binary_accuracy"]
    assert "validation_accuracy" not in card["training"]
    assert (folder / "labels.txt").read_text() == "blue\ngreen\nred\nround\n"
    for entry, row in zip(json_of(folder / "split.json")["test"], photos.targets("test"), strict=True):
        assert set(entry) == {"path", "classes", "sha256"}
        assert entry["classes"] == [card["classes"][label] for label in np.flatnonzero(row)]
    assert all(artifact.largest_difference < 1e-4 for artifact in artifacts)


def test_numbers_are_told_with_their_names(of_task):
    photos, model, log, folder, artifacts = of_task["regression"]
    card = json_of(folder / "card.json")
    assert card["task"] == "regression"
    assert card["names"] == ["red", "blue"]
    assert "classes" not in card
    assert card["test"] == evaluate(model, photos).to_dict()
    metrics = log.validation_metrics
    assert card["training"]["validation_mean_absolute_error"] == metrics["mean_absolute_error"]
    assert (folder / "labels.txt").read_text() == "red\nblue\n"
    for entry, row in zip(json_of(folder / "split.json")["test"], photos.targets("test"), strict=True):
        assert set(entry) == {"path", "numbers", "sha256"}
        assert entry["numbers"] == pytest.approx(row.tolist())
    # In standard deviations, which are some thousands of red here, and less than 1 of blue.
    assert all(artifact.largest_difference < 1e-3 for artifact in artifacts)


def test_numbers_that_disagree_are_not_written(of_task, tmp_path, altered):
    photos, model, _, _, _ = of_task["regression"]
    altered(lambda scores: scores + np.array([0, 0.01], np.float32))
    pattern = (
        r"^model\.keras disagrees with the model on (\d+) of \1 pictures \(largest difference 0\.0\d+ "
        r"standard deviations, bound 0\.001\); leave this format out with formats=…, and report this\.$"
    )
    with pytest.raises(ParityError, match=pattern):
        export(model, tmp_path / "bundle", photos)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_disagree_are_not_written(of_task, tmp_path, altered):
    photos, model, _, _, _ = of_task["multi_label"]
    altered(lambda scores: 1 - scores)
    with pytest.raises(ParityError, match=r"^model\.keras disagrees with the model on (\d+) of \1 "):
        export(model, tmp_path / "bundle", photos)


@pytest.mark.parametrize(
    ("task", "told"),
    [("multi_label", {"classes": ["blue", "round"]}), ("regression", {"numbers": [3000.0, 0.5]})],
)
def test_what_is_left_out_is_told_by_what_it_shows(of_task, task, told):
    photos = of_task[task][0]
    target = (0, 3) if task == "multi_label" else (3000.0, 0.5)
    left_out = [LeftOut("blue/00.png", 1, "train", "is damaged.", target)]
    assert bundle_module._left_out(photos, left_out) == {
        "pictures": len(photos) + 1,
        "left_out": [{"path": "blue/00.png", **told, "part": "train", "reason": "is damaged."}],
    }

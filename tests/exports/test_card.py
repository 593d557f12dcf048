"""What a bundle says of itself: card, split, what was left out, manifest."""

import hashlib
import json

import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, Origin, origin_of
from tfxfer.contracts import PARTS, LeftOut
from tfxfer.evaluation import evaluate
from tfxfer.exports import card as card_module


def json_of(path):
    return json.loads(path.read_text())


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
    assert Origin(**card["weights"]) == origin_of(model)
    assert card["weights"]["sha256"] == BACKBONES["micro"].weights_sha256
    assert card["task"] == "single_label"
    assert card["classes"] == ["blue", "green", "red"]
    assert card["test"]["accuracy"] == evaluate(model, photos).accuracy
    assert card["training"]["kept"] == log.kept
    assert card["training"]["validation_accuracy"] == log.validation_accuracy
    assert card["settings"] == {"seed": 4}


def test_several_labels_are_told_by_name(of_task):
    photos, model, log, folder, artifacts = of_task["multi_label"]
    card = json_of(folder / "card.json")
    assert card["task"] == "multi_label"
    assert card["classes"] == ["blue", "green", "red", "round"]
    figures = evaluate(model, photos).to_dict()
    assert card["test"] == {name: value for name, value in figures.items() if not name.endswith("_curves")}
    assert card["training"]["validation_binary_accuracy"] == log.validation_metrics["binary_accuracy"]
    assert "validation_accuracy" not in card["training"]
    assert (folder / "labels.txt").read_text() == "blue\ngreen\nred\nround\n"
    for entry, row in zip(json_of(folder / "split.json")["test"], photos.targets("test"), strict=True):
        assert set(entry) == {"path", "classes", "sha256"}
        assert entry["classes"] == [card["classes"][label] for label in np.flatnonzero(row)]
    assert all(artifact.comparison.largest_difference < 1e-4 for artifact in artifacts)


def test_numbers_are_told_with_their_names(of_task):
    photos, model, log, folder, artifacts = of_task["regression"]
    card = json_of(folder / "card.json")
    assert card["task"] == "regression"
    assert card["names"] == ["red", "blue"]
    assert "classes" not in card
    figures = evaluate(model, photos).to_dict()
    assert card["test"] == {name: value for name, value in figures.items() if not name.endswith("_curves")}
    metrics = log.validation_metrics
    assert card["training"]["validation_mean_absolute_error"] == metrics["mean_absolute_error"]
    assert (folder / "labels.txt").read_text() == "red\nblue\n"
    for entry, row in zip(json_of(folder / "split.json")["test"], photos.targets("test"), strict=True):
        assert set(entry) == {"path", "numbers", "sha256"}
        assert entry["numbers"] == pytest.approx(row.tolist())
    # In standard deviations, which are some thousands of red here, and less than 1 of blue.
    assert all(artifact.comparison.largest_difference < 1e-3 for artifact in artifacts)


@pytest.mark.parametrize(
    ("task", "told"),
    [("multi_label", {"classes": ["blue", "round"]}), ("regression", {"numbers": [3000.0, 0.5]})],
)
def test_what_is_left_out_is_told_by_what_it_shows(of_task, task, told):
    photos = of_task[task][0]
    target = (0, 3) if task == "multi_label" else (3000.0, 0.5)
    left_out = [LeftOut("blue/00.png", 1, "train", "is damaged.", target)]
    assert card_module._left_out(photos, left_out) == {
        "pictures": len(photos) + 1,
        "left_out": [{"path": "blue/00.png", **told, "part": "train", "reason": "is damaged."}],
    }

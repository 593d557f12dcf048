"""Which pictures a report shows, and of what."""

import base64
import io
from dataclasses import replace

import keras
import numpy as np
from PIL import Image

from tfxfer.contracts import Predictions
from tfxfer.reporting.pictures import _explained_rows, explained, mistaken, samples


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def test_samples_are_training_pictures_of_the_classes_in_turn(run):
    found = samples(run.photos)
    assert [each["label"] for each in found] == [name for name in run.photos.classes for _ in range(4)]
    assert len({each["name"] for each in found}) == 12
    train = {run.photos.records[index].path for index in run.photos.split.train}
    assert {each["name"] for each in found} <= train
    assert decoded(found[0]["data"]).size == (40, 40)


def test_samples_of_other_tasks_are_spread(tags, numbers):
    assert len(samples(tags)) == len(samples(numbers)) == 12

    assert any(each["label"].count(",") == 1 for each in samples(tags))


def test_mistakes_have_their_own_pictures(run, facts):
    shown = mistaken(run.photos, facts["mistakes"])
    first = shown[0]
    assert {name: first[name] for name in facts["mistakes"][0]} == facts["mistakes"][0]
    small = np.asarray(decoded(first["data"]), int)
    paths = run.photos.paths("test")
    distances = [np.abs(np.asarray(Image.open(path), int) - small).mean() for path in paths]
    assert paths[np.argmin(distances)] == run.photos.root / first["file"]


def test_explanations_are_of_right_and_wrong_pictures(run):
    found = explained(run.model, run.photos, run.report.predictions)
    said = run.report.predictions
    wrong = int((said.scores.argmax(axis=1) != np.asarray(said.labels)).sum())
    assert sum(not each["right"] for each in found) == min(4, wrong) > 0
    assert sum(each["right"] for each in found) == 4
    for each in found:
        assert each["right"] == (each["label"] == each["shown"])
        assert decoded(each["data"]).size == decoded(each["seen"]).size == (32, 32)


def test_none_where_the_backbone_keeps_no_map(run):
    pooled = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    flat = keras.Model(pooled.inputs, pooled.outputs)
    assert explained(flat, run.photos, run.report.predictions) == []


def test_the_surest_are_chosen_of_different_classes_first():
    scores = np.array(
        [[0.99, 0.01], [0.98, 0.02], [0.1, 0.9], [0.8, 0.2], [0.95, 0.05], [0.3, 0.7]], np.float32
    )
    said = Predictions(("a", "b"), tuple("uvwxyz"), scores, np.array([0, 0, 1, 1, 1, 0]))
    assert list(_explained_rows(said).items()) == [
        (0, True),
        (2, True),
        (1, True),
        (4, False),
        (3, False),
        (5, False),
    ]


def test_of_several_labels_all_must_be_right_and_of_numbers_the_nearest_and_furthest_count():
    scores = np.array([[0.9, 0.2], [0.8, 0.6]], np.float32)
    said = Predictions(("a", "b"), ("u", "v"), scores, np.array([[1, 0], [1, 0]], np.float32), "multi_label")
    assert _explained_rows(said) == {0: True, 1: False}
    truth = np.arange(10, dtype=np.float32)[:, None]
    off = np.array([5, 0, 1, 9, 2, 8, 3, 7, 6, 4], np.float32)[:, None]
    said = replace(said, scores=truth + off, labels=truth, task="regression", classes=("n",))
    assert _explained_rows(said) == dict.fromkeys((1, 2, 4, 6), True) | dict.fromkeys((3, 5, 7, 8), False)

"""Which pictures a report shows, and of what."""

import base64
import io

import keras
import numpy as np
from PIL import Image

from tfxfer.reporting.pictures import explained, samples, small


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def test_samples_are_training_pictures_of_the_classes_in_turn(run):
    found = samples(run.photos)
    assert [each["label"] for each in found] == [name for name in run.photos.classes for _ in range(4)]
    assert len({each["file"] for each in found}) == 12
    train = {run.photos.records[index].path for index in run.photos.split.train}
    assert {each["file"] for each in found} <= train


def test_samples_of_other_tasks_are_spread(tags, numbers):
    assert len(samples(tags)) == len(samples(numbers)) == 12
    assert any(each["label"].count(",") == 1 for each in samples(tags))


def test_all_that_is_named_is_made_small(run, facts):
    named = [
        {"file": facts["mistakes"][0]["file"]},
        {"groups": {"a": [{"file": "blue1.png"}, {"file": "gone.png"}]}},
    ]
    found = small(run.photos, named)
    assert set(found) == {facts["mistakes"][0]["file"], "blue1.png"}
    for name, uri in found.items():
        picture = decoded(uri)
        assert picture.size == (40, 40)
        original = np.asarray(Image.open(run.photos.root / name), int)
        assert np.abs(np.asarray(picture, int) - original).mean() < 20  # JPEG's
    assert small(run.photos, []) == {}


def test_explanations_show_what_is_said(run, facts):
    found = explained(run.model, run.photos, facts["explanations"])
    assert [(each["file"], each["right"]) for each in found] == [
        (each["file"], each["right"]) for each in facts["explanations"]
    ]
    for each in found:
        (one,) = each["maps"]
        assert each["right"] == (one["label"] == one["shown"] == each["shown"])
        assert decoded(one["data"]).size == decoded(each["seen"]).size == (32, 32)
    assert explained(run.model, run.photos, [{"file": "gone.png", "right": True}]) == []


def test_every_number_is_explained(of_task):
    photos, model, *_ = of_task["regression"]
    index = photos.split.test[0]
    (found,) = explained(model, photos, [{"file": photos.records[index].path, "right": True}])
    assert [each["label"] for each in found["maps"]] == ["red", "blue"]
    assert [float(each["shown"]) for each in found["maps"]] == [
        float(f"{value:.4g}") for value in photos.shown("test")[0]
    ]
    said = model.predict(_batch(photos, index), verbose=0)[0]
    np.testing.assert_allclose([each["score"] for each in found["maps"]], said, rtol=1e-4, atol=1e-3)


def _batch(photos, index):
    from tfxfer.data import read_image

    return read_image(photos.root / photos.records[index].path, height=32, width=32)[None].astype(np.float32)


def test_none_where_the_backbone_keeps_no_map(run, facts):
    pooled = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    flat = keras.Model(pooled.inputs, pooled.outputs)
    assert explained(flat, run.photos, facts["explanations"]) == []

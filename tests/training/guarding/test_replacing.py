"""A probe in a head says what the probe says; a head that is not linear takes none."""

import keras
import numpy as np
import pytest

from tfxfer.features import linear_probe, pooled_features
from tfxfer.models import build
from tfxfer.training.guarding.replacing import put_in, takes_probe


@pytest.fixture(params=["photos", "tags", "numbers"])
def data(request):
    return request.getfixturevalue(request.param)


def test_the_head_says_what_the_probe_says(data):
    model = build(data, backbone="micro", image_size=32)
    train, test = (
        pooled_features(model, data, data.split[part], progress=False) for part in ("train", "test")
    )
    probe = linear_probe(train, data.targets("train"), task=data.task)
    assert takes_probe(model)
    put_in(model, probe)
    scores = model.predict(data.batches("test", image_size=32), verbose=0)
    wanted = probe.scores(test)  # of features that were kept as float16
    scale = np.abs(wanted).max(axis=0) if data.task == "regression" else 1.0
    np.testing.assert_allclose(scores / scale, wanted / scale, atol=5e-3)


def test_a_head_with_a_layer_more_takes_none():
    body = build(classes=3, backbone="micro", image_size=32).layers
    x = keras.layers.Dense(8, activation="relu", name="head_hidden")(body[-2].input)
    x = keras.layers.Softmax(name="head_scores")(keras.layers.Dense(3, name="head_logits")(x))
    assert not takes_probe(keras.Model(body[0].output, x, name="micro"))

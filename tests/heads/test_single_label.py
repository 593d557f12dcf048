"""SingleLabel: probabilities over the classes, from a feature map."""

import keras
import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.heads import SingleLabel


def test_it_pools_and_weighs_as_by_hand():
    features = keras.Input((2, 3, 4))
    model = keras.Model(features, SingleLabel(3).apply(features))
    kernel = np.arange(12, dtype="float32").reshape(4, 3) / 10
    model.get_layer("head_logits").set_weights([kernel, np.array([0.1, 0.0, -0.1], "float32")])
    values = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype("float32")
    logits = values.mean(axis=(1, 2)) @ kernel + [0.1, 0.0, -0.1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(values, verbose=0), expected, rtol=1e-5)


def test_one_class_is_refused(says):
    with pytest.raises(SettingError, match=says("classes must be at least 2, got 1.")):
        SingleLabel(1)


def test_the_loss_of_indices_and_of_shares_is_one():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], "float32")
    by_index = keras.losses.get(SingleLabel.loss)(np.array([0, 2]), scores)
    by_share = keras.losses.get(SingleLabel.soft_loss)(np.eye(3, dtype="float32")[[0, 2]], scores)
    np.testing.assert_allclose(by_index, -np.log([0.7, 0.6]), rtol=1e-5)
    np.testing.assert_allclose(by_share, by_index, rtol=1e-5)

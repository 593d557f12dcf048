"""MultiLabel: one probability a class, whatever the others are."""

import keras
import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.heads import MultiLabel


def test_it_weighs_each_class_for_itself_as_by_hand():
    features = keras.Input((4,))
    model = keras.Model(features, MultiLabel(3).apply(features))
    kernel = np.arange(12, dtype="float32").reshape(4, 3) / 10
    model.get_layer("head_logits").set_weights([kernel, np.array([0.1, 0.0, -0.1], "float32")])
    values = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = 1 / (1 + np.exp(-(values @ kernel + [0.1, 0.0, -0.1])))
    np.testing.assert_allclose(model.predict(values, verbose=0), expected, rtol=1e-5)


def test_its_loss_is_the_mean_over_classes():
    said, truth = np.array([[0.9, 0.2, 0.5]], "float32"), np.array([[1, 0, 1]], "float32")
    expected = -np.mean(np.log([0.9, 0.8, 0.5]))
    assert float(keras.losses.get(MultiLabel(3).loss)(truth, said)[0]) == pytest.approx(expected, rel=1e-5)


def test_no_class_is_refused(says):
    with pytest.raises(SettingError, match=says("classes must be at least 1, got 0.")):
        MultiLabel(0)

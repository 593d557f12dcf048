"""Regression: numbers in their own units, learnt as deviations."""

import keras
import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.heads import Regression

HEAD = Regression(means=(40.0, 1.5), deviations=(20.0, 0.1))


def test_what_is_learnt_comes_back_in_its_own_units():
    features = keras.Input((4,))
    model = keras.Model(features, HEAD.apply(features))
    kernel = np.arange(8, dtype="float32").reshape(4, 2) / 10
    model.get_layer("head_logits").set_weights([kernel, np.zeros(2, "float32")])
    values = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = values @ kernel * [20, 0.1] + [40, 1.5]
    np.testing.assert_allclose(model.predict(values, verbose=0), expected, rtol=1e-5)


def test_the_first_guess_is_the_mean():
    features = keras.Input((4,))
    model = keras.Model(features, HEAD.apply(features))
    values = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(values, verbose=0), [[40, 1.5]] * 5, rtol=1e-6)


def test_no_number_outweighs_another_by_its_unit():
    truth = np.array([[40, 1.5]], "float32")
    one, other = np.array([[60, 1.5]], "float32"), np.array([[40, 1.6]], "float32")
    # One deviation off in one of two numbers.
    assert float(HEAD.loss(truth, one)[0]) == pytest.approx(0.5)
    assert float(HEAD.loss(truth, other)[0]) == pytest.approx(0.5, rel=1e-4)


def test_it_learns_a_line_of_large_numbers():
    keras.utils.set_random_seed(0)
    values = np.random.default_rng(0).normal(size=(256, 3)).astype("float32")
    truth = values @ np.array([[3000.0], [-1000.0], [500.0]], "float32") + 70_000
    head = Regression((float(truth.mean()),), (float(truth.std()),), dropout=0)
    features = keras.Input((3,))
    model = keras.Model(features, head.apply(features))
    model.compile(keras.optimizers.Adam(0.05), loss=head.loss, metrics=list(head.metrics))
    history = model.fit(values, truth, epochs=30, verbose=0).history
    assert history["mean_absolute_error"][-1] < 50


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"means": (1.0, 2.0)},
            "regression needs one mean and one deviation a number, got 2 and 1.",
        ),
        (
            {"means": (), "deviations": ()},
            "regression needs one mean and one deviation a number, got 0 and 0.",
        ),
        ({"deviations": (0.0,)}, "deviations must be above 0, got 0."),
    ],
    ids=["uneven", "none", "deviation"],
)
def test_bad_settings_say_what_is_allowed(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        Regression(**settings)

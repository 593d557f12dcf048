"""Temperature: against cases worked out by hand; a model that is too sure is so no more."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import Predictions
from tfxfer.data import from_folder
from tfxfer.errors import SettingError
from tfxfer.evaluation import calibrate, evaluate, predict_part
from tfxfer.evaluation.temperature import Calibration, Quality, fit_temperature
from tfxfer.models import build
from tfxfer.training import Phase, fit


@pytest.mark.parametrize("right", [55, 75, 90, 99])
def test_two_classes_by_hand(right):
    """Said with odds of 9 to 1, and right with others: the temperature is what brings one to the other."""
    logits = np.log(np.array([[9.0, 1.0]] * 100))
    labels = np.array([0] * right + [1] * (100 - right))
    temperature, reason = fit_temperature(logits, labels)
    assert temperature == pytest.approx(np.log(9) / np.log(right / (100 - right)), rel=1e-6)
    assert reason == ""


def test_several_labels_by_hand():
    """Logits of 2 and -2, right on 8 of 10: the sigmoid of 2 / temperature is 0.8."""
    logits = np.full((5, 2), 2.0)
    logits[:, 1] = -2
    labels = np.array([[1, 0]] * 4 + [[0, 1]])
    temperature, _ = fit_temperature(logits, labels, task="multi_label")
    assert temperature == pytest.approx(2 / np.log(4), rel=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 20), st.sampled_from(["single_label", "multi_label"]))
def test_no_other_temperature_is_better(seed, scale, task):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(40, 3))
    if task == "single_label":
        labels = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    else:
        labels = (generator.random(logits.shape) < scipy.special.expit(logits)).astype(int)
    temperature, reason = fit_temperature(logits * scale, labels, task=task)
    if reason:
        assert temperature == 1
        return
    truth = np.eye(3)[labels] if task == "single_label" else labels

    def loss(other):
        if task == "single_label":
            return -(scipy.special.log_softmax(logits * scale / other, axis=1) * truth).sum(axis=1).mean()
        signed = np.where(truth, logits, -logits) * scale / other
        return -scipy.special.log_expit(signed).mean()

    assert loss(temperature) <= min(loss(temperature * factor) for factor in (0.5, 0.98, 1.02, 2)) + 1e-12


def test_where_none_is_the_best_it_is_left():
    logits = np.array([[2.0, 1.0], [1.0, 3.0]])
    right = "every validation label is right, so that no probability would be too sure."
    assert fit_temperature(logits, np.array([0, 1])) == (1, right)
    assert fit_temperature(logits, np.array([1, 0])) == (
        1,
        "on validation the logits say no more than chance.",
    )
    assert fit_temperature(np.zeros((2, 2)), np.array([1, 0])) == (1, right)
    signs = np.array([[1.0, -1.0]])
    assert fit_temperature(signs, np.array([[1, 0]]), task="multi_label") == (1, right)


@pytest.fixture(scope="module")
def noisy(shared_pictures):
    """Pictures of which a quarter bear a wrong label in all parts, and a model that is too sure of them."""
    photos = from_folder(shared_pictures).folds(2)[0]
    records = tuple(
        replace(record, label=(record.label + 1) % 3) if index % 4 == 0 else record
        for index, record in enumerate(photos.records)
    )
    photos = replace(photos, records=records)
    model = build(photos, backbone="micro", image_size=32)
    fit(model, photos, plan=[Phase("head", epochs=12, rate=0.02)], progress=False)
    layer = model.get_layer("head_logits")
    layer.set_weights([weights * 8 for weights in layer.get_weights()])
    return model, photos


def test_a_model_that_is_too_sure_becomes_calibrated(noisy):
    model, photos = noisy
    before = predict_part(model, photos, part="validation")
    test = evaluate(model, photos)
    found = calibrate(model, photos)
    after = predict_part(model, photos, part="validation")
    assert found.temperature > 3
    assert found.images == len(after.files)
    assert (found.before, found.after) == (_near(Quality.of(before)), _near(Quality.of(after)))
    assert found.after.log_loss < found.before.log_loss
    calibrated = evaluate(model, photos)
    # What is said is the same, but less sure, and closer to the truth.
    assert calibrated.confusion == test.confusion
    assert calibrated.calibration.log_loss < test.calibration.log_loss
    assert found.quality_before(calibrated.predictions) == _near(Quality.of(test.predictions), 1e-3)
    expected = scipy.special.softmax(np.log(before.scores.astype(float)) / found.temperature, axis=1)
    np.testing.assert_allclose(after.scores, expected, atol=1e-4)
    # Twice makes no difference, and what it was trained by still runs.
    assert calibrate(model, photos).temperature == pytest.approx(1, abs=1e-3)
    fit(model, photos, plan=[Phase("head", epochs=1)], progress=False)


def _near(quality, tolerance=1e-5):
    return Quality(
        *(
            pytest.approx(value, abs=tolerance, rel=tolerance)
            for value in (quality.expected_calibration_error, quality.brier_score, quality.log_loss)
        )
    )


def test_several_labels_of_a_model(tags):
    model = build(tags, backbone="micro", image_size=32)
    layer = model.get_layer("head_logits")
    layer.set_weights([weights * 30 for weights in layer.get_weights()])
    before = predict_part(model, tags, part="validation")
    found = calibrate(model, tags)
    after = predict_part(model, tags, part="validation")
    logits = scipy.special.logit(np.clip(before.scores.astype(float), 1e-7, 1 - 1e-7))
    np.testing.assert_allclose(after.scores, scipy.special.expit(logits / found.temperature), atol=1e-3)
    assert found.after.log_loss <= found.before.log_loss


def test_what_has_no_probabilities_is_refused(numbers, tags, says):
    message = "regression gives no probabilities, and there is nothing to calibrate."
    model = build(numbers, backbone="micro", image_size=32)
    with pytest.raises(SettingError, match=says(message)):
        calibrate(model, numbers)
    inputs = keras.Input((32, 32, 3))
    other = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)), name="other")
    message = (
        "the model 'other' has no layer named head_logits, so there are no logits; build it with "
        "tfxfer.build."
    )
    with pytest.raises(SettingError, match=says(message)):
        calibrate(other, tags)


def test_it_prints_as_a_line():
    quality = Quality(0.25, 0.5, 1.5)
    done = Calibration(1.5, "", 30, quality, Quality(0.125, 0.5, 1.25))
    assert str(done) == (
        "temperature 1.500, which brings the log loss on the 30 validation pictures from 1.500 to 1.250; "
        "calibration error 0.250 before, 0.125 after"
    )
    left = Calibration(1.0, "on validation the logits say no more than chance.", 3, quality, quality)
    assert str(left) == "not calibrated: on validation the logits say no more than chance."
    assert left.to_dict()["before"] == {
        "expected_calibration_error": 0.25,
        "brier_score": 0.5,
        "log_loss": 1.5,
    }


def test_probabilities_of_0_and_1_have_a_quality_before():
    scores = np.array([[1, 0], [0.5, 0.5]], np.float32)
    labels = np.array([0, 1])
    done = Calibration(2.0, "", 2, Quality(0, 0, 0), Quality(0, 0, 0))
    found = done.quality_before(Predictions(("a", "b"), ("1", "2"), scores, labels))
    assert found.brier_score == pytest.approx(0.25)
    several = Predictions(("a", "b"), ("1", "2"), scores, np.array([[1, 0], [0, 1]]), "multi_label")
    assert done.quality_before(several).brier_score == pytest.approx(0.125)

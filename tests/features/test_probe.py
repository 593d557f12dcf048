"""linear_probe: separable classes are told apart, numbers are read off, and wrong use is named."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from tfxfer.errors import SettingError
from tfxfer.features import linear_probe

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.standard_normal((60, 5)).astype(np.float32)
LABELS = (FEATURES @ np.arange(5) > 0).astype(int)


def test_what_a_line_parts_is_told_apart():
    probe = linear_probe(FEATURES[:40], LABELS[:40])
    assert probe.score(FEATURES[40:], LABELS[40:]) > 0.8
    assert set(probe.predict(FEATURES)) == {0, 1}


def test_numbers_are_read_off():
    numbers = np.stack([FEATURES @ np.arange(5), FEATURES[:, 0]], axis=1)
    probe = linear_probe(FEATURES, numbers, task="regression", strength=1e-3)
    assert probe.score(FEATURES, numbers) > 0.999
    assert probe.predict(FEATURES).shape == (60, 2)


def scaled(features=FEATURES):
    """Centred, and each variance taken halfway to the mean of all."""
    variances = features.var(axis=0, dtype=np.float64)
    return (features - features.mean(axis=0, dtype=np.float64)) / np.sqrt((variances + variances.mean()) / 2)


def test_what_hardly_moves_is_not_made_much_of():
    features = FEATURES * np.float32([1, 1, 1, 1, 1e-3])
    probe = linear_probe(features, LABELS)
    weights = LogisticRegression(max_iter=1000).fit(scaled(features), LABELS).coef_[0]
    deviations = np.sqrt((features.var(axis=0) + features.var(axis=0).mean()) / 2)
    np.testing.assert_allclose(probe.kernel[:, 1], weights / deviations, rtol=1e-3, atol=1e-6)
    assert 5 * abs(probe.kernel[4, 1]) < abs(probe.kernel[3, 1])


def test_features_that_are_all_alike_are_nothing_to_go_by():
    probe = linear_probe(np.full((4, 3), 2.0, np.float32), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(probe.scores(np.full((1, 3), 2.0)), [[0.75, 0.25]], atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_its_weights_say_what_scikit_learn_s_pipeline_says(classes):
    labels = np.digitize(FEATURES[:, 0] + FEATURES[:, 1], [-0.5, 0.5]) if classes == 3 else LABELS
    weights = np.where(labels == 1, 3.0, 1.0)
    probe = linear_probe(FEATURES, labels, strength=2.0, weights=weights)
    line = LogisticRegression(C=0.5).fit(scaled(), labels, weights)
    np.testing.assert_allclose(probe.scores(FEATURES), line.predict_proba(scaled()), atol=1e-4)
    np.testing.assert_array_equal(probe.predict(FEATURES), line.predict(scaled()))
    assert probe.score(FEATURES, labels) == line.score(scaled(), labels)


def test_each_of_several_labels_has_its_own():
    targets = np.stack([LABELS, FEATURES[:, 2] > 0, np.zeros(60), np.ones(60)], axis=1).astype(np.float32)
    probe = linear_probe(FEATURES, targets, task="multi_label")
    for column in (0, 1):
        wanted = LogisticRegression().fit(scaled(), targets[:, column]).predict_proba(scaled())[:, 1]
        np.testing.assert_allclose(probe.scores(FEATURES)[:, column], wanted, atol=1e-4)
    assert probe.predict(FEATURES)[:, 2:].tolist() == [[0, 1]] * 60
    assert probe.score(FEATURES, targets) == np.all(probe.predict(FEATURES) == targets, axis=1).mean()


def test_ridge_is_scikit_learn_s():
    numbers = np.stack([FEATURES @ np.arange(5) + 7, 1000 * FEATURES[:, 0] ** 2], axis=1)
    probe = linear_probe(FEATURES, numbers, task="regression", strength=5.0)
    line = Ridge(5.0).fit(scaled(), numbers)
    np.testing.assert_allclose(probe.predict(FEATURES), line.predict(scaled()), rtol=1e-4)
    assert probe.score(FEATURES, numbers) == pytest.approx(line.score(scaled(), numbers), abs=1e-6)


def test_a_class_that_no_picture_shows_is_never_said():
    probe = linear_probe(FEATURES, 2 * LABELS, outputs=4)
    assert probe.scores(FEATURES).shape == (60, 4)
    assert 0 < probe.scores(FEATURES)[:, [1, 3]].max() <= 1 / 61
    assert set(probe.predict(FEATURES)) == {0, 2}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_numbers_are_refused(value, says):
    message = "some features are NaN or infinite; look at the weights of what made them, and at the pictures."
    with pytest.raises(SettingError, match=says(message)):
        linear_probe(np.where(FEATURES > 2, np.float32(value), FEATURES), LABELS)


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (LABELS[:9], {}, "there are 60 pictures' features and 9 targets."),
        (LABELS, {"strength": 0}, "strength must be above 0, got 0."),
        (
            np.zeros(60),
            {},
            "a linear probe tells classes apart, and there is one alone; give two or more.",
        ),
    ],
    ids=["lengths", "strength", "classes"],
)
def test_wrong_use_is_named(labels, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        linear_probe(FEATURES, labels, **settings)

"""Several labels and numbers: what a probe and neighbours say of each picture, held to scikit-learn's own."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor

from tfxfer.features.columns import mean_average_precision, neighbour_scores, probe_scores

FOLDS = KFold(5, shuffle=True, random_state=3)


@pytest.fixture(scope="module")
def drawn():
    """Features of sixty pictures, three labels of each, and two numbers."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 8)).astype(np.float32)
    said = features @ generator.normal(size=(8, 5)) + 0.3 * generator.normal(size=(60, 5))
    return features, (said[:, :3] > 0.5).astype(np.float32), (20 + 9 * said[:, 3:]).astype(np.float32)


def said_of_each_fold(features, learn):
    """What is learnt of the rest is asked of each fold; variances are taken halfway to the mean of all."""
    found = []
    for train, test in FOLDS.split(features):
        own = features[train].astype(np.float64)
        variances = own.var(axis=0)
        scales = np.sqrt((variances + variances.mean()) / 2)
        scaled, asked = ((each - own.mean(axis=0)) / scales for each in (own, features[test]))
        found.append((test, learn(scaled, train)(asked)))
    order = np.argsort(np.concatenate([test for test, _ in found]))
    return np.concatenate([said for _, said in found])[order]


def test_each_label_has_a_logistic_regression_of_its_own(drawn):
    features, labels, _ = drawn

    def learn(scaled, train):
        line = LogisticRegression(C=1 / 30, max_iter=1000)
        lines = [clone(line).fit(scaled, column[train]) for column in labels.T]
        return lambda asked: np.stack([each.predict_proba(asked)[:, 1] for each in lines], axis=1)

    found = probe_scores(features, labels, task="multi_label", seed=3)
    np.testing.assert_allclose(found, said_of_each_fold(features, learn), atol=1e-4)


def test_numbers_have_a_ridge_regression(drawn):
    features, _, numbers = drawn

    def learn(scaled, train):
        return Ridge(30).fit(scaled, numbers[train]).predict

    found = probe_scores(features, numbers, task="regression", seed=3)
    np.testing.assert_allclose(found, said_of_each_fold(features, learn), rtol=1e-5)


def test_neighbours_are_those_of_scikit_learn_with_each_left_out(drawn):
    features, labels, numbers = drawn
    unit = features / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    for columns in (labels, numbers):
        expected = cross_val_predict(KNeighborsRegressor(5), unit, columns, cv=LeaveOneOut())
        np.testing.assert_allclose(neighbour_scores(features, columns), expected, rtol=1e-5)


def test_average_precision_is_the_mean_over_labels_that_are_there():
    scores = np.array([[0.9, 0.8, 0.1], [0.8, 0.9, 0.2], [0.7, 0.1, 0.3]])
    labels = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0]])
    first = (1 / 1 + 2 / 3) / 2  # found first and third
    second = 1 / 2  # found second
    assert mean_average_precision(scores, labels) == pytest.approx((first + second) / 2)
    assert mean_average_precision(scores, np.zeros((3, 3))) == 0


def test_a_label_of_a_single_picture_is_no_error(drawn):
    features, labels, _ = drawn
    rare = labels.copy()
    rare[:, 0] = np.arange(60) == 7
    scores = probe_scores(features, rare, task="multi_label")
    assert scores[7, 0] < 0.05  # whoever learnt without it never saw one
    assert 0 < mean_average_precision(scores, rare) < 1

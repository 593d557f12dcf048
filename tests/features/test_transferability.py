"""LogME, H-score, neighbours and probe: each held to a computation of its own."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from tfxfer.features.transferability import (
    accuracy_interval,
    h_score,
    log_evidence,
    log_me,
    nearest_neighbours,
    probed,
    score_margin,
)


def draw(*, pictures=60, width=8, classes=3, apart=1.0, seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(pictures) % classes
    centres = apart * generator.normal(size=(classes, width))
    return centres[labels] + generator.normal(size=(pictures, width)), labels


def density(features, column, alpha, beta):
    """Return the evidence as what it is: the density of labels of which weights and noise are normal."""
    covariance = features @ features.T / alpha + np.eye(len(features)) / beta
    return stats.multivariate_normal(np.zeros(len(features)), covariance).logpdf(column)


@pytest.mark.parametrize("width", [8, 90], ids=["few features", "more features than pictures"])
def test_the_evidence_is_the_density_of_the_labels(width):
    features, labels = draw(width=width)
    column = (labels == 1).astype(float)
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    spectrum, shares = np.zeros(width), np.zeros(width)
    spectrum[: len(singular)], shares[: len(singular)] = singular**2, (left.T @ column) ** 2
    given = {"spectrum": spectrum, "shares": shares, "total": column @ column, "count": len(column)}
    for alpha, beta in ((1.0, 1.0), (0.3, 7.0), (20.0, 2.0)):
        assert log_evidence(alpha, beta, **given) == pytest.approx(density(features, column, alpha, beta))


def test_log_me_is_the_largest_density_that_there_is():
    features, labels = draw(apart=0.5)

    def best(column):
        found = optimize.minimize(
            lambda logs: -density(features, column, *np.exp(logs)), np.zeros(2), method="Nelder-Mead"
        )
        return -found.fun

    expected = np.mean([best((labels == label).astype(float)) for label in range(3)]) / len(labels)
    assert log_me(features, labels) == pytest.approx(expected, rel=1e-5)
    numbers = 20 + 3 * features[:, :2] + np.random.default_rng(1).normal(size=(60, 2))
    expected = np.mean([best(column) for column in numbers.T]) / len(numbers)
    assert log_me(features, numbers) == pytest.approx(expected, rel=1e-5)


def test_log_me_of_columns_is_that_of_classes_and_passes_over_what_says_nothing():
    features, labels = draw()
    columns = np.eye(3)[labels]
    assert log_me(features, columns) == pytest.approx(log_me(features, labels))
    beside = np.column_stack([columns, np.zeros(len(labels)), np.ones(len(labels))])
    assert log_me(features, beside) == pytest.approx(log_me(features, labels))
    assert np.isfinite(log_me(features, np.zeros((len(labels), 2))))


def test_h_score_is_the_trace_that_it_is_said_to_be():
    features, labels = draw()
    centred = features - features.mean(axis=0)
    count, width = centred.shape
    covariance = centred.T @ centred / count
    # Ledoit and Wolf 2004, by the letter.
    level = np.trace(covariance) / width
    distance = ((covariance - level * np.eye(width)) ** 2).sum()
    noise = sum(((np.outer(row, row) - covariance) ** 2).sum() for row in centred) / count**2
    shrinkage = min(noise, distance) / distance
    means = np.stack([centred[labels == label].mean(axis=0) for label in labels])
    between = means.T @ means / count
    shrunk = (1 - shrinkage) * covariance + shrinkage * level * np.eye(width)
    expected = np.trace(np.linalg.inv(shrunk) @ ((1 - shrinkage) * between))
    assert h_score(features, labels) == pytest.approx(expected)


def test_h_score_nears_the_canonical_correlations_where_pictures_are_many():
    features, labels = draw(pictures=30_000, width=4)
    one_hot = np.eye(3)[labels]
    bases = [np.linalg.qr(each - each.mean(axis=0))[0] for each in (features, one_hot[:, :2])]
    correlations = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    assert h_score(features, labels) == pytest.approx((correlations**2).sum(), rel=1e-3)


def test_neighbours_are_those_of_scikit_learn_with_each_left_out():
    features, labels = draw(apart=0.7)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = cross_val_score(KNeighborsClassifier(5), unit, labels, cv=LeaveOneOut())
    np.testing.assert_array_equal(nearest_neighbours(features, labels), expected == 1)


def test_the_probe_tells_what_can_be_told_and_not_what_cannot():
    assert probed(*draw(apart=5.0)).mean() > 0.95
    features, _ = draw(apart=5.0)
    labels = np.random.default_rng(1).integers(0, 3, len(features))
    assert probed(features, labels).mean() < 0.6


@pytest.mark.parametrize("score", [log_me, h_score])
def test_features_that_tell_more_score_more(score):
    scores = [score(*draw(apart=apart)) for apart in (0.0, 0.5, 1.0, 3.0)]
    assert scores == sorted(scores)


def test_features_that_are_all_alike_say_nothing_and_are_no_error():
    _, labels = draw()
    zeros = np.zeros((len(labels), 8))
    assert h_score(zeros, labels) == 0
    assert np.isfinite(log_me(zeros, labels))
    assert log_me(zeros, labels) < log_me(*draw(apart=3.0))
    assert nearest_neighbours(zeros, labels).mean() < 0.6


def test_the_interval_is_that_of_the_binomial():
    right = np.arange(400) < 300
    low, high = accuracy_interval(right)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.01)


def test_the_margin_of_a_mean_of_ten_is_that_of_students_t():
    features, labels = draw(pictures=10)

    def first(features, labels):
        del labels
        return features[:, 0].mean()

    low, high = stats.ttest_1samp(features[:, 0], 0).confidence_interval()
    assert 2 * score_margin(first, features, labels) == pytest.approx(high - low, rel=1e-3)


@pytest.mark.parametrize("score", [log_me, h_score])
def test_the_margin_is_how_far_pictures_drawn_anew_fall_apart(score):
    centres = np.random.default_rng(5).normal(size=(3, 8))
    labels = np.arange(150) % 3
    samples = [
        (0.7 * centres[labels] + np.random.default_rng(seed).normal(size=(150, 8)), labels)
        for seed in range(40)
    ]
    spread = np.std([score(*sample) for sample in samples])
    margin = np.mean([score_margin(score, *sample) for sample in samples])
    assert margin / 2.262 == pytest.approx(spread, rel=0.35)

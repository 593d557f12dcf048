"""Reliability: against figures worked out by hand, and scikit-learn's own."""

import json

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import Predictions
from tfxfer.evaluation import judge
from tfxfer.evaluation.reliability import BINS, judge_reliability, reliability_measure


def single(scores, labels):
    scores = np.array(scores, "float32")
    names = tuple("abcdef"[: scores.shape[1]])
    return Predictions(names, tuple(map(str, range(len(scores)))), scores, np.array(labels))


def several(scores, labels):
    scores, labels = np.array(scores, "float32"), np.array(labels, "float32")
    names = tuple("abcdef"[: scores.shape[1]])
    return Predictions(names, tuple(map(str, range(len(scores)))), scores, labels, "multi_label")


def test_one_label_by_hand():
    # Said with 0.9, 0.92 (one bin), 0.65 and 1; right are the first, the third and the last.
    given = single([[0.9, 0.1], [0.92, 0.08], [0.35, 0.65], [0, 1]], [0, 1, 1, 1])
    found = judge_reliability(given)
    # The bin of 0.9 and 0.92 is half right: 1/2 · |0.5 - 0.91|; the others' 1/4 · 0.35 and 1/4 · 0.
    assert found.expected_calibration_error == pytest.approx(0.41 / 2 + 0.35 / 4)
    assert found.brier_score == pytest.approx(2 * (0.1**2 + 0.92**2 + 0.35**2 + 0) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.08, 0.65, 1]).mean(), abs=1e-6)
    assert len(found.bins) == BINS == 15
    counts = {index: each.count for index, each in enumerate(found.bins) if each.count}
    assert counts == {9: 1, 13: 2, 14: 1}
    assert found.bins[13].confidence == pytest.approx(0.91)
    assert found.bins[13].accuracy == 0.5
    assert (found.bins[0].confidence, found.bins[0].accuracy) == (None, None)
    assert (found.bins[0].low, found.bins[14].high) == (0, 1)


def test_several_labels_by_hand():
    # Said with 0.9, 0.9, 0.1 and 0.7, of which the first and third labels are shown.
    given = several([[0.9, 0.9], [0.1, 0.7]], [[1, 0], [1, 0]])
    found = judge_reliability(given)
    assert found.expected_calibration_error == pytest.approx(2 / 4 * 0.4 + 1 / 4 * 0.9 + 1 / 4 * 0.7)
    assert found.brier_score == pytest.approx((0.01 + 0.81 + 0.81 + 0.49) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.1, 0.1, 0.3]).mean())
    assert sum(each.count for each in found.bins) == 4


def test_the_ends_of_the_range_are_in_bins():
    found = judge_reliability(several([[0, 1]], [[0, 1]]))
    assert (found.bins[0].count, found.bins[14].count) == (1, 1)
    assert (found.expected_calibration_error, found.brier_score) == (0, 0)
    assert found.log_loss == pytest.approx(0, abs=1e-12)


def test_a_border_belongs_below():
    """Guo et al. cut at (m - 1) / M, m / M]."""
    found = judge_reliability(several([[0.5, 0.25], [0.75, 1 / 15]], [[1, 1], [1, 1]]))
    assert [index for index, each in enumerate(found.bins) if each.count] == [1, 3, 7, 11]


def test_a_wrong_certainty_is_finite():
    found = judge_reliability(single([[1, 0]], [1]))
    assert found.log_loss == pytest.approx(-np.log(np.finfo(float).eps))


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(2, 6))
def test_it_agrees_with_scikit_learn(seed, pictures, classes):
    generator = np.random.default_rng(seed)
    scores = generator.dirichlet(np.ones(classes), pictures).astype("float32")
    labels = generator.integers(0, classes, pictures)
    found = judge_reliability(single(scores, labels))
    exact = scores.astype(float)
    exact /= exact.sum(axis=1, keepdims=True)
    loss = sklearn.metrics.log_loss(labels, exact, labels=range(classes))
    assert found.log_loss == pytest.approx(loss, rel=0, abs=1e-12)
    shows = np.eye(classes)[labels]
    assert found.brier_score == pytest.approx(
        classes * sklearn.metrics.mean_squared_error(shows, scores.astype(float)), rel=0, abs=1e-12
    )
    both = judge_reliability(several(scores, shows))
    exact = np.clip(scores.astype(float), 1e-15, 1 - 1e-15)
    loss = np.mean(
        [sklearn.metrics.log_loss(shows[:, i], exact[:, i], labels=[0, 1]) for i in range(classes)]
    )
    assert both.log_loss == pytest.approx(loss, rel=0, abs=1e-9)
    flat = sklearn.metrics.brier_score_loss(shows.ravel(), scores.astype(float).ravel())
    assert both.brier_score == pytest.approx(flat, rel=0, abs=1e-12)


def test_weights_are_repetitions():
    scores = np.random.default_rng(2).dirichlet(np.ones(3), 6).astype("float32")
    labels, times = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 3, 0, 1])
    measured = reliability_measure(single(scores, labels))(times[:, np.newaxis].astype("float32"))
    repeated = judge_reliability(single(np.repeat(scores, times, axis=0), np.repeat(labels, times)))
    for name, value in measured.items():
        assert value[0] == pytest.approx(getattr(repeated, name)), name


def test_it_goes_into_json():
    figures = json.loads(json.dumps(judge(single([[0.9, 0.1]], [0])).to_dict()))["calibration"]
    assert set(figures) == {"expected_calibration_error", "brier_score", "log_loss", "bins"}
    assert set(figures["bins"][0]) == {"low", "high", "count", "confidence", "accuracy"}

"""Curves: scikit-learn's points, from the highest threshold to the lowest, thinned where they are many."""

import json

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.evaluation.curves import POINTS, precision_recall_curves, roc_curves


def drawn(seed, images, *, levels):
    """Pictures of which each class is shown by some, with scores that say something of it."""
    generator = np.random.default_rng(seed)
    shows = generator.random((images, 2)) < 0.4
    shows[0], shows[1] = True, False
    scores = np.round(levels / (1 + np.exp(-generator.normal(shows)))) / levels
    return shows, scores.astype("float32")


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from([3, 1000]))
def test_short_curves_are_scikit_learn_s(seed, images, levels):
    shows, scores = drawn(seed, images, levels=levels)
    for label, curve in enumerate(roc_curves("ab", shows, scores)):
        wrong, right, thresholds = sklearn.metrics.roc_curve(shows[:, label], scores[:, label])
        assert curve.false_positive_rate == tuple(wrong)
        assert curve.true_positive_rate == tuple(right)
        assert curve.thresholds == (None, *thresholds[1:])
    for label, curve in enumerate(precision_recall_curves("ab", shows, scores)):
        precision, recall, thresholds = sklearn.metrics.precision_recall_curve(
            shows[:, label], scores[:, label], drop_intermediate=True
        )
        assert curve.precision == tuple(precision)[::-1]
        assert curve.recall == tuple(recall)[::-1]
        assert curve.thresholds == (None, *thresholds[::-1])


def test_points_are_those_worked_out_by_hand():
    """By probability: an ant, a bee, an ant, a bee."""
    shows = np.array([[True], [False], [True], [False]])
    scores = np.float32([[0.875], [0.75], [0.5], [0.25]])
    (found,) = precision_recall_curves(["ant"], shows, scores)
    assert found.name == "ant"
    assert found.recall == (0, 0.5, 0.5, 1, 1)
    assert found.precision == (1, 1, 1 / 2, 2 / 3, 1 / 2)
    assert found.thresholds == (None, 0.875, 0.75, 0.5, 0.25)


def test_long_curves_are_thinned_evenly_and_keep_their_areas():
    shows, scores = drawn(0, 20_000, levels=10**9)
    for label, curve in enumerate(roc_curves("ab", shows, scores)):
        assert POINTS // 2 < len(curve.thresholds) <= POINTS
        assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
        assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)
        at_least = scores[:, label] >= np.float32(curve.thresholds[30])
        assert curve.true_positive_rate[30] == at_least[shows[:, label]].mean()
        steps = np.diff(curve.false_positive_rate) + np.diff(curve.true_positive_rate)
        assert steps.max() < 2 * 2 / (POINTS - 1)
        area = sklearn.metrics.roc_auc_score(shows[:, label], scores[:, label])
        thinned = sklearn.metrics.auc(curve.false_positive_rate, curve.true_positive_rate)
        assert thinned == pytest.approx(area, abs=1e-3)
    for label, curve in enumerate(precision_recall_curves("ab", shows, scores)):
        assert len(curve.thresholds) <= POINTS
        assert (curve.recall[0], curve.precision[0], curve.thresholds[0]) == (0, 1, None)
        assert (curve.recall[-1], curve.precision[-1]) == (1, shows[:, label].mean())
        area = sklearn.metrics.average_precision_score(shows[:, label], scores[:, label])
        assert sklearn.metrics.auc(curve.recall, curve.precision) == pytest.approx(area, abs=0.01)


def test_what_is_undefined_has_no_curve():
    shows, scores = np.array([[True, False, True], [True, False, False]]), np.full((2, 3), 0.5, "float32")
    assert [curve.name for curve in roc_curves("abc", shows, scores)] == ["c"]
    assert [curve.name for curve in precision_recall_curves("abc", shows, scores)] == ["a", "c"]


def test_it_goes_into_json():
    shows, scores = np.array([[True], [False]]), np.float32([[0.75], [0.25]])
    (roc,), (other,) = roc_curves(["ant"], shows, scores), precision_recall_curves(["ant"], shows, scores)
    assert json.loads(json.dumps(roc.to_dict(), allow_nan=False)) == {
        "name": "ant",
        "false_positive_rate": [0, 0, 1],
        "true_positive_rate": [0, 1, 1],
        "thresholds": [None, 0.75, 0.25],
    }
    assert json.loads(json.dumps(other.to_dict(), allow_nan=False)) == {
        "name": "ant",
        "recall": [0, 1, 1],
        "precision": [1, 1, 0.5],
        "thresholds": [None, 0.75, 0.25],
    }

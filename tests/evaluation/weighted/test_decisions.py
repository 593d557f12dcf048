"""decision_figures: what scikit-learn says with weights of pictures, for many weightings at once."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.evaluation.weighted.decisions import decision_figures, mean_of_shown, ratio


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(2, 5))
def test_each_weighting_is_what_scikit_learn_says(seed, pictures, classes):
    generator = np.random.default_rng(seed)
    truth, said = generator.integers(0, classes, (2, pictures))
    truth[:2], said[:2] = (0, 1), (1, 0)
    weights = generator.integers(0, 3, (pictures, 4)).astype("float32")
    weights[:2] = 1  # two classes at least
    found = decision_figures(truth, said, weights, classes=classes)
    for column, own in enumerate(weights.T):
        # Weights of 0 are pictures that are not there, which scikit-learn takes for classes that are.
        there = own > 0
        settings = {"sample_weight": own[there]}
        pair = truth[there], said[there]
        shown = np.unique(truth[there])
        _, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
            *pair, labels=shown, zero_division=0, **settings
        )
        expected = {
            "accuracy": sklearn.metrics.accuracy_score(*pair, **settings),
            "balanced_accuracy": recall.mean(),
            "macro_f1": f1.mean(),
            "weighted_f1": sklearn.metrics.f1_score(*pair, average="weighted", zero_division=0, **settings),
            "cohen_kappa": sklearn.metrics.cohen_kappa_score(*pair, **settings),
        }
        for name, value in expected.items():
            assert found[name][column] == pytest.approx(value, rel=0, abs=1e-12), name


def test_kappa_of_one_class_alone_is_undefined():
    zeros = np.zeros(3, np.int64)
    figures = decision_figures(zeros, zeros, np.ones((3, 1), np.float32), classes=2)
    assert np.isnan(figures["cohen_kappa"])
    assert (figures["accuracy"], figures["macro_f1"]) == (1, 1)


def test_nothing_to_divide_by():
    np.testing.assert_array_equal(ratio(np.array([1.0, 0.0]), np.array([2, 0])), [0.5, 0])
    assert np.isnan(mean_of_shown(np.array([[1.0]]), np.array([[0.0]])))

"""Areas under curves: what scikit-learn says with weights of pictures, for many weightings at once."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.evaluation.weighted.orderings import mean_orderings, ordering


@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.sampled_from([2, 4, 1000]))
def test_each_weighting_is_what_scikit_learn_says(seed, pictures, levels):
    generator = np.random.default_rng(seed)
    shows = generator.integers(0, 2, pictures).astype(bool)
    shows[:2] = True, False
    scores = generator.integers(0, levels, pictures).astype("float32") / levels
    weights = generator.integers(0, 3, (pictures, 4)).astype("float32")
    weights[:2] = 1
    found = ordering(shows, scores, weights)
    for column, own in enumerate(weights.T):
        area = sklearn.metrics.roc_auc_score(shows, scores, sample_weight=own)
        averaged = sklearn.metrics.average_precision_score(shows, scores, sample_weight=own)
        assert found.roc_auc[column] == pytest.approx(area, rel=0, abs=1e-12)
        assert found.average_precision[column] == pytest.approx(averaged, rel=0, abs=1e-12)


def test_what_is_undefined_is_no_number():
    scores, ones = np.float32([0.1, 0.2]), np.ones((2, 1), np.float32)
    none, both = (ordering(np.full(2, shown), scores, ones) for shown in (False, True))
    assert np.isnan(none.roc_auc)
    assert np.isnan(none.average_precision)
    assert np.isnan(both.roc_auc)
    assert both.average_precision == 1


def test_means_are_over_what_is_defined():
    """With the third picture's weight of 0, nothing shows the second class."""
    truth = np.array([[True, False], [False, False], [True, True]])
    scores = np.float32([[0.9, 0.1], [0.5, 0.2], [0.1, 0.0]])
    weights = np.float32([[1, 1], [1, 1], [1, 0]])
    found = mean_orderings(truth, scores, weights)
    # Cats: one of two pairs is ordered rightly, then the one there is. Dogs: none of two.
    np.testing.assert_allclose(found["roc_auc"], [(1 / 2 + 0) / 2, 1])
    np.testing.assert_allclose(found["mean_average_precision"], [((1 + 2 / 3) / 2 + 1 / 3) / 2, 1])

"""intervals_of: where figures fall with pictures drawn anew."""

import numpy as np
import pytest
import scipy.stats

from tfxfer.evaluation import intervals
from tfxfer.evaluation.intervals import Interval, explained, intervals_of, printed


def share_of(right):
    return lambda weights: {"share": right.astype("float32") @ weights / weights.sum(axis=0)}


def test_they_are_the_binomial_s_quantiles():
    """Of a share, drawing anew is a binomial."""
    right = np.arange(400) < 300
    (found,) = intervals_of(share_of(right), 400).values()
    expected = scipy.stats.binom(400, 0.75).ppf([0.025, 0.975]) / 400
    np.testing.assert_allclose(found, expected, atol=0.0076)


def test_they_are_those_of_scipy_s_bootstrap():
    values = np.random.default_rng(3).gamma(2, size=200)
    (found,) = intervals_of(lambda weights: {"mean": values @ weights / weights.sum(axis=0)}, 200).values()
    expected = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=1000, rng=np.random.default_rng(5)
    ).confidence_interval
    np.testing.assert_allclose(found, expected, atol=0.03)


def test_each_drawing_has_as_many_pictures():
    seen = []

    def measure(weights):
        seen.append(weights)
        return {"pictures": weights.sum(axis=0)}

    assert intervals_of(measure, 7) == {"pictures": Interval(7, 7)}
    drawn = np.concatenate(seen, axis=1)
    assert drawn.shape == (7, 1000)
    assert len(np.unique(drawn, axis=1).T) > 100


@pytest.mark.parametrize("at_once", [1, 2000, 3500])
def test_portions_are_one_drawing(at_once, monkeypatch):
    """However many are drawn at once, 1,000 are."""
    monkeypatch.setattr(intervals, "_AT_ONCE", at_once)
    sizes = []

    def measure(weights):
        sizes.append(weights.shape)
        return {"first": weights[0]}

    intervals_of(measure, 10)
    assert {rows for rows, _ in sizes} == {10}
    assert sum(columns for _, columns in sizes) == 1000
    assert max(columns for _, columns in sizes) == max(1, at_once // 10)


def test_the_seed_decides():
    measure = share_of(np.arange(100) < 37)
    assert intervals_of(measure, 100) == intervals_of(measure, 100)
    found = {tuple(intervals_of(measure, 100, seed=seed)["share"]) for seed in range(8)}
    assert len(found) > 1


def test_what_is_undefined_does_not_count():
    found = intervals_of(
        lambda weights: {
            "never": np.full(weights.shape[1], np.nan),
            "at times": np.where(weights[0] > 0, 1.0, np.nan),
        },
        3,
    )
    assert found == {"at times": Interval(1, 1)}


def test_one_picture_has_none():
    assert intervals_of(share_of(np.array([True])), 1) == {}


def test_how_they_are_printed():
    assert printed({}, "share", ".0%") == ""
    assert explained({}) == []
    assert (
        explained({"share": Interval(0, 1)})[1] == "[ ]: the 95 % interval, by the bootstrap over pictures."
    )

"""judge_regression: against figures worked out by hand, and scikit-learn's own."""

import json

import numpy as np
import pytest
import sklearn.dummy
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import Predictions
from tfxfer.evaluation import RegressionReport, judge


def report_on(truth, said, names=("age", "height")) -> RegressionReport:
    files = tuple(f"{index}.png" for index in range(len(truth)))
    truth, said = (np.array(numbers, "float32") for numbers in (truth, said))
    return judge(Predictions(names, files, said, truth, "regression"))


# Ages are off by 0, 2, 1 and 5 from a mean of 25; heights are always 2, and said so once.
REPORT = report_on([[10, 2], [20, 2], [30, 2], [40, 2]], [[10, 2], [22, 2.5], [29, 1], [45, 2.5]])


def test_figures_are_those_worked_out_by_hand():
    age, height = REPORT.per_number
    assert age.mean_absolute_error == 2
    assert age.root_mean_squared_error == pytest.approx(np.sqrt(30 / 4))
    assert age.median_absolute_error == 1.5
    assert age.r2 == pytest.approx(1 - 30 / 500)
    assert age.baseline_mean_absolute_error == 10
    assert age.baseline_root_mean_squared_error == pytest.approx(np.sqrt(500 / 4))
    assert age.images == 4
    assert height.mean_absolute_error == 0.5
    assert (height.r2, height.baseline_mean_absolute_error) == (0, 0)
    assert REPORT.r2 == pytest.approx((1 - 30 / 500) / 2)


def test_it_prints_as_a_table():
    assert str(REPORT) == (
        "R2 0.470 [0.234, 0.497] on 4 pictures\n"
        "\n"
        "number  mean error    (of mean)        RMSE    (of mean)  median error      R2  pictures\n"
        "age              2           10       2.739        11.18           1.5   0.940         4\n"
        "height         0.5            0      0.6124            0           0.5   0.000         4\n"
        "\n"
        "(of mean): what always saying the mean of these pictures would have.\n"
        "\n"
        "[ ]: the 95 % interval, by the bootstrap over pictures."
    )


def test_it_goes_into_json_and_back():
    figures = json.loads(json.dumps(REPORT.to_dict(), allow_nan=False))
    assert set(figures) == {"r2", "per_number", "intervals", "subgroups", "tta"}
    assert set(figures["intervals"]) == {"r2"}
    first = figures["per_number"][0]
    intervals = first.pop("intervals")
    assert set(intervals) == {"mean_absolute_error", "root_mean_squared_error", "r2"}
    for name, interval in intervals.items():
        assert interval["low"] < first[name] < interval["high"], name
    assert first == pytest.approx(
        {
            "name": "age",
            "mean_absolute_error": 2.0,
            "root_mean_squared_error": np.sqrt(7.5),
            "median_absolute_error": 1.5,
            "r2": 0.94,
            "baseline_mean_absolute_error": 10.0,
            "baseline_root_mean_squared_error": np.sqrt(125),
            "images": 4,
        }
    )


@pytest.mark.parametrize("images", [1, 7])
def test_numbers_that_do_not_vary(images):
    """One picture alone has no R2 in scikit-learn."""
    truth = np.full((images, 1), 0.1)
    assert report_on(truth, truth, ["share"]).r2 == 1
    assert report_on(truth, truth + 0.01, ["share"]).r2 == 0


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(1, 3))
def test_it_agrees_with_scikit_learn(seed, images, numbers):
    generator = np.random.default_rng(seed)
    truth = generator.normal(100, 30, (images, numbers)).astype("float32").astype(float)
    said = (truth + generator.normal(0, 10, truth.shape)).astype("float32").astype(float)
    report = report_on(truth, said, list("abc"[:numbers]))
    assert report.r2 == pytest.approx(sklearn.metrics.r2_score(truth, said), rel=1e-12, abs=1e-12)
    mean = sklearn.dummy.DummyRegressor(strategy="mean").fit(truth, truth).predict(truth).reshape(truth.shape)
    for attribute, other, measure in (
        ("mean_absolute_error", said, sklearn.metrics.mean_absolute_error),
        ("root_mean_squared_error", said, sklearn.metrics.root_mean_squared_error),
        ("median_absolute_error", said, sklearn.metrics.median_absolute_error),
        ("r2", said, sklearn.metrics.r2_score),
        ("baseline_mean_absolute_error", mean, sklearn.metrics.mean_absolute_error),
        ("baseline_root_mean_squared_error", mean, sklearn.metrics.root_mean_squared_error),
    ):
        found = [getattr(score, attribute) for score in report.per_number]
        expected = measure(truth, other, multioutput="raw_values").tolist()
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12), attribute

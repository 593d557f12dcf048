"""Yardstick: each task's own measure of what a file may differ by."""

import numpy as np
import pytest
import scipy.stats

from tfxfer.exports.parity import EXACT, PARITY_BOUND, Bounds, Yardstick


def single(expected, truth=None):
    expected = np.array(expected, np.float32)
    truth = expected.argmax(axis=1) if truth is None else np.array(truth)
    return Yardstick("single_label", expected, np.ones(expected.shape[1]), truth, names_of(expected))


def several(expected):
    expected = np.array(expected, np.float32)
    truth = (expected >= 0.5).astype(np.float32)
    return Yardstick("multi_label", expected, np.ones(expected.shape[1]), truth, names_of(expected))


def measured(expected, scale):
    expected = np.array(expected, np.float32)
    return Yardstick("regression", expected, np.array(scale, float), expected.copy(), names_of(expected))


def names_of(expected):
    return tuple("abcdefgh"[: expected.shape[1]])


def test_rounding_that_decides_a_tie_is_no_disagreement():
    yardstick = single([[0.50001, 0.49999], [0.9, 0.1]])
    assert yardstick.compare(yardstick.expected[:, ::-1]).disagreements == 1


def test_one_other_label_among_several_is_a_disagreement():
    yardstick = several([[0.9, 0.1, 0.6], [0.9, 0.1, 0.6], [0.2, 0.2, 0.2]])
    said = yardstick.expected.copy()
    said[0] = [0.1, 0.9, 0.4]  # all three flip, and it is one picture
    said[2] = [0.4, 0.3, 0.1]  # far off, but none flips
    assert yardstick.compare(said).disagreements == 1
    assert yardstick.compare(said).largest_difference == pytest.approx(0.8)


def test_rounding_at_the_threshold_is_no_disagreement():
    yardstick = several([[0.5, 0.4995], [0.502, 0.1]])
    assert yardstick.compare(np.array([[0.4999, 0.5], [0.1, 0.1]], np.float32)).disagreements == 1


def test_numbers_are_held_against_how_much_they_vary():
    yardstick = measured([[1000.0, 0.5], [1200.0, 0.7]], [100.0, 0.01])
    near = yardstick.expected + np.array([[0.05, 0], [0, 5e-6]], np.float32)
    assert yardstick.compare(near).disagreements == 0
    assert yardstick.compare(near).largest_difference == pytest.approx(5e-4, rel=0.1)
    far = yardstick.expected + np.array([[0, 5e-5], [0, 0]], np.float32)
    assert yardstick.compare(far).disagreements == 1
    assert yardstick.compare(far).largest_difference == pytest.approx(5e-3, rel=0.01)


def test_nan_is_a_number_that_differs():
    yardstick = measured([[1.0]], [1.0])
    said = np.array([[np.nan]], np.float32)
    assert yardstick.compare(said).disagreements == 1
    assert np.isnan(yardstick.compare(said).largest_difference)


def test_numbers_are_measured_by_their_deviation_in_training(numbers):
    expected = np.array([[1100.0, 0.5]], np.float32)
    yardstick = Yardstick.of(numbers, expected, expected)
    np.testing.assert_allclose(yardstick.scale, np.std(numbers.targets("train"), axis=0), rtol=1e-5)


def test_probabilities_are_measured_as_they_are(tags):
    yardstick = Yardstick.of(tags, np.full((1, 4), 0.5, np.float32), np.ones((1, 4), np.float32))
    assert yardstick.scale.tolist() == [1, 1, 1, 1]


def test_a_large_number_need_be_no_finer_than_float32(numbers):
    """At 40 million, float32 goes by steps of 4: one step is no disagreement, ten are."""
    expected = np.array([[4e7, 0.5]], np.float32)
    yardstick = Yardstick.of(numbers, expected, expected)
    step = np.array([[np.spacing(np.float32(4e7)), 0]], np.float32)
    assert yardstick.compare(expected + step).disagreements == 0
    assert yardstick.compare(expected + 10 * step).disagreements == 1
    assert yardstick.compare(expected + step).largest_difference < PARITY_BOUND


SCORES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], np.float32)


def test_what_is_lost_is_counted_in_pictures_and_by_class():
    yardstick = single(SCORES, truth=[0, 0, 1, 0])
    found = yardstick.compare(np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.6, 0.4]], np.float32))
    # The second is wrong now, the fourth right, the third was and is.
    assert (found.images, found.agreement, found.merit, found.merit_change) == (4, 0.5, 0.75, 0)
    assert found.class_changes == {"a": 0, "b": 0}
    assert found.mean_difference == pytest.approx((0.2 * 2 + 0.4 * 2) / 8)
    assert found.interval[0] <= 0 <= found.interval[1]


def test_how_far_probabilities_are_from_the_truth_is_told_beside_the_model():
    """The model: (|1 - 0.9| + |0 - 0.6| + |1 - 0.7| + |0 - 0.8|) / 4 = 0.45, each in a bin of its own."""
    yardstick = single(SCORES, truth=[0, 1, 1, 0])
    assert yardstick.compare(SCORES).calibration_error_change == 0
    surer = yardstick.compare(np.array([[1, 0], [0.1, 0.9], [0.3, 0.7], [0.2, 0.8]], np.float32))
    # Now (|1 - 1| + |1 - 0.9| + |1 - 0.7| + |0 - 0.8|) / 4 = 0.3.
    assert surer.calibration_error_change == pytest.approx(0.3 - 0.45)
    tags = several([[0.9, 0.2]]).compare(np.array([[0.7, 0.2]], np.float32))
    assert tags.calibration_error_change == pytest.approx(((0.3 + 0.2) - (0.1 + 0.2)) / 2)


def test_what_is_no_probability_has_no_calibration_error():
    assert measured([[1.0]], [1.0]).compare(np.ones((1, 1), np.float32)).calibration_error_change is None
    assert single(SCORES).compare(SCORES * np.nan).calibration_error_change is None


def test_each_class_has_an_interval_of_its_own():
    """Of ten pictures of a one is lost, of ten of b none."""
    yardstick = single(np.repeat(SCORES[[0, 3]], 10, axis=0))
    said = yardstick.expected.copy()
    said[0] = said[0, ::-1]
    found = yardstick.compare(said)
    assert found.class_changes == {"a": pytest.approx(-0.1), "b": 0}
    assert found.class_intervals["a"] == (pytest.approx(-scipy.stats.binom.ppf(0.975, 10, 0.1) / 10), 0)
    assert found.class_intervals["b"] == (0, 0)


def test_the_interval_is_that_of_a_paired_bootstrap():
    """Of ten pictures one is lost: drawn anew, how many there are is binomial."""
    expected = np.tile(np.array([[0.9, 0.1]], np.float32), (10, 1))
    yardstick = single(expected, truth=[0] * 10)
    said = expected.copy()
    said[0] = [0.1, 0.9]
    low, high = yardstick.compare(said).interval
    assert low == pytest.approx(-scipy.stats.binom.ppf(0.975, 10, 0.1) / 10)
    assert high == 0


def test_a_loss_within_bounds_is_no_complaint():
    yardstick = single(np.tile(SCORES, (100, 1)), truth=np.tile([0, 0, 1, 1], 100))
    said = yardstick.expected.copy()
    said[:8, :] = said[:8, ::-1]
    found = yardstick.compare(said)
    assert found.merit_change == pytest.approx(-0.02)
    assert yardstick.complaint(found, Bounds(agreement=0.98, loss=0.02)) == ""
    assert yardstick.complaint(found, Bounds(agreement=0.98, loss=0.01)) == (
        "loses 2.0 points of accuracy (95 % 0.8 to 3.2, bound 1) on 400 pictures, most on a (2.0)"
    )
    assert yardstick.complaint(found, Bounds(agreement=0.99, loss=0.02)) == (
        "says the same as the model of 98.0% of 400 pictures (bound 99.0%), losing most on a (2.0)"
    )
    # Wrong as before, but otherwise: nothing is lost.
    wrong = single(np.tile(SCORES, (100, 1)), truth=[1, 1, 0, 0] * 100)
    assert wrong.complaint(wrong.compare(said), Bounds(agreement=0.99, loss=0.02)) == (
        "says the same as the model of 98.0% of 400 pictures (bound 99.0%)"
    )


def test_one_picture_of_few_may_differ():
    yardstick = single(SCORES, truth=[0, 0, 1, 1])
    said = yardstick.expected.copy()
    said[0] = said[0, ::-1]
    assert yardstick.complaint(yardstick.compare(said), Bounds(agreement=0.99, loss=0.01)) == ""
    said[1] = said[1, ::-1]
    assert "loses 50.0 points" in yardstick.complaint(yardstick.compare(said), Bounds(0.99, 0.01))


def test_what_must_not_differ_may_not_by_more_than_rounding():
    yardstick = single(SCORES)
    assert yardstick.complaint(yardstick.compare(yardstick.expected + 5e-4), EXACT) == ""
    assert yardstick.complaint(yardstick.compare(yardstick.expected + 2e-3), EXACT) == (
        "disagrees with the model on 0 of 4 pictures (largest difference 0.002, bound 0.001)"
    )


def test_numbers_lose_in_standard_deviations():
    yardstick = measured([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]], [1.0, 2.0])
    found = yardstick.compare(yardstick.expected + np.array([[0.5, 0]], np.float32))
    assert found.merit_change == pytest.approx(-0.25)
    assert found.class_changes == {"a": pytest.approx(-0.5), "b": 0}
    assert found.agreement == 0
    assert yardstick.complaint(found, Bounds(agreement=0, loss=0.01)) == ""  # one of three pictures
    assert yardstick.complaint(yardstick.compare(yardstick.expected + 1), Bounds(agreement=0, loss=0.01)) == (
        "is further off by 0.750 standard deviations (95 % 0.750 to 0.750, bound 0.01), most in a (1.000)"
    )

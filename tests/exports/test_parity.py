"""Yardstick: each task's own measure of what a file may differ by."""

import numpy as np
import pytest

from tfxfer.exports.parity import PARITY_BOUND, Yardstick


def single(expected):
    return Yardstick("single_label", np.array(expected, np.float32), np.ones(len(expected[0])))


def several(expected):
    return Yardstick("multi_label", np.array(expected, np.float32), np.ones(len(expected[0])))


def measured(expected, scale):
    return Yardstick("regression", np.array(expected, np.float32), np.array(scale, float))


def test_rounding_that_decides_a_tie_is_no_disagreement():
    yardstick = single([[0.50001, 0.49999], [0.9, 0.1]])
    assert yardstick.disagreements(yardstick.expected[:, ::-1]) == 1


def test_one_other_label_among_several_is_a_disagreement():
    yardstick = several([[0.9, 0.1, 0.6], [0.9, 0.1, 0.6], [0.2, 0.2, 0.2]])
    said = yardstick.expected.copy()
    said[0] = [0.1, 0.9, 0.4]  # all three flip, and it is one picture
    said[2] = [0.4, 0.3, 0.1]  # far off, but none flips
    assert yardstick.disagreements(said) == 1
    assert yardstick.largest_difference(said) == pytest.approx(0.8)


def test_rounding_at_the_threshold_is_no_disagreement():
    yardstick = several([[0.5, 0.4995], [0.502, 0.1]])
    assert yardstick.disagreements(np.array([[0.4999, 0.5], [0.1, 0.1]], np.float32)) == 1


def test_numbers_are_held_against_how_much_they_vary():
    yardstick = measured([[1000.0, 0.5], [1200.0, 0.7]], [100.0, 0.01])
    near = yardstick.expected + np.array([[0.05, 0], [0, 5e-6]], np.float32)
    assert yardstick.disagreements(near) == 0
    assert yardstick.largest_difference(near) == pytest.approx(5e-4, rel=0.1)
    far = yardstick.expected + np.array([[0, 5e-5], [0, 0]], np.float32)
    assert yardstick.disagreements(far) == 1
    assert yardstick.largest_difference(far) == pytest.approx(5e-3, rel=0.01)


def test_nan_is_a_number_that_differs():
    yardstick = measured([[1.0]], [1.0])
    said = np.array([[np.nan]], np.float32)
    assert yardstick.disagreements(said) == 1
    assert np.isnan(yardstick.largest_difference(said))


def test_numbers_are_measured_by_their_deviation_in_training(numbers):
    expected = np.array([[1100.0, 0.5]], np.float32)
    yardstick = Yardstick.of(numbers, expected)
    np.testing.assert_allclose(yardstick.scale, np.std(numbers.targets("train"), axis=0), rtol=1e-5)
    assert yardstick.unit == " standard deviations"


def test_probabilities_are_measured_as_they_are(tags):
    yardstick = Yardstick.of(tags, np.full((1, 4), 0.5, np.float32))
    assert yardstick.scale.tolist() == [1, 1, 1, 1]
    assert yardstick.unit == ""


def test_a_large_number_need_be_no_finer_than_float32(numbers):
    """At 40 million, float32 goes by steps of 4: one step is no disagreement, ten are."""
    expected = np.array([[4e7, 0.5]], np.float32)
    yardstick = Yardstick.of(numbers, expected)
    step = np.array([[np.spacing(np.float32(4e7)), 0]], np.float32)
    assert yardstick.disagreements(expected + step) == 0
    assert yardstick.disagreements(expected + 10 * step) == 1
    assert yardstick.largest_difference(expected + step) < PARITY_BOUND

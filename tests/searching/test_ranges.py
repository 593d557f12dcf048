"""Ranges are data: whole, with ends, a grid, and a text of their own."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.errors import SettingError
from tfxfer.searching import Choice, FloatRange, IntRange

POSITIVE = st.floats(1e-6, 1e6)


@given(POSITIVE, POSITIVE, st.booleans(), st.integers(2, 9))
def test_a_grid_rises_from_end_to_end_in_even_steps(one, other, log, points):
    low, high = sorted((one, other))
    if high - low < 1e-3 * high:
        return
    varied = FloatRange(low, high, log, points)
    grid = varied.grid
    assert (grid[0], grid[-1], len(grid)) == (*varied.ends, points)
    steps = [b / a if log else b - a for a, b in itertools.pairwise(grid)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-5)


@given(st.integers(-9, 9), st.integers(1, 9), st.integers(1, 5))
def test_a_grid_of_whole_numbers_is_all_of_them(low, steps, step):
    varied = IntRange(low, low + steps * step, step)
    assert varied.grid == tuple(low + index * step for index in range(steps + 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FloatRange(2, 1), "a range must rise from one number to another, got 2..1."),
        (lambda: FloatRange(0, float("inf")), "a range must rise from one number to another, got 0..inf."),
        (
            lambda: FloatRange(0.0, 1.0, log=True),
            "a range in orders of magnitude must begin above 0, got 0.0.",
        ),
        (lambda: FloatRange(0, 1, points=1), "a grid takes at least 2 points of a range, got 1."),
        (lambda: IntRange(3, 3), "a range must rise from one number to another, got 3..3."),
        (lambda: IntRange(1, 4, step=2), "steps of 2 do not lead from 1 to 4."),
        (lambda: IntRange(1, 4, step=0), "steps of 0 do not lead from 1 to 4."),
        (lambda: Choice("a", ["b"]), "a choice is of text, numbers or None, got ['b']."),
        (
            lambda: Choice("a", "a"),
            "a choice is of two values or more, no two alike, got a,a; what does not vary is fixed.",
        ),
    ],
)
def test_what_is_no_range_is_refused(make, message, says):
    with pytest.raises(SettingError, match=says(message)):
        make()

"""Mistakes: those worked out by hand, in both orders."""

import json

import numpy as np
import pytest

from tfxfer.contracts import Predictions
from tfxfer.errors import SettingError
from tfxfer.evaluation import confident_errors, largest_errors, worst_mistakes
from tfxfer.evaluation.mistakes import Mistake, NumberMistake

SINGLE = Predictions(
    ("ant", "bee", "wasp"),
    ("a", "b", "c", "d"),
    np.float32([[0.5, 0.3125, 0.1875], [0.75, 0.125, 0.125], [0.25, 0.5, 0.25], [0.5625, 0.0625, 0.375]]),
    np.array([1, 2, 1, 1]),
)
SEVERAL = Predictions(
    ("cat", "dog"),
    ("a", "b", "c"),
    np.float32([[0.75, 0.25], [0.25, 0.125], [0.5, 0.875]]),
    np.float32([[1, 0], [1, 1], [0, 1]]),
    "multi_label",
)


def test_the_surest_come_first():
    assert confident_errors(SINGLE) == (
        Mistake("b", ("wasp",), ("ant",), 0.75, pytest.approx(-np.log(0.125))),
        Mistake("d", ("bee",), ("ant",), 0.5625, pytest.approx(-np.log(0.0625))),
        Mistake("a", ("bee",), ("ant",), 0.5, pytest.approx(-np.log(0.3125))),
    )


def test_the_worst_come_first():
    assert [mistake.file for mistake in worst_mistakes(SINGLE)] == ["d", "b", "a"]
    assert [mistake.file for mistake in worst_mistakes(SINGLE, most=1)] == ["d"]


def test_several_labels():
    """Of b both labels are left out, the dog with 87.5 %; c has a cat too many, at the threshold."""
    missing, added = confident_errors(SEVERAL)
    loss = pytest.approx(-np.log([0.25, 0.125]).mean())
    assert missing == Mistake("b", ("cat", "dog"), (), 0.875, loss)
    assert (added.file, added.shown, added.said, added.confidence) == ("c", ("dog",), ("cat", "dog"), 0.5)
    assert str(missing) == "b  none (87.5%), labelled cat, dog"
    assert json.loads(json.dumps(missing.to_dict()))["shown"] == ["cat", "dog"]
    assert worst_mistakes(SEVERAL)[0] == missing


def test_numbers_count_alike_whatever_their_unit():
    """The spread of the first is 10, of the second 0.5; the third is the same on all, and counts as it is."""
    truth = np.float32([[0, 1, 7], [20, 0, 7]])
    said = Predictions(
        ("a", "b", "c"), ("x", "y"), truth + np.float32([[5, 0, 0], [0, -0.5, 1]]), truth, "regression"
    )
    first, second = largest_errors(said)
    assert first == NumberMistake("y", (20, 0, 7), (20, -0.5, 8), pytest.approx((0 + 1 + 1) / 3))
    assert second == NumberMistake("x", (0, 1, 7), (5, 1, 7), pytest.approx(0.5 / 3))
    assert largest_errors(said, most=1) == (first,)
    assert str(first) == "y  20, -0.5, 8, labelled 20, 0, 7"
    assert json.loads(json.dumps(first.to_dict()))["said"] == [20, -0.5, 8]


def test_what_is_asked_for_wrongly_is_refused(says):
    with pytest.raises(SettingError, match=says("most must be at least 1, got 0.")):
        worst_mistakes(SINGLE, most=0)
    numbers = Predictions(("age",), ("a",), np.float32([[1]]), np.float32([[2]]), "regression")
    message = "numbers are not wrong or right; mistakes are of labels."
    with pytest.raises(SettingError, match=says(message)):
        confident_errors(numbers)
    message = "labels are right or wrong, not far off; errors are of numbers."
    with pytest.raises(SettingError, match=says(message)):
        largest_errors(SEVERAL)

"""as_array: what is learnt, laid out for Keras."""

import numpy as np
import pytest

from tfxfer.data import as_array


@pytest.mark.parametrize(
    ("task", "shown", "expected"),
    [
        ("single_label", [(2,), (0,)], np.array([2, 0], np.int64)),
        ("multi_label", [(0, 2), (), (1,)], np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.float32)),
        ("regression", [(1.5, 2.0, 3.0)], np.array([[1.5, 2, 3]], np.float32)),
        ("multi_label", [], np.zeros((0, 3), np.float32)),
        ("regression", [], np.zeros((0, 3), np.float32)),
    ],
)
def test_each_task_has_its_form(task, shown, expected):
    array = as_array(shown, task=task, classes=3)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)

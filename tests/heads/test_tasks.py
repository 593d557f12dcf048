"""head_for: each task has its head."""

import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.heads import MultiLabel, Regression, SingleLabel, head_for


def test_each_task_has_its_head():
    assert head_for("single_label", 3) == SingleLabel(3)
    assert head_for("multi_label", 3, dropout=0.5) == MultiLabel(3, dropout=0.5)
    assert head_for("regression", 2) == Regression((0.0, 0.0), (1.0, 1.0))


def test_numbers_say_where_regression_starts():
    numbers = np.array([[1, 10], [3, 10], [5, 10]], np.float32)
    head = head_for("regression", 2, numbers=numbers)
    assert head.means == (3.0, 10.0)
    assert head.deviations == pytest.approx((np.sqrt(8 / 3), 1.0))


def test_an_unknown_task_names_the_nearest(says):
    message = (
        "no task 'multilabel'; did you mean 'multi_label'? There are single_label, multi_label, regression."
    )
    with pytest.raises(SettingError, match=says(message)):
        head_for("multilabel", 3)

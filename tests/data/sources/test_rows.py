"""Rows of labels: what they may be is taken, what is ambiguous is refused."""

import numpy as np
import pytest

from tfxfer.data.sources.rows import check_task, column_names, label_rows, shown_in
from tfxfer.errors import DataError, SettingError


@pytest.mark.parametrize(
    "values",
    [np.eye(2, dtype=bool), np.eye(2, dtype=np.float32), [[1, 0], [0, 1]], ((1, 0), (0, 1))],
    ids=["bool", "float", "lists", "tuples"],
)
def test_columns_come_as_numbers_of_any_kind(values):
    assert label_rows("images", values, 2, task="multi_label") == [(1.0, 0.0), (0.0, 1.0)]


def test_a_task_is_one_of_three(says):
    message = (
        "no task 'multilabel'; did you mean 'multi_label'? There are single_label, multi_label, regression."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_task("multilabel")


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (
            [["cat"]],
            "multi_label",
            "labels must be one a picture, 2 since images has 2, got 1.",
        ),
        (
            ["cat", "dog"],
            "multi_label",
            "labels for multi_label are rows of 0 and 1, or lists of names, got str in a list.",
        ),
        (
            np.array(["tall", "small"]),
            "regression",
            "labels for regression are numbers, or rows of them, got ndarray.",
        ),
        (
            [0, 1],
            "multi_label",
            "labels for multi_label must be of shape (2, classes) since images has 2, got (2,).",
        ),
        (
            [1, 2, 3],
            "regression",
            "labels for regression must be of shape (2, numbers) since images has 2, got (3, 1).",
        ),
    ],
    ids=["too few", "text", "no numbers", "flat", "too many"],
)
def test_other_labels_are_refused(values, task, message, says):
    with pytest.raises(DataError, match=says(message)):
        label_rows("images", values, 2, task=task)


def test_columns_are_counted_where_nobody_names_them():
    assert column_names("it", [(1.0, 0.0)], None, task="multi_label") == ("0", "1")
    assert column_names("it", [(1.0, 0.0)], None, task="regression") == ("number 0", "number 1")
    assert column_names("it", [(1.0, 0.0)], ["b", "a"], task="regression") == ("b", "a")


@pytest.mark.parametrize(
    ("rows", "classes", "kind", "message"),
    [
        (
            [(1.0, 0.0)],
            ["cat"],
            DataError,
            "it has labels in 2 columns, and classes names 1 (cat); name one class a column.",
        ),
        (
            [(1.0, 0.0), (1.0,)],
            None,
            DataError,
            "it has 1 or 2 labels a picture; for multi_label, each picture has as many, one a column.",
        ),
        (
            [("cow",)],
            ["cat", "dog"],
            DataError,
            "it has label 'cow', and labels must be among the classes cat, dog; give all classes, or none to "
            "take the labels as they are.",
        ),
        (
            [(1.0, 0.0)],
            ["cat", "cat"],
            SettingError,
            "it: classes must each have a name of their own, got cat, cat.",
        ),
    ],
    ids=["few names", "ragged", "stranger", "twice"],
)
def test_names_that_do_not_fit_are_refused(rows, classes, kind, message, says):
    with pytest.raises(kind, match=says(message)):
        column_names("it", rows, classes, task="multi_label")


@pytest.mark.parametrize(
    ("value", "task", "message"),
    [
        (
            0.5,
            "multi_label",
            "it: 3 has 0.5 for class 'cat'; each class is 1 where a picture shows it, and 0 where not.",
        ),
        (float("nan"), "regression", "it: 3 has nan for 'cat', where regression needs a number."),
    ],
)
def test_a_value_that_says_nothing_is_refused(value, task, message, says):
    with pytest.raises(DataError, match=says(message)):
        shown_in("it: 3", (value,), ["cat"], task=task)

"""What rows say becomes one class, several, or numbers, and what splits are balanced by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.data.sources.labelling import Labelling, choose_labelling, labels_of, truth_of
from tfxfer.data.sources.tables import Row
from tfxfer.errors import DataError, SettingError


def read(labelling, **cells):
    return truth_of(labelling, "t.csv, row 2", Row("row 2", cells))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"label": "kind"}, Labelling("single_label", ("kind",))),
        ({"label": ["kind"]}, Labelling("single_label", ("kind",))),
        ({"label": "tags", "task": "multi_label"}, Labelling("multi_label", ("tags",), ";")),
        ({"label": "tags", "separator": "|"}, Labelling("multi_label", ("tags",), "|")),
        ({"label": ["sun", "sea"]}, Labelling("multi_label", ("sun", "sea"))),
        ({"label": "age", "task": "regression"}, Labelling("regression", ("age",))),
        ({"label": ["age", "size"], "task": "regression"}, Labelling("regression", ("age", "size"))),
    ],
)
def test_the_task_follows_from_what_is_asked_for(settings, expected):
    assert choose_labelling(**settings) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"label": "a", "task": "regresion"},
            "no task 'regresion'; did you mean 'regression'? There are single_label, multi_label, "
            "regression.",
        ),
        ({"label": []}, "label must name at least one column, and none twice, got none."),
        ({"label": ["a", "b", "a"]}, "label must name at least one column, and none twice, got a, b, a."),
        (
            {"label": ["a", "b"], "task": "single_label"},
            "single_label takes one column of labels, got a, b; multi_label takes a column a class, "
            "regression a column a number.",
        ),
        (
            {"label": "a", "task": "regression", "separator": ","},
            "separator is for several labels in one column (multi_label), got ',' for regression with a.",
        ),
        (
            {"label": ["a", "b"], "separator": ";"},
            "separator is for several labels in one column (multi_label), got ';' for multi_label with a, b.",
        ),
    ],
    ids=["task", "none", "twice", "several", "regression", "columns"],
)
def test_what_does_not_go_together_is_refused(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        choose_labelling(**settings)


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("sun;sea", ("sea", "sun")),
        (" sun ; ; sun", ("sun",)),
        ("", ()),
        (None, ()),
        (["sun", "sea"], ("sea", "sun")),
    ],
)
def test_several_labels_in_a_cell(cell, labels):
    assert read(choose_labelling("tags", task="multi_label"), tags=cell) == labels


def test_a_list_of_more_than_text_is_named(says):
    message = "t.csv, row 2 has a list in column 'tags' that holds more than text; write names."
    with pytest.raises(DataError, match=says(message)):
        read(choose_labelling("tags", task="multi_label"), tags=["sun", 3])


@pytest.mark.parametrize(
    ("sun", "sea", "labels"),
    [("1", "0", ("sun",)), ("yes", "TRUE", ("sun", "sea")), (False, "", ()), (0.0, 1, ("sea",))],
)
def test_a_column_a_class(sun, sea, labels):
    assert read(choose_labelling(["sun", "sea"]), sun=sun, sea=sea) == labels


def test_a_tick_that_is_none_is_named(says):
    message = "t.csv, row 2 has 'maybe' in column 'sea'; where each class has a column, it holds 1 or 0."
    with pytest.raises(DataError, match=says(message)):
        read(choose_labelling(["sun", "sea"]), sun="1", sea="maybe")


@pytest.mark.parametrize(("cell", "number"), [("2.5", 2.5), (" -3 ", -3.0), (4, 4.0), ("1e3", 1000.0)])
def test_numbers(cell, number):
    assert read(choose_labelling("age", task="regression"), age=cell) == (number,)


@pytest.mark.parametrize("cell", ["old", "inf", "2,5"])
def test_what_is_no_number_is_named(cell, says):
    message = f"t.csv, row 2 has {cell!r} in column 'age', where regression needs a number."
    with pytest.raises(DataError, match=says(message)):
        read(choose_labelling("age", task="regression"), age=cell)


def test_one_class_a_picture():
    labels = labels_of(choose_labelling("kind"), ["dog", "ant", "dog"])
    assert (labels.classes, labels.labels, labels.targets) == (("ant", "dog"), (1, 0, 1), (None, None, None))


def test_pictures_of_several_labels_are_balanced_by_what_enough_have_in_common():
    truths = [
        *[("sea", "sun")] * 8,
        *[("sun",)] * 9,
        *[("night", "sea")] * 5,
        *[("night",)] * 4,
        (),
        ("fog", "sea"),
    ]
    labels = labels_of(choose_labelling("tags", task="multi_label"), truths)
    assert labels.classes == ("fog", "night", "sea", "sun")
    assert labels.targets[:1] + labels.targets[-7:] == ((2, 3), (1, 2), (1,), (1,), (1,), (1,), (), (0, 2))
    # Of fewer than eight alike the rarest label counts: night 9 pictures, sea 14; fog has but one.
    expected = ["sea and sun"] * 8 + ["sun"] * 9 + ["night"] * 9 + ["other labels"] * 2
    assert [labels.strata[label] for label in labels.labels] == expected


def test_classes_of_columns_keep_their_order():
    assert labels_of(choose_labelling(["sun", "sea"]), [("sun",), ("sea",)]).classes == ("sun", "sea")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_numbers_are_balanced_by_portions_of_their_size(numbers):
    labels = labels_of(choose_labelling("age", task="regression"), [(number,) for number in numbers])
    assert labels.targets == tuple((number,) for number in numbers)
    counts = [labels.labels.count(label) for label in range(len(labels.strata))]
    assert max(counts) - min(counts) <= 1
    assert len(counts) == max(1, min(10, len(numbers) // 20))
    by_size = sorted(zip(numbers, labels.labels, strict=True))
    greatest = [max(n for n, label in by_size if label == each) for each in range(len(counts))]
    least = [min(n for n, label in by_size if label == each) for each in range(len(counts))]
    assert all(low >= high for low, high in zip(least[1:], greatest[:-1], strict=True))
    assert labels.strata[0].startswith("age ")

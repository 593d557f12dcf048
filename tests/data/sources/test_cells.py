"""Cells become text, or are named."""

import pytest

from tfxfer.data.sources.cells import filled_cell, printable, text_of
from tfxfer.data.sources.tables import Row
from tfxfer.errors import DataError

WHERE = "t.csv, row 3"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" a b ", "a b"),
        (2.0, "2"),
        (2.5, "2.5"),
        (7, "7"),
        (True, "True"),
        (None, ""),
        (float("nan"), ""),
        ("", ""),
    ],
)
def test_what_stands_there_is_text(cell, text):
    assert text_of(WHERE, Row("row 3", {"a": cell}), "a") == text


def test_a_cell_that_is_not_there_is_empty():
    assert text_of(WHERE, Row("row 3", {}), "a") == ""


def test_what_is_neither_text_nor_a_number_is_named(says):
    message = "t.csv, row 3 has list in column 'a'; write text or one number there."
    with pytest.raises(DataError, match=says(message)):
        text_of(WHERE, Row("row 3", {"a": ["x"]}), "a")


def test_an_empty_cell_is_named(says):
    message = "t.csv, row 3 has nothing in column 'a'; fill it in, or remove the row."
    with pytest.raises(DataError, match=says(message)):
        filled_cell(WHERE, Row("row 3", {"a": " "}), "a")


def test_a_name_that_cannot_be_written_is_named(says):
    assert printable(WHERE, "label", "café") == "café"
    message = "t.csv, row 3 has a label that cannot be written down ('a\\tb'); give it another name."
    with pytest.raises(DataError, match=says(message)):
        printable(WHERE, "label", "a\tb")

"""read_table: CSV, TSV, JSONL and DataFrames as the same rows; what is no table is told by row."""

import pytest

from tfxfer.data.sources.tables import read_table
from tfxfer.errors import DataError, SettingError

CELLS = [{"path": "a, b.png", "label": "cat"}, {"path": 'the "best".png', "label": "dög"}]


def write(folder, name, text, encoding="utf-8"):
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["Unix", "Windows"])
@pytest.mark.parametrize(
    ("name", "lines", "where"),
    [
        ("t.csv", ["path, label", '"a, b.png",cat ', "", '"the ""best"".png",dög'], ["row 2", "row 4"]),
        ("T.TSV", ["path\tlabel", "a, b.png\tcat", "", '"the ""best"".png"\tdög'], ["row 2", "row 4"]),
        (
            "t.jsonl",
            ['{"path": "a, b.png", "label": "cat"}', "", r'{"path": "the \"best\".png", "label": "dög"}'],
            ["line 1", "line 3"],
        ),
    ],
    ids=["csv", "tsv", "jsonl"],
)
def test_files_of_all_kinds_give_the_same_cells(tmp_path, name, lines, where, end, mark):
    table = read_table(write(tmp_path, name, mark + end.join([*lines, ""])))
    assert table.columns == ("path", "label")
    assert [row.cells for row in table.rows] == CELLS
    assert [row.where for row in table.rows] == where
    assert table.folder == tmp_path


def test_a_cell_with_a_line_break_is_one_row_of_a_spreadsheet(tmp_path):
    table = read_table(write(tmp_path, "t.csv", 'path,note\na.png,"two\nlines"\nb.png,\n'))
    assert [row.where for row in table.rows] == ["row 2", "row 3"]
    assert table.rows[0].cells["note"] == "two\nlines"


def test_json_lines_may_hold_what_other_texts_break_at(tmp_path):
    table = read_table(write(tmp_path, "t.ndjson", '{"path": "a\u2028b", "more": 1}\n{"label": null}\n'))
    assert [row.cells for row in table.rows] == [{"path": "a\u2028b", "more": 1}, {"label": None}]
    assert table.columns == ("path", "more", "label")


def test_a_dataframe_gives_its_rows_and_what_is_missing():
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    frame = pandas.DataFrame({"path": ["a", None], "age": [3.0, float("nan")], 7: [1, 2]}, index=["x", "x"])
    table = read_table(frame)
    assert table.columns == ("path", "age", "7")
    assert [row.cells for row in table.rows] == [
        {"path": "a", "age": 3.0, "7": 1},
        {"path": None, "age": None, "7": 2},
    ]
    assert [row.where for row in table.rows] == ["iloc[0]", "iloc[1]"]


def refused(table, message, says, error=DataError):
    with pytest.raises(error, match=says(message)):
        read_table(table)


def test_a_dataframe_with_a_column_twice(says):
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    frame = pandas.DataFrame([["a", "b"]], columns=["path", "path"])
    refused(frame, "the DataFrame has two columns 'path'; rename or drop one.", says)


def test_an_empty_dataframe(says):
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    message = "the DataFrame lists no pictures; give it one row a picture, with its path and its label."
    refused(pandas.DataFrame({"path": [], "label": []}), message, says)


def test_what_is_neither_file_nor_dataframe(says):
    message = (
        "a table must be a file or a pandas DataFrame, got list; pandas.DataFrame(…) makes one of most "
        "things."
    )
    refused([{"path": "a.png"}], message, says, SettingError)


def test_a_missing_file(tmp_path, says):
    file = tmp_path / "t.csv"
    message = f"{file} does not exist; give a table that lists pictures, one a row, with paths and labels."
    refused(file, message, says)


def test_a_folder(tmp_path, says):
    message = f"{tmp_path} is a folder; give the table in it, or read it with from_folder."
    refused(tmp_path, message, says)


def test_a_file_of_another_kind(tmp_path, says):
    message = (
        f"{tmp_path / 't.xlsx'} is not a table that is read: one ends in .csv, .tsv, .jsonl, .ndjson; save "
        "it as CSV in UTF-8, or give it as a pandas DataFrame."
    )
    refused(tmp_path / "t.xlsx", message, says)


@pytest.mark.parametrize("text", ["", "\n\n", "path,label\n"], ids=["nothing", "blank", "columns alone"])
def test_an_empty_table(tmp_path, text, says):
    file = write(tmp_path, "t.csv", text)
    message = f"{file} lists no pictures; give it one row a picture, with its path and its label."
    refused(file, message, says)


def test_text_that_is_not_utf_8(tmp_path, says):
    file = write(tmp_path, "t.csv", "path,label\né.png,cat\n", encoding="latin-1")
    refused(file, f"{file} is not UTF-8 text (byte 12 is 0xe9); save it again as UTF-8.", says)


@pytest.mark.parametrize(
    ("row", "has"), [("b.png,dog,brown", "3 cells"), ("b.png", "1 cell")], ids=["long", "short"]
)
def test_a_ragged_row(tmp_path, row, has, says):
    file = write(tmp_path, "t.csv", f"path,label\na.png,cat\n{row}\n")
    message = (
        f"{file}, row 3 has {has}, and row 1 names 2 columns; mend the row, and put a cell that holds the "
        "separator in quotes."
    )
    refused(file, message, says)


@pytest.mark.parametrize(
    ("row", "reason"),
    [('b.png,"dog', "unexpected end of data"), ('b.png,"big" dog', "',' expected after '\"'")],
    ids=["never closed", "closed early"],
)
def test_a_quote_astray(tmp_path, row, reason, says):
    file = write(tmp_path, "t.csv", f"path,label\na.png,cat\n{row}")
    message = f"{file}, row 3 cannot be read ({reason}); a quote inside a quoted cell is written twice."
    refused(file, message, says)


def test_semicolons(tmp_path, says):
    file = write(tmp_path, "t.csv", "path;label\na.png;cat\n")
    message = (
        f"{file} separates its columns by semicolons (path;label); save it again with commas, or as .tsv "
        "with tabs."
    )
    refused(file, message, says)


@pytest.mark.parametrize("line", ['["b.png", "dog"]', "3"])
def test_a_json_line_that_is_no_object(tmp_path, line, says):
    file = write(tmp_path, "t.jsonl", f'{{"path": "a.png"}}\n{line}\n')
    message = (
        f"{file}, line 2 is no JSON object ({line}); write each picture as one, such as "
        '{"path": "a.jpg", "label": "cat"}.'
    )
    refused(file, message, says)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{'path': 1}", "Expecting property name enclosed in double quotes"),
        ("[" * 100_000, "too deep, or too long a number"),
        ("9" * 5000, "too deep, or too long a number"),
    ],
    ids=["Python", "deep", "long"],
)
def test_a_line_that_is_no_json(tmp_path, line, reason, says):
    file = write(tmp_path, "t.jsonl", line)
    refused(file, f"{file}, line 1 is not JSON ({reason}); each line is an object of its own.", says)


def test_a_file_that_may_not_be_read(tmp_path, says, monkeypatch):
    file = write(tmp_path, "t.csv", "path,label\n")

    def forbidden(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "read_bytes", forbidden)
    refused(file, f"{file} cannot be opened (Permission denied); see to its permissions.", says)

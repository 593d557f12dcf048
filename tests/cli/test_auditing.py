"""``tfxfer audit``: report on one stream, progress on the other, and a status that scripts can trust."""

import json
import re
import shutil

import pytest

from tests.conftest import write_pictures
from tfxfer.cli.auditing import audit
from tfxfer.cli.main import main
from tfxfer.data import from_folder, write_shards
from tfxfer.data.auditing.door import NEAR_BITS
from tfxfer.data.auditing.remembered import cache_file

pytestmark = pytest.mark.usefixtures("cache_home")

EXACT = ("--near-bits", "0")


def run(capfd, *arguments, expected=0):
    """Run the command in this process; return standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main(["audit", *map(str, arguments)])
    captured = capfd.readouterr()
    assert left.value.code == expected, captured.err
    return captured


def test_the_report_is_on_standard_output_and_progress_on_the_other(capfd, pictures):
    captured = run(capfd, pictures, *EXACT)
    assert captured.out == (
        f"36 pictures in {pictures}\n"
        "readable by class: blue 12, green 12, red 12; the largest is 1.0 times the smallest\n"
        "\n"
        "Nothing wrong was found.\n"
    )
    assert re.fullmatch(r"looked at 36 of 36 pictures in \d+\.\d s\.\n", captured.err)
    again = run(capfd, pictures, *EXACT)
    assert again.out == captured.out
    assert re.fullmatch(
        r"looked at 0 of 36 pictures in \d+\.\d s; 36 have not changed since an earlier audit\.\n", again.err
    )


def test_as_json_it_is_one_document(capfd, pictures):
    shutil.copy(pictures / "red" / "00.png", pictures / "blue" / "copy.png")
    document = json.loads(run(capfd, pictures, *EXACT, "--json").out)
    assert document["duplicates"] == [["blue/copy.png", "red/00.png"]]
    assert document["conflicting_labels"] == [
        {"files": {"blue/copy.png": "blue", "red/00.png": "red"}, "exact": True}
    ]
    assert document["class_counts"] == {"blue": 13, "green": 12, "red": 12}
    assert {"unreadable", "oversized", "near_duplicates", "leaks"} <= set(document)


def test_a_bad_file_is_status_1_and_the_report_is_whole(capfd, pictures):
    (pictures / "red" / "00.png").write_text("no picture")
    captured = run(capfd, pictures, *EXACT, expected=1)
    assert captured.out.endswith(
        "unreadable: 1\n"
        "  red/00.png is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says.\n"
    )
    assert "tfxfer:" not in captured.err


def test_a_leak_is_status_1(capfd, tmp_path):
    write_pictures(tmp_path / "train", count=3)
    shutil.copytree(tmp_path / "train", tmp_path / "test")
    document = json.loads(run(capfd, tmp_path, *EXACT, "--json", expected=1).out)
    assert len(document["leaks"]) == 9


def test_a_folder_that_cannot_be_trained_on_is_status_1(capfd, tmp_path):
    write_pictures(tmp_path, count=3, colours=("red",))
    message = (
        f"cannot be trained on: {tmp_path} holds one class only (red); a classifier needs at least two class "
        "folders side by side.\n"
    )
    assert run(capfd, tmp_path, *EXACT, expected=1).out.endswith(message)


def test_what_would_not_stop_training_is_status_0(capfd, pictures):
    shutil.copy(pictures / "red" / "00.png", pictures / "blue" / "copy.jpg")
    output = run(capfd, pictures, *EXACT).out
    assert "wrong suffix: 1\n  blue/copy.jpg is a PNG picture; call it .png.\n" in output


def test_a_contact_sheet_is_written_on_request(capfd, pictures, tmp_path):
    shutil.copy(pictures / "red" / "00.png", pictures / "blue" / "copy.png")
    file = tmp_path / "new" / "sheet.html"
    captured = run(capfd, pictures, *EXACT, "--html", file)
    assert captured.err.endswith(f"Contact sheet written to {file}.\n")
    assert file.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 4


def test_fresh_looks_again_and_remembers_nothing(capfd, pictures):
    for _ in range(2):
        assert run(capfd, pictures, "--fresh").err.startswith("looked at 36 of 36 pictures")
    assert not cache_file(pictures).exists()


def test_a_damaged_cache_is_said_and_rebuilt(capfd, pictures):
    run(capfd, pictures)
    file = cache_file(pictures)
    file.write_text("damaged")
    captured = run(capfd, pictures)
    assert captured.err.startswith(
        f"tfxfer: what earlier audits found is damaged ({file}): every picture is looked at again, and the "
        "file is written anew.\n"
    )
    assert "36 have not changed" in run(capfd, pictures).err


def test_a_missing_folder_is_a_message(capfd, tmp_path):
    captured = run(capfd, tmp_path / "nowhere", expected=1)
    assert captured.err == (
        f"tfxfer: {tmp_path / 'nowhere'} does not exist; give a folder that holds one folder a class.\n"
    )


def test_a_bound_out_of_range_is_status_2(capfd, tmp_path):
    assert "17 is not in the range 0<=x<=16" in run(capfd, tmp_path, "--near-bits", "17", expected=2).err


def test_the_bound_is_the_function_s():
    (option,) = [each for each in audit.params if each.name == "near_bits"]
    assert option.default == NEAR_BITS


def test_the_rule_of_the_status_is_in_the_help(capfd):
    words = " ".join(run(capfd, "--help").out.split())
    assert (
        "Exit status: 0 where nothing would stop training or make its figures untrue; 1 where a picture is "
        "unreadable or oversized, where parts of the split share pictures (leaks), or where FOLDER cannot be "
        "trained on as it is laid out; 2 a wrong setting."
    ) in words


def test_shards_and_tables_are_audited(capfd, pictures, tmp_path):
    shutil.copy(pictures / "red" / "00.png", pictures / "blue" / "copy.png")
    write_shards(from_folder(pictures), tmp_path / "shards")
    (tmp_path / "photos.csv").write_text(
        "\n".join(["file,label", *(f"{file},{file.parent.name}" for file in sorted(pictures.rglob("*.png")))])
    )
    capfd.readouterr()
    table = (tmp_path / "photos.csv", "--path-column", "file", "--root", pictures)
    for arguments in ((tmp_path / "shards", "--html", tmp_path / "sheet.html"), table):
        with pytest.raises(SystemExit) as left:
            main(["audit", *map(str, arguments), *EXACT, "--json"])
        document = json.loads(capfd.readouterr().out)
        assert document["duplicates"] == [["blue/copy.png", "red/00.png"]]
        assert document["class_counts"] == {"blue": 13, "green": 12, "red": 12}
        assert left.value.code == (1 if document["leaks"] else 0)
    assert (tmp_path / "sheet.html").read_text().count("data:image/jpeg") == 6


def test_what_is_for_tables_is_refused_with_a_folder(capfd, pictures):
    assert run(capfd, pictures, "--task", "regression", expected=2).err == (
        f"tfxfer: {pictures} is not a table, and task is for tables; leave it out, or give a .csv, .tsv, "
        ".jsonl, .ndjson file.\n"
    )

"""A report lies in its bundle, in the manifest's digests; and is written anew."""

import json
import shutil

import pytest

import tfxfer
from tests.reporting.conftest import QUICK
from tfxfer.errors import BundleError
from tfxfer.reporting import REPORT_FILES, write_report
from tfxfer.runtime import check_digest


def test_transfer_writes_it_and_the_manifest_knows(bundle):
    for name in REPORT_FILES:
        check_digest(bundle, name)
    assert (bundle / "report.html").stat().st_size < 1_000_000


def test_it_is_written_anew_and_says_the_same(bundle, tmp_path, facts):
    folder = shutil.copytree(bundle, tmp_path / "model")
    for name in REPORT_FILES:
        (folder / name).unlink()
    assert write_report(folder) == tuple(folder / name for name in REPORT_FILES)
    for name in (*REPORT_FILES, "model.tflite", "card.json"):
        check_digest(folder, name)
    again = json.loads((folder / "report.json").read_text())
    assert again["headline"]["value"] == facts["headline"]["value"]
    assert again["confusions"] == facts["confusions"]
    assert again["files"] == facts["files"]
    assert [each["file"] for each in again["mistakes"]] == [each["file"] for each in facts["mistakes"]]


def test_it_is_left_out_where_nobody_wants_it_and_needs_a_model_to_judge(shared_pictures, tmp_path, says):
    folder = tmp_path / "model"
    quick = {**QUICK, "head_epochs": 1, "top_epochs": 0}
    tfxfer.transfer(shared_pictures, to=folder, report=False, formats=("tflite",), **quick)
    assert not set(REPORT_FILES) & {path.name for path in folder.iterdir()}
    message = f"{folder} was exported without model.keras; export the model again, with all formats."
    with pytest.raises(BundleError, match=says(message)):
        write_report(folder)

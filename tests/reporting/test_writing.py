"""A report lies in its bundle, in the manifest's digests; and is written anew."""

import json
import shutil

import pytest

from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.exports import write_manifest
from tfxfer.reporting import REPORT_FILES, write_report, writing
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
    assert again["audit"] == facts["audit"]
    reason = "nobody looked for them; tfxfer report DIR --label-errors does"
    assert again["label_errors"] == {"reason": reason, "pictures": 0, "count": 0, "first": []}


def test_label_errors_are_looked_for_when_asked_and_stay(bundle, tmp_path, facts, says):
    """By the backbone as it was before training: what is found is what ``transfer`` found."""
    folder = shutil.copytree(bundle, tmp_path / "model")
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").unlink()
    (folder / "MODEL_CARD.md").unlink()
    write_report(folder, label_errors=True)
    found = json.loads((folder / "report.json").read_text())["label_errors"]
    assert found == report["label_errors"] == facts["label_errors"]
    card = folder / "MODEL_CARD.md"
    card.write_text(card.read_text().replace("⟨who, when⟩", "me, today"))
    message = (
        "MODEL_CARD.md was filled in, and stays as it is; take from report.md what has changed, or delete it "
        "and run tfxfer report for a new one."
    )
    for _ in range(2):
        with pytest.warns(TfxferWarning, match=says(message)):
            write_report(folder)
        assert "me, today" in card.read_text()
    assert json.loads((folder / "report.json").read_text())["label_errors"] == found


def test_a_card_of_another_version_that_nobody_touched_is_written_anew(bundle, tmp_path, monkeypatch):
    folder = shutil.copytree(bundle, tmp_path / "model")
    card = folder / "MODEL_CARD.md"
    with monkeypatch.context() as earlier:
        earlier.setattr(writing, "card_page", lambda facts: f"A card of {facts['task']}.\n")
        write_report(folder)
    assert card.read_text() == "A card of single_label.\n"
    write_report(folder)
    assert "⟨who, when⟩" in card.read_text()


def test_label_errors_need_one_class_a_picture_and_a_backbone_that_is_known(of_task, bundle, tmp_path, says):
    photos, *_, folder, _ = of_task["multi_label"]
    message = "label errors are found where pictures show one class each, not multi_label."
    with pytest.raises(SettingError, match=says(message)):
        write_report(folder, photos=photos, label_errors=True)
    copy = shutil.copytree(bundle, tmp_path / "model")
    card = json.loads((copy / "card.json").read_text())
    del card["settings"]["backbone"]
    (copy / "card.json").write_text(json.dumps(card))
    write_manifest(copy, (), before=json.loads((copy / "manifest.json").read_text()))
    message = (
        f"{copy} does not say which backbone was trained, and label errors are found by what that sees; call "
        "likely_label_errors with a model from build."
    )
    with pytest.raises(SettingError, match=says(message)):
        write_report(copy, label_errors=True)

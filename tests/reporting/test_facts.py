"""What report.json holds: the documented keys, and of each what the run made."""

from collections import Counter

import numpy as np

from tests.reporting.conftest import MARKUP

KEYS = [
    "form",
    "task",
    "classes",
    "headline",
    "model",
    "data",
    "test",
    "confusions",
    "mistakes",
    "calibration",
    "rejection",
    "training",
    "files",
    "settings",
    "versions",
    "summary",
]


def test_the_keys_are_those_documented(facts):
    assert list(facts) == KEYS
    assert facts["form"] == 1
    assert facts["task"] == "single_label"
    assert facts["classes"] == [MARKUP, "blue", "green"]


def test_figures_are_the_report_s(facts, run):
    assert facts["test"] == {**run.report.to_dict(), "confusion": facts["test"]["confusion"]}
    assert facts["test"]["confusion"] == [list(row) for row in run.report.confusion]
    low, high = run.report.intervals["accuracy"]
    assert facts["headline"] == {
        "name": "accuracy",
        "value": run.report.accuracy,
        "interval": {"low": low, "high": high},
    }


def test_pictures_are_counted_by_part_and_class(facts, run):
    photos = run.photos
    for part in ("train", "validation", "test"):
        assert facts["data"]["pictures"][part] == len(photos.split[part])
        counted = Counter(photos.classes[label] for label in photos.labels(part))
        assert {row["name"]: row[part] for row in facts["data"]["classes"]} == counted
    assert facts["data"]["grouped"]
    assert facts["data"]["left_out"] == []


def test_confusions_and_mistakes_agree_with_the_predictions(facts, run):
    said = run.report.predictions
    truth, given = np.asarray(said.labels), said.scores.argmax(axis=1)
    wrong = Counter((said.classes[a], said.classes[b]) for a, b in zip(truth, given, strict=True) if a != b)
    assert wrong
    assert {(pair["shown"], pair["said"]): pair["pictures"] for pair in facts["confusions"]} == wrong
    sizes = [pair["pictures"] for pair in facts["confusions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(facts["mistakes"]) == sum(wrong.values())
    assert all((run.photos.root / each["file"]).is_file() for each in facts["mistakes"])


def test_files_are_told_with_what_they_lose(facts, run):
    assert [each["form"] for each in facts["files"]] == ["keras", "tflite"]
    for told, artifact in zip(facts["files"], run.files, strict=True):
        assert told["bytes"] == artifact.size == artifact.path.stat().st_size
        assert told["agreement"] == artifact.comparison.agreement

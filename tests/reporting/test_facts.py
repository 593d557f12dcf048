"""What report.json holds: the documented keys, and of each what the run made."""

from collections import Counter
from dataclasses import replace

import numpy as np

from tests.reporting.conftest import MARKUP
from tfxfer.evaluation import confident_errors, worst_mistakes

KEYS = [
    "form",
    "task",
    "classes",
    "headline",
    "model",
    "data",
    "audit",
    "test",
    "confusions",
    "mistakes",
    "worst_mistakes",
    "label_errors",
    "explanations",
    "calibration",
    "rejection",
    "training",
    "settings",
    "files",
    "versions",
    "summary",
    "model_card_sha256",
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


def named(run):
    """What was said, by the names that the data set has for its pictures."""
    paths = [run.photos.records[index].path for index in run.photos.split.test]
    return replace(run.report.predictions, files=tuple(paths))


def test_confusions_and_mistakes_agree_with_the_predictions(facts, run):
    said = run.report.predictions
    truth, given = np.asarray(said.labels), said.scores.argmax(axis=1)
    wrong = Counter((said.classes[a], said.classes[b]) for a, b in zip(truth, given, strict=True) if a != b)
    assert wrong
    assert {(pair["shown"], pair["said"]): pair["pictures"] for pair in facts["confusions"]} == wrong
    sizes = [pair["pictures"] for pair in facts["confusions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(facts["mistakes"]) == sum(wrong.values()) <= 24
    assert facts["mistakes"] == [each.to_dict() for each in confident_errors(named(run), most=24)]
    assert facts["worst_mistakes"] == [each.to_dict() for each in worst_mistakes(named(run), most=24)]
    assert all((run.photos.root / each["file"]).is_file() for each in facts["mistakes"])


def test_pictures_are_chosen_that_are_explained(facts, run):
    test = {run.photos.records[index].path for index in run.photos.split.test}
    wrong = {each["file"] for each in facts["mistakes"]}
    assert {each["file"] for each in facts["explanations"]} <= test
    assert [each["right"] for each in facts["explanations"]] == [
        each["file"] not in wrong for each in facts["explanations"]
    ]


def test_files_are_told_with_what_they_lose(facts, run):
    assert [each["form"] for each in facts["files"]] == ["keras", "tflite"]
    for told, artifact in zip(facts["files"], run.files, strict=True):
        assert told["bytes"] == artifact.size == artifact.path.stat().st_size
        assert told["agreement"] == artifact.comparison.agreement

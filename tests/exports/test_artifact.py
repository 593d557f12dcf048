"""Artifact: what scripts read of it."""

import pytest

from tfxfer.exports import Artifact


def test_scripts_find_what_they_are_told_of(bundle):
    _, artifacts = bundle
    told = artifacts[2].to_dict()
    assert told == {
        "file": str(artifacts[2].path),
        "bytes": artifacts[2].path.stat().st_size,
        "images": 9,
        "agreement": 1.0,
        "accuracy": artifacts[2].comparison.merit,
        "accuracy_change": 0.0,
        "accuracy_change_interval": [0.0, 0.0],
        "class_changes": {"blue": 0.0, "green": 0.0, "red": 0.0},
        "class_change_intervals": {"blue": [0.0, 0.0], "green": [0.0, 0.0], "red": [0.0, 0.0]},
        "calibration_error_change": pytest.approx(0, abs=1e-6),
        "disagreements": 0,
        "largest_difference": artifacts[2].comparison.largest_difference,
        "mean_difference": artifacts[2].comparison.mean_difference,
        "known": None,
        "files_images": 0,
        "files_largest_difference": None,
        "made": "",
        "ranges_from": 0,
        "tried": [],
        "passed": True,
        "refused": "",
        "accepted": "",
    }


def test_one_that_was_refused_has_not_passed(bundle):
    _, (artifact, *_) = bundle
    assert artifact.passed
    assert not Artifact("keras", artifact.path, 1, artifact.comparison, refused="loses").passed
    assert not Artifact("keras", artifact.path, 1, artifact.comparison, accepted="loses").passed

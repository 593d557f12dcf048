"""decode: what is said of a picture, as a value, a line and JSON."""

import json

import numpy as np
import pytest

from tfxfer.exports import MultiLabelPrediction, Prediction, RegressionPrediction
from tfxfer.exports.decoding import decode

NAMES = ("cat", "dog", "sofa")


def said(task, *scores):
    return decode(task, NAMES, "a.jpg", np.array(scores, np.float32))


@pytest.mark.parametrize(
    ("prediction", "expected", "line"),
    [
        (
            said("single_label", 0.125, 0.625, 0.25),
            Prediction("a.jpg", "dog", 0.625, {"cat": 0.125, "dog": 0.625, "sofa": 0.25}),
            "a.jpg  dog  62.5%",
        ),
        (
            said("multi_label", 0.5, 0.25, 0.75),
            MultiLabelPrediction("a.jpg", ("cat", "sofa"), {"cat": 0.5, "dog": 0.25, "sofa": 0.75}),
            "a.jpg  cat 50.0%  sofa 75.0%",
        ),
        (
            said("multi_label", 0.25, 0.25, 0.25),
            MultiLabelPrediction("a.jpg", (), {"cat": 0.25, "dog": 0.25, "sofa": 0.25}),
            "a.jpg  no label",
        ),
        (
            said("regression", 1234567.0, -0.5, 2.25),
            RegressionPrediction("a.jpg", {"cat": 1234567.0, "dog": -0.5, "sofa": 2.25}),
            "a.jpg  cat 1.23457e+06  dog -0.5  sofa 2.25",
        ),
    ],
    ids=["single", "multi", "none", "numbers"],
)
def test_each_task_has_its_words(prediction, expected, line):
    assert prediction == expected
    assert str(prediction) == line
    plain = prediction.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["file"] == "a.jpg"

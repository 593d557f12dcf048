"""judge: each task has its report, and nothing is judged by nothing."""

import json

import numpy as np
import pytest

from tfxfer.contracts import TASKS, Figure, Predictions
from tfxfer.errors import DataError
from tfxfer.evaluation import MultiLabelReport, RegressionReport, Report, judge

CLASSES = ("ant", "bee")
SCORES = np.array([[0.75, 0.25], [0.25, 0.75]], np.float32)


def predictions(task, scores=SCORES):
    labels = np.array([0, 1]) if task == "single_label" else np.eye(2, dtype="float32")
    return Predictions(CLASSES, ("a.png", "b.png"), scores, labels, task)


@pytest.mark.parametrize(
    ("task", "kind", "headline"),
    [
        ("single_label", Report, Figure("accuracy", 1.0)),
        ("multi_label", MultiLabelReport, Figure("mean_average_precision", 1.0)),
        ("regression", RegressionReport, Figure("r2", 0.75)),
    ],
    ids=TASKS,
)
def test_each_task_has_its_report(task, kind, headline):
    given = predictions(task)
    report = judge(given)
    assert isinstance(report, kind)
    assert report.headline == headline
    assert report.predictions is given
    assert json.loads(json.dumps(report.to_dict()))[headline.name] == headline.value
    assert str(report)


@pytest.mark.parametrize("labels", [None, np.array([], np.int64)], ids=["unknown", "no pictures"])
@pytest.mark.parametrize("task", TASKS)
def test_nothing_to_judge_by(labels, task, says):
    nothing = Predictions(CLASSES, (), np.zeros((0, 2), np.float32), labels, task)
    message = "there is nothing to judge by: give pictures whose labels are known."
    with pytest.raises(DataError, match=says(message)):
        judge(nothing)


@pytest.mark.parametrize("task", TASKS)
def test_scores_that_are_no_numbers(task, says):
    message = "the scores of 1 of 2 pictures are NaN or infinite; train the model at a lower rate."
    with pytest.raises(DataError, match=says(message)):
        judge(predictions(task, np.array([[0.5, np.nan], [0.5, 0.5]], np.float32)))

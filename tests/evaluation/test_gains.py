"""Test-time augmentation: the mean over the views, and what it changes, by hand and picture by picture."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tfxfer.augment import VIEWS
from tfxfer.contracts import Predictions
from tfxfer.data import from_folder
from tfxfer.errors import SettingError
from tfxfer.evaluation import Interval, evaluate, judge
from tfxfer.models import build, view_scores_of

ALONE = np.float32([[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.25, 0.75]])
MEAN = np.float32([[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.25, 0.75]])
SAID = Predictions(("ant", "bee"), tuple("abcd"), MEAN, np.array([0, 0, 0, 0]), tta=("flip",), plain=ALONE)


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.fixture(scope="module")
def model(photos):
    return build(photos, backbone="micro", image_size=32)


def test_the_change_is_that_of_the_same_pictures():
    """One picture of four gets right: drawn anew, 0, 1, 2 or 3 of four are that one in 95 % of draws."""
    report = judge(SAID)
    gain = report.tta
    assert (gain.views, gain.count, gain.figure) == (("flip",), 2, "accuracy")
    assert (gain.value, gain.without, gain.change) == (report.accuracy, 0.5, 0.25)
    assert gain.interval == Interval(0, 0.75)
    assert str(report).splitlines()[1] == (
        "test-time augmentation by flip, 2 views a picture: accuracy 0.750 instead of 0.500, change +0.250 "
        "[+0.000, +0.750]"
    )
    assert json.loads(json.dumps(report.to_dict()))["tta"] == {
        "views": ["flip"],
        "count": 2,
        "figure": "accuracy",
        "value": 0.75,
        "without": 0.5,
        "change": 0.25,
        "interval": {"low": 0, "high": 0.75},
    }


def test_other_tasks_have_a_gain_of_their_own_figure():
    shown = np.float32([[1, 0], [0, 1], [0, 0], [1, 1]])
    several = replace(SAID, labels=shown, task="multi_label")
    ours, theirs = (judge(replace(several, scores=each, plain=None)) for each in (MEAN, ALONE))
    gain = judge(several).tta
    assert gain.figure == "mean_average_precision"
    assert gain.change == pytest.approx(ours.mean_average_precision - theirs.mean_average_precision)
    numbers = judge(replace(SAID, labels=ALONE, task="regression"))
    assert (numbers.tta.figure, numbers.tta.without, numbers.tta.value) == ("r2", 1, numbers.r2)
    assert str(numbers).splitlines()[1] == str(numbers.tta)


def test_what_is_undefined_counts_as_nothing_and_one_picture_has_no_interval():
    none = replace(SAID, labels=np.zeros((4, 2), "float32"), task="multi_label")
    assert (judge(none).tta.value, judge(none).tta.change, judge(none).tta.interval) == (0, 0, None)
    one = replace(SAID, files=("a",), scores=MEAN[:1], plain=ALONE[:1], labels=np.array([0]))
    assert str(judge(one).tta).endswith("change +0.000")
    assert judge(replace(SAID, plain=None)).tta is None


def test_groups_are_judged_by_the_mean():
    many = replace(
        SAID,
        files=tuple(map(str, range(20))),
        scores=np.repeat(MEAN[2:3], 20, axis=0),
        plain=np.repeat(ALONE[2:3], 20, axis=0),
        labels=np.zeros(20, int),
        groups=("north",) * 10 + ("south",) * 10,
    )
    assert [group.value for group in judge(many).subgroups] == [1, 1]


def test_scores_are_the_mean_over_the_views(model, photos):
    said = evaluate(model, photos, tta=("crops", "flip")).predictions
    assert said.tta == VIEWS
    scores = view_scores_of(model, photos, "test", VIEWS)
    np.testing.assert_allclose(said.scores, scores.mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(said.plain, scores[:, 0])
    assert said.labels.tolist() == photos.labels("test")


def test_a_view_that_is_none_is_refused_first(model, photos, says):
    message = "no view 'rotate' for test-time augmentation. There are flip, crops."
    with pytest.raises(SettingError, match=says(message)):
        evaluate(model, replace(photos, split=replace(photos.split, test=())), tta=("rotate",))

"""judge_single_label: against figures worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import Predictions
from tfxfer.errors import SettingError
from tfxfer.evaluation import judge

CLASSES = ("ant", "bee", "wasp")


def predictions(truth, said, classes=CLASSES):
    scores = np.eye(len(classes), dtype="float32")[said]
    files = tuple(f"{index}.png" for index in range(len(truth)))
    return Predictions(classes, files, scores, np.array(truth))


# True:      ant ant ant bee bee wasp
# Predicted: ant ant bee bee ant wasp
REPORT = judge(predictions([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 2]))


def test_figures_are_those_worked_out_by_hand():
    assert REPORT.accuracy == pytest.approx(4 / 6)
    ant, bee, wasp = REPORT.per_class
    assert (ant.precision, ant.recall, ant.f1, ant.images) == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert (bee.precision, bee.recall, bee.f1, bee.images) == pytest.approx((1 / 2, 1 / 2, 1 / 2, 2))
    assert (wasp.precision, wasp.recall, wasp.f1, wasp.images) == (1, 1, 1, 1)
    assert REPORT.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert REPORT.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert REPORT.weighted_f1 == pytest.approx((3 * 2 / 3 + 2 * 1 / 2 + 1) / 6)
    # Agreed on 4 of 6; by chance on (3 * 3 + 2 * 2 + 1 * 1) of 36.
    assert REPORT.cohen_kappa == pytest.approx((4 / 6 - 14 / 36) / (1 - 14 / 36))
    # Ants get 1, 1 and 0, others 0, 1 and 0: of 9 pairs, 4 are ordered rightly, and 4 are equal.
    assert ant.roc_auc == pytest.approx((4 + 4 / 2) / 9)
    assert REPORT.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 1))


def test_a_class_that_no_picture_shows_does_not_count_in_the_mean():
    report = judge(predictions([0, 1], [0, 1]))
    assert report.macro_f1 == 1
    assert (report.per_class[2].images, report.per_class[2].f1) == (0, 0)


def test_what_is_undefined_is_none():
    """One class is all that is shown and said: it cannot be told from another, nor agreed on by chance."""
    report = judge(predictions([0, 0], [0, 0]))
    assert (report.accuracy, report.macro_f1, report.weighted_f1, report.balanced_accuracy) == (1, 1, 1, 1)
    assert (report.cohen_kappa, report.roc_auc, report.mean_average_precision) == (None, None, 1)
    assert [(score.roc_auc, score.average_precision) for score in report.per_class] == [
        (None, 1),
        (None, 0),
        (None, 0),
    ]
    assert "cohen_kappa" not in report.intervals
    assert "roc_auc" not in report.intervals


def test_one_picture_has_no_intervals():
    report = judge(predictions([1], [2]))
    assert (report.accuracy, report.cohen_kappa, report.intervals) == (0, 0, {})
    assert (
        str(report).splitlines()[0] == "accuracy 0.0% on 1 pictures, macro F1 0.000, calibration error 1.000"
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(2, 8))
def test_it_agrees_with_scikit_learn(seed, images, classes):
    generator = np.random.default_rng(seed)
    truth = np.concatenate((np.arange(classes), generator.integers(0, classes, images)))
    # Thirds, so that many are equal.
    scores = generator.integers(0, 4, (len(truth), classes)).astype("float32") + 0.5
    scores /= scores.sum(axis=1, keepdims=True)
    files = tuple(map(str, range(len(truth))))
    top_k = 1 + seed % (classes - 1)
    report = judge(Predictions(tuple("abcdefgh"[:classes]), files, scores, truth), top_k=top_k)
    said, labels = scores.argmax(axis=1), list(range(classes))
    shows = np.eye(classes)[truth]
    exactly = {"rel": 0, "abs": 1e-12}
    metrics = sklearn.metrics
    assert report.accuracy == pytest.approx(metrics.accuracy_score(truth, said), **exactly)
    assert report.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, said), **exactly)
    for average, value in (("macro", report.macro_f1), ("weighted", report.weighted_f1)):
        expected = metrics.f1_score(truth, said, labels=labels, average=average, zero_division=0)
        assert value == pytest.approx(expected, **exactly)
    assert report.cohen_kappa == pytest.approx(metrics.cohen_kappa_score(truth, said), **exactly)
    table = metrics.precision_recall_fscore_support(truth, said, labels=labels, zero_division=0)
    found = [(score.precision, score.recall, score.f1, score.images) for score in report.per_class]
    np.testing.assert_allclose(found, np.transpose(table), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(report.confusion, metrics.confusion_matrix(truth, said, labels=labels))
    assert report.roc_auc == pytest.approx(metrics.roc_auc_score(shows, scores), **exactly)
    averaged = metrics.average_precision_score(shows, scores)
    assert report.mean_average_precision == pytest.approx(averaged, **exactly)
    if classes > 2:  # of two, scikit-learn takes one column of scores
        top = metrics.top_k_accuracy_score(truth, scores, k=top_k, labels=labels)
        assert report.top_k_accuracy == pytest.approx(top, **exactly)
    for name, interval in report.intervals.items():
        assert interval.low <= interval.high, name


def test_the_five_likeliest_count_where_there_are_more():
    letters = tuple("abcdef")
    report = judge(predictions([0, 5], [1, 5], letters))
    assert (report.top_k, report.top_k_accuracy) == (5, 0.5)  # of equal scores, the first is the last
    assert str(report).startswith("accuracy 50.0% [0.0%, 100.0%] on 2 pictures, top-5 50.0%, macro F1 ")
    assert "top_k_accuracy" in report.intervals
    report = judge(predictions([0, 5], [1, 5], letters), top_k=1)
    assert (report.top_k, report.top_k_accuracy) == (1, report.accuracy)


def test_a_top_k_that_tells_nothing_is_refused(says):
    for top_k in (0, 3):
        message = f"top_k must be in 1..2, fewer than there are classes, got {top_k}."
        with pytest.raises(SettingError, match=says(message)):
            judge(REPORT.predictions, top_k=top_k)
    several = replace(REPORT.predictions, task="multi_label")
    message = "top_k is for one label a picture, not multi_label; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        judge(several, top_k=2)


def test_curves_are_of_each_class_against_the_others():
    ant, bee, _ = REPORT.roc_curves
    assert (ant.name, bee.name) == ("ant", "bee")
    # At 1, two of three ants are found, and one of three others is taken for one.
    assert ant.false_positive_rate == (0, 1 / 3, 1)
    assert ant.true_positive_rate == (0, 2 / 3, 1)
    other, *_ = REPORT.precision_recall_curves
    assert (other.recall, other.precision) == ((0, 2 / 3, 1), (1, 2 / 3, 1 / 2))


def test_groups_have_their_accuracy():
    truth, said = [0] * 10 + [1] * 12, [0] * 5 + [1] * 5 + [1] * 12
    given = predictions(truth, said)
    groups = ("north",) * 10 + ("south",) * 10 + (None, "east")
    report = judge(replace(given, groups=groups))
    assert [(group.name, group.images, group.value) for group in report.subgroups] == [
        ("north", 10, 0.5),
        ("south", 10, 1.0),
    ]
    assert report.subgroups[1].interval == (1, 1)
    assert str(report).endswith(
        "\n"
        "group  accuracy  [95 % interval]  pictures\n"
        "north     0.500   [0.200, 0.800]        10\n"
        "south     1.000   [1.000, 1.000]        10\n"
        "1 group of fewer than 10 pictures is not told.\n"
        "\n"
        "[ ]: the 95 % interval, by the bootstrap over pictures."
    )


def test_it_prints_as_a_table():
    assert str(REPORT) == (
        "accuracy 66.7% [33.3%, 100.0%] on 6 pictures, macro F1 0.722, calibration error 0.333\n"
        "\n"
        "class  precision  recall     F1  pictures  most often taken for\n"
        "ant        0.667   0.667  0.667         3  bee (1)\n"
        "bee        0.500   0.500  0.500         2  ant (1)\n"
        "wasp       1.000   1.000  1.000         1\n"
        "\n"
        "[ ]: the 95 % interval, by the bootstrap over pictures."
    )


def test_it_goes_into_json_and_back():
    figures = json.loads(json.dumps(REPORT.to_dict()))
    assert set(figures) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "weighted_f1",
        "cohen_kappa",
        "roc_auc",
        "mean_average_precision",
        "top_k",
        "top_k_accuracy",
        "per_class",
        "confusion",
        "calibration",
        "intervals",
        "subgroups",
        "roc_curves",
        "precision_recall_curves",
        "tta",
    }
    assert set(figures["intervals"]) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "weighted_f1",
        "cohen_kappa",
        "roc_auc",
        "mean_average_precision",
        "expected_calibration_error",
        "brier_score",
        "log_loss",
    }
    assert figures["intervals"]["accuracy"] == {"low": pytest.approx(1 / 3), "high": 1.0}
    assert (figures["top_k_accuracy"], figures["subgroups"], figures["tta"]) == (None, [], None)
    assert figures["confusion"] == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert figures["per_class"][2] == {
        "name": "wasp",
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "roc_auc": 1.0,
        "average_precision": 1.0,
        "images": 1,
    }

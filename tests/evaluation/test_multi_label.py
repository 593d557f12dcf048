"""judge_multi_label: against figures worked out by hand, and scikit-learn's own."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import Predictions
from tfxfer.evaluation import MultiLabelReport, judge

CLASSES = ("cat", "dog", "sofa")


def report_on(truth, scores, classes=CLASSES) -> MultiLabelReport:
    files = tuple(f"{index}.png" for index in range(len(truth)))
    labels = np.array(truth, "float32").reshape(len(truth), len(classes))
    return judge(Predictions(classes, files, np.array(scores, "float32"), labels, "multi_label"))


# cat: shown by 0 and 1, given to 0 and 2 (0.5 is enough). dog: shown by 1 and 2, given to both.
# sofa: shown by none, given to 3.
TRUTH = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]]
SCORES = [[0.9, 0.1, 0.2], [0.4, 0.8, 0.3], [0.5, 0.6, 0.1], [0.3, 0.2, 0.7]]
REPORT = report_on(TRUTH, SCORES)


def test_figures_are_those_worked_out_by_hand():
    cat, dog, sofa = REPORT.per_class
    # By score the cats come 1st and 3rd of four: (1/1 + 2/3) / 2.
    assert asdict(cat) == pytest.approx(
        {
            "name": "cat",
            "precision": 0.5,
            "recall": 0.5,
            "f1": 0.5,
            "roc_auc": 0.75,
            "average_precision": 5 / 6,
        }
        | {"images": 2}
    )
    assert (dog.precision, dog.recall, dog.f1, dog.average_precision, dog.images) == (1, 1, 1, 1, 2)
    assert (sofa.precision, sofa.recall, sofa.f1, sofa.average_precision, sofa.images) == (0, 0, 0, 0, 0)
    # No picture shows a sofa: it is not in the means.
    assert REPORT.mean_average_precision == pytest.approx((5 / 6 + 1) / 2)
    assert REPORT.macro_f1 == pytest.approx(0.75)
    # Given 5 labels in all, of 4 that are shown, and 3 rightly.
    assert REPORT.micro_f1 == pytest.approx(2 * 3 / (5 + 4))
    assert REPORT.subset_accuracy == 0.25
    # Wrong are cat on 1 and 2, and sofa on 3.
    assert REPORT.hamming_loss == pytest.approx(3 / 12)
    assert sofa.roc_auc is None
    assert REPORT.roc_auc == pytest.approx((3 / 4 + 1) / 2)


def test_it_prints_as_a_table():
    assert str(REPORT) == (
        "mean average precision 0.917 [0.667, 1.000] on 4 pictures, macro F1 0.750, micro F1 0.667, every "
        "label right on 25.0%, calibration error 0.308\n"
        "\n"
        "class  precision  recall     F1  average precision  pictures\n"
        "cat        0.500   0.500  0.500              0.833         2\n"
        "dog        1.000   1.000  1.000              1.000         2\n"
        "sofa       0.000   0.000  0.000              0.000         0\n"
        "\n"
        "[ ]: the 95 % interval, by the bootstrap over pictures."
    )


def test_it_goes_into_json_and_back():
    figures = json.loads(json.dumps(REPORT.to_dict(), allow_nan=False))
    assert set(figures) == {
        "mean_average_precision",
        "macro_f1",
        "micro_f1",
        "subset_accuracy",
        "hamming_loss",
        "roc_auc",
        "threshold",
        "per_class",
        "calibration",
        "intervals",
        "subgroups",
        "roc_curves",
        "precision_recall_curves",
        "tta",
    }
    assert figures["threshold"] == 0.5
    assert [curve["name"] for curve in figures["roc_curves"]] == ["cat", "dog"]  # no picture shows a sofa
    _, dog = figures["precision_recall_curves"]
    assert (dog["recall"][0], dog["precision"][0], dog["thresholds"][0]) == (0, 1, None)
    assert figures["per_class"][1] == {
        "name": "dog",
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "roc_auc": 1.0,
        "average_precision": 1.0,
        "images": 2,
    }


def test_pictures_that_all_show_nothing():
    report = report_on(np.zeros((2, 3)), np.full((2, 3), 0.1))
    assert (report.mean_average_precision, report.macro_f1, report.micro_f1) == (0, 0, 0)
    assert report.subset_accuracy == 1


def test_one_class_alone():
    report = report_on([[1], [0]], [[0.9], [0.2]], ("cat",))
    assert (report.micro_f1, report.macro_f1, report.subset_accuracy) == (1, 1, 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(2, 4))
def test_it_agrees_with_scikit_learn(seed, images, classes):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, (images, classes))
    truth[0] = 1  # every class is shown, so that scikit-learn's means are over the same ones
    scores = generator.integers(0, 9, (images, classes)).astype("float32") / 8
    report = report_on(truth, scores, tuple("abcd"[:classes]))
    said = scores >= 0.5
    exactly = {"rel": 0, "abs": 1e-12}
    assert report.macro_f1 == pytest.approx(
        sklearn.metrics.f1_score(truth, said, average="macro", zero_division=0), **exactly
    )
    assert report.hamming_loss == pytest.approx(sklearn.metrics.hamming_loss(truth, said), **exactly)
    partly = [label for label in range(classes) if not truth[:, label].all()]
    if partly:
        expected = sklearn.metrics.roc_auc_score(truth[:, partly], scores[:, partly])
        assert report.roc_auc == pytest.approx(expected, **exactly)
    assert report.micro_f1 == pytest.approx(
        sklearn.metrics.f1_score(truth, said, average="micro", zero_division=0), **exactly
    )
    assert report.subset_accuracy == pytest.approx(sklearn.metrics.accuracy_score(truth, said), **exactly)
    assert report.mean_average_precision == pytest.approx(
        sklearn.metrics.average_precision_score(truth, scores, average="macro"), **exactly
    )
    table = sklearn.metrics.precision_recall_fscore_support(truth, said, zero_division=0)
    found = [(score.precision, score.recall, score.f1, score.images) for score in report.per_class]
    np.testing.assert_allclose(found, np.transpose(table), rtol=0, atol=1e-12)


def test_every_figure_has_its_interval():
    assert set(REPORT.intervals) == {
        "mean_average_precision",
        "macro_f1",
        "micro_f1",
        "subset_accuracy",
        "hamming_loss",
        "roc_auc",
        "expected_calibration_error",
        "brier_score",
        "log_loss",
    }
    for name, (low, high) in REPORT.intervals.items():
        value = getattr(REPORT if hasattr(REPORT, name) else REPORT.calibration, name)
        assert low <= value <= high, name

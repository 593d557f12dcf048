"""judge_single_label: against figures worked out by hand."""

import json

import numpy as np
import pytest

from tfxfer.contracts import Predictions
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
    assert REPORT.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 1))


def test_a_class_that_no_picture_shows_does_not_count_in_the_mean():
    report = judge(predictions([0, 1], [0, 1]))
    assert report.macro_f1 == 1
    assert (report.per_class[2].images, report.per_class[2].f1) == (0, 0)


def test_it_prints_as_a_table():
    assert str(REPORT) == (
        "accuracy 66.7% on 6 pictures, macro F1 0.722\n"
        "\n"
        "class  precision  recall     F1  pictures  most often taken for\n"
        "ant        0.667   0.667  0.667         3  bee (1)\n"
        "bee        0.500   0.500  0.500         2  ant (1)\n"
        "wasp       1.000   1.000  1.000         1"
    )


def test_it_goes_into_json_and_back():
    figures = json.loads(json.dumps(REPORT.to_dict()))
    assert set(figures) == {"accuracy", "macro_f1", "per_class", "confusion"}
    assert figures["confusion"] == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert figures["per_class"][2] == {
        "name": "wasp",
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "images": 1,
    }

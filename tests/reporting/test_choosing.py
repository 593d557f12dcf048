"""Which test pictures are explained."""

from dataclasses import replace

import numpy as np

from tfxfer.contracts import Predictions
from tfxfer.reporting.choosing import to_explain


def chosen(said):
    return {each["file"]: each["right"] for each in to_explain(said)}


def test_the_surest_are_chosen_of_different_classes_first():
    scores = np.array(
        [[0.99, 0.01], [0.98, 0.02], [0.1, 0.9], [0.8, 0.2], [0.95, 0.05], [0.3, 0.7]], np.float32
    )
    said = Predictions(("a", "b"), tuple("uvwxyz"), scores, np.array([0, 0, 1, 1, 1, 0]))
    assert list(chosen(said).items()) == [
        ("u", True),
        ("w", True),
        ("v", True),
        ("y", False),
        ("x", False),
        ("z", False),
    ]


def test_of_several_labels_all_must_be_right():
    scores = np.array([[0.9, 0.2], [0.8, 0.6]], np.float32)
    said = Predictions(("a", "b"), ("u", "v"), scores, np.array([[1, 0], [1, 0]], np.float32), "multi_label")
    assert chosen(said) == {"u": True, "v": False}


def test_of_numbers_the_nearest_and_furthest_count_fewer_where_each_has_many_maps():
    truth = np.arange(10, dtype=np.float32)[:, None]
    off = np.array([5, 0, 1, 9, 2, 8, 3, 7, 6, 4], np.float32)[:, None]
    said = Predictions(("n",), tuple("abcdefghij"), truth + off, truth, "regression")
    assert chosen(said) == dict.fromkeys("bceg", True) | dict.fromkeys("dfhi", False)
    many = replace(
        said,
        classes=tuple(map(str, range(16))),
        scores=np.repeat(truth + off, 16, axis=1),
        labels=np.repeat(truth, 16, axis=1),
    )
    assert list(chosen(many).items()) == [("b", True), ("c", True), ("d", False), ("f", False)]

"""subgroups_of: the groups that are large enough, each judged as if it were all there is."""

import numpy as np

from tfxfer.contracts import Predictions
from tfxfer.evaluation import judge, subgroups
from tfxfer.evaluation.intervals import Interval
from tfxfer.evaluation.subgroups import Subgroup, subgroup_rows, subgroups_of


def predictions(groups, *, right):
    scores = np.where(np.array(right)[:, np.newaxis], [0.9, 0.1], [0.1, 0.9]).astype("float32")
    files = tuple(map(str, range(len(groups))))
    return Predictions(("ant", "bee"), files, scores, np.zeros(len(groups), int), groups=tuple(groups))


def share(own):
    right = (own.scores.argmax(axis=1) == own.labels).astype("float32")
    return lambda weights: {"share": right @ weights / weights.sum(axis=0)}


def test_small_groups_and_no_group_are_not_told():
    groups = ["b"] * 10 + ["a"] * 11 + ["small"] * 9 + [None] * 20
    found = subgroups_of(predictions(groups, right=[True] * 10 + [False] * 40), "share", share)
    assert [(each.name, each.images, each.value, each.interval) for each in found] == [
        ("a", 11, 0, (0, 0)),
        ("b", 10, 1, (1, 1)),
    ]


def test_one_group_alone_is_no_comparison():
    assert subgroups_of(predictions(["a"] * 20, right=[True] * 20), "share", share) == ()
    assert judge(predictions(["a"] * 20, right=[True] * 20)).subgroups == ()


def test_the_largest_are_told(monkeypatch):
    monkeypatch.setattr(subgroups, "MOST", 2)
    groups = ["a"] * 10 + ["b"] * 12 + ["c"] * 11
    found = subgroups_of(predictions(groups, right=[True] * 33), "share", share)
    assert [each.name for each in found] == ["b", "c"]


def test_what_is_undefined_goes_into_json_and_into_the_table():
    undefined = Subgroup("a", 10, None, None)
    assert undefined.to_dict() == {"name": "a", "images": 10, "value": None, "interval": None}
    known = Subgroup("b", 12, 0.5, Interval(0.25, 0.75))
    assert known.to_dict()["interval"] == {"low": 0.25, "high": 0.75}
    few = predictions(["a"] * 10 + ["b"] * 12 + ["c"] * 9 + ["d", None], right=[True] * 33)
    assert subgroup_rows((undefined, known), "macro_f1", few) == [
        "",
        "group  macro f1  [95 % interval]  pictures",
        "b         0.500   [0.250, 0.750]        12",
        "a             -                -        10",
        "2 groups of fewer than 10 pictures are not told.",
    ]


def test_the_ten_worst_are_printed():
    many = tuple(Subgroup(f"{index:02}", 10, index / 20, None) for index in reversed(range(12)))
    nothing = predictions([None], right=[True])
    rows = subgroup_rows(many, "accuracy", nothing)
    assert [row.split()[0] for row in rows[2:12]] == [f"{index:02}" for index in range(10)]
    assert rows[12:] == ["and 2 groups with higher figures"]
    assert subgroup_rows((), "accuracy", nothing) == []
    few = predictions(["a", "b"], right=[True, True])
    assert subgroup_rows((), "accuracy", few) == ["", "2 groups of fewer than 10 pictures are not told."]

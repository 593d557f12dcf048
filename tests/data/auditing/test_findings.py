"""Audit: a value, a document for scripts, a short report for people."""

import dataclasses
import json
from pathlib import Path

import pytest

from tfxfer.data import Audit, Finding, Lookalikes

FULL = Audit(
    root=Path("flowers"),
    pictures=6,
    class_counts={"rose": 3, "tulip": 1},
    refused="flowers is odd.",
    unreadable=(Finding("rose/a.jpg", "is an empty file."),),
    duplicates=(("rose/b.jpg", "tulip/c.jpg"),),
    near_duplicates=(("rose/d.jpg", "rose/e.jpg"),),
    conflicting_labels=(Lookalikes({"rose/b.jpg": "rose", "tulip/c.jpg": "tulip"}, exact=True),),
    leaks=(Lookalikes({"rose/d.jpg": "train", "rose/e.jpg": "test"}, exact=False),),
)


def test_people_read_what_weighs_most_first():
    assert str(FULL) == (
        "6 pictures in flowers\n"
        "readable by class: rose 3, tulip 1; the largest is 3.0 times the smallest\n"
        "\n"
        "cannot be trained on: flowers is odd.\n"
        "\n"
        "unreadable: 1\n"
        "  rose/a.jpg is an empty file.\n"
        "\n"
        "in more than one part of the split: 1\n"
        "  look alike: rose/d.jpg (train), rose/e.jpg (test)\n"
        "\n"
        "alike, with different labels: 1\n"
        "  same file: rose/b.jpg (rose), tulip/c.jpg (tulip)\n"
        "\n"
        "exact duplicates: 1\n"
        "  rose/b.jpg, tulip/c.jpg\n"
        "\n"
        "near duplicates: 1\n"
        "  rose/d.jpg, rose/e.jpg"
    )


def test_nothing_wrong_is_said():
    audit = Audit(root=Path("flowers"), pictures=1, class_counts={"rose": 1})
    assert str(audit) == "1 picture in flowers\nreadable by class: rose 1\n\nNothing wrong was found."
    assert audit.sound


def test_a_long_list_stops_at_ten():
    blank = tuple(Finding(f"{index}.png", "has one value in all pixels.") for index in range(1012))
    text = str(Audit(root=Path("flowers"), pictures=1012, class_counts={}, blank=blank))
    assert text.startswith(
        "1,012 pictures in flowers\n\nblank: 1,012\n  0.png has one value in all pixels.\n"
    )
    assert text.endswith("\n  9.png has one value in all pixels.\n  … and 1,002 more")


def test_names_stay_on_their_line_and_are_valid_text():
    finding = Finding("a\nb\udce9\x1b[31m.png", "is an empty file.")
    text = str(Audit(root=Path("x"), pictures=1, class_counts={}, unreadable=(finding,)))
    assert text.splitlines()[-1] == r"  a\nb\udce9\x1b[31m.png is an empty file."
    text.encode()


def test_scripts_get_plain_types():
    document = json.loads(json.dumps(FULL.to_dict(), allow_nan=False))
    assert set(document) == {
        *("root", "pictures", "sound", "refused", "class_counts", "imbalance", "unreadable", "oversized"),
        *("wrong_suffix", "duplicates", "near_duplicates", "conflicting_labels", "leaks", "unread", "tiny"),
        *("blank", "odd_sizes", "odd_formats"),
    }
    assert document["unreadable"] == [{"file": "rose/a.jpg", "reason": "is an empty file."}]
    assert document["duplicates"] == [["rose/b.jpg", "tulip/c.jpg"]]
    assert document["leaks"] == [{"files": {"rose/d.jpg": "train", "rose/e.jpg": "test"}, "exact": False}]
    assert (document["imbalance"], document["sound"], document["pictures"]) == (3.0, False, 6)


@pytest.mark.parametrize("counts", [{}, {"rose": 3}, {"rose": 3, "tulip": 0}], ids=["none", "one", "empty"])
def test_no_ratio_where_there_is_none(counts):
    assert Audit(root=Path("x"), pictures=3, class_counts=counts).imbalance is None


def test_what_stops_training_is_not_sound():
    plain = Audit(root=Path("x"), pictures=1, class_counts={})
    finding = (Finding("a.png", "is bad."),)
    for change in (
        {"unreadable": finding},
        {"oversized": finding},
        {"leaks": FULL.leaks},
        {"refused": "no."},
    ):
        assert not dataclasses.replace(plain, **change).sound
    for key in ("wrong_suffix", "tiny", "blank", "odd_sizes", "odd_formats", "unread"):
        assert dataclasses.replace(plain, **{key: finding}).sound
    assert dataclasses.replace(plain, conflicting_labels=FULL.conflicting_labels).sound


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.pictures = 7

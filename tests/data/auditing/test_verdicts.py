"""judge_pictures: facts about single files, put together."""

from pathlib import Path

from tfxfer.data import Finding, Lookalikes
from tfxfer.data.auditing.inspection import Facts
from tfxfer.data.auditing.verdicts import judge_pictures
from tfxfer.data.sources.layout import Listed, Listing


def facts(content, look, *, format="JPEG", width=64, height=48, blank=False):
    return Facts("readable", "", format, width, height, content, look, blank, bytes(range(256)).hex())


def judged(*pictures, classes=("cat", "dog"), bits=3):
    """Judge (path, label, part, facts) rows."""
    listing = Listing(tuple(Listed(*row[:3]) for row in pictures), classes, ())
    found = [row[3] for row in pictures]
    return judge_pictures(Path("x"), listing, found, near_bits=bits, refused=None)


def test_groups_labels_and_parts_are_put_together():
    audit = judged(
        ("a.jpg", "cat", "train", facts("1", 0b0)),
        ("b.jpg", "cat", "train", facts("1", 0b0)),
        ("c.jpg", "dog", "test", facts("2", 0b11)),
        ("d.jpg", "dog", "test", facts("3", 2**60 - 1)),
        ("e.jpg", "cat", "test", facts("3", 2**60 - 1)),
    )
    assert audit.duplicates == (("a.jpg", "b.jpg"), ("d.jpg", "e.jpg"))
    assert audit.near_duplicates == (("a.jpg", "b.jpg", "c.jpg"),)
    assert audit.conflicting_labels == (
        Lookalikes({"a.jpg": "cat", "b.jpg": "cat", "c.jpg": "dog"}, exact=False),
        Lookalikes({"d.jpg": "dog", "e.jpg": "cat"}, exact=True),
    )
    assert audit.leaks == (Lookalikes({"a.jpg": "train", "b.jpg": "train", "c.jpg": "test"}, exact=False),)
    assert audit.class_counts == {"cat": 3, "dog": 2}


def test_copies_within_a_near_group_make_it_exact():
    audit = judged(
        ("a.jpg", "cat", None, facts("1", 0)),
        ("b.jpg", "dog", None, facts("1", 0)),
        ("c.jpg", "dog", None, facts("2", 1)),
    )
    assert [group.exact for group in audit.conflicting_labels] == [True]
    assert audit.leaks == ()


def test_blank_pictures_look_like_nothing():
    audit = judged(
        ("a.jpg", "cat", None, facts("1", 0, blank=True)), ("b.jpg", "dog", None, facts("2", 0, blank=True))
    )
    assert audit.near_duplicates == audit.conflicting_labels == ()
    assert audit.blank[0] == Finding("a.jpg", "has one value in all pixels.")


def test_what_is_not_readable_is_told_and_not_counted():
    audit = judged(
        ("a.jpg", "cat", None, Facts("unreadable", "is an empty file.")),
        ("b.jpg", "cat", None, Facts("oversized", "claims too much.")),
        ("c.jpg", "dog", None, facts("1", 0)),
    )
    assert audit.unreadable == (Finding("a.jpg", "is an empty file."),)
    assert audit.oversized == (Finding("b.jpg", "claims too much."),)
    assert audit.class_counts == {"cat": 0, "dog": 1}
    assert audit.pictures == 3


def test_suffixes_are_held_to_the_content():
    audit = judged(
        ("a.JPEG", None, None, facts("1", 0)),
        ("b.jpg", None, None, facts("2", 2**40 - 1, format="MPO")),
        ("c.jpg", None, None, facts("3", 2**50 - 2**30, format="GIF")),
    )
    assert audit.wrong_suffix == (Finding("c.jpg", "is a GIF picture; call it .gif."),)


def test_tiny_and_oddly_shaped_pictures():
    shapes = {"a": (64, 48), "b": (48, 64), "c": (40, 31), "d": (400, 60), "e": (32, 32)}
    rows = [
        (name, None, None, facts(name, 2**62 >> 7 * index, width=width, height=height))
        for index, (name, (width, height)) in enumerate(shapes.items())
    ]
    audit = judged(*[(f"{name}.jpg", *rest) for name, *rest in rows], bits=0)
    assert audit.tiny == (Finding("c.jpg", "is 40 x 31 pixels."),)
    assert audit.odd_sizes == (
        Finding("d.jpg", "is 400 x 60 pixels; the median is 1.29 times as wide as high."),
    )


def test_a_format_that_one_in_a_hundred_has():
    rows = [(f"{index:03}.jpg", None, None, facts(str(index), index)) for index in range(198)]
    strangers = [(f"{index}.gif", None, None, facts(str(index), index, format="GIF")) for index in (500, 501)]
    assert judged(*rows, *strangers, bits=0).odd_formats[0] == Finding(
        "500.gif", "is a GIF picture, one of 2 among 200 pictures."
    )
    assert len(judged(*rows, strangers[0], bits=0).odd_formats) == 1
    assert judged(*rows[:197], *strangers, bits=0).odd_formats == ()


def test_files_that_are_not_read_are_told():
    listing = Listing((), (), ("scan.TIF",))
    audit = judge_pictures(Path("x"), listing, [], near_bits=6, refused=None)
    assert audit.unread == (
        Finding("scan.TIF", "is a .tif file and is left out; convert it to JPEG, PNG, GIF, BMP or WebP."),
    )

"""Parts with names and labels become one data set; what contradicts itself is refused."""

import pytest

from tfxfer.contracts import PARTS
from tfxfer.data.pixels.contents import RandomAccess, Seen
from tfxfer.data.sources.assembly import assembled, class_names, named_parts
from tfxfer.errors import DataError, SettingError


class Nowhere(RandomAccess):
    def __str__(self):
        return "the source"

    def content(self, key):
        raise AssertionError(f"nobody asked for {key}")


def part(prefix, count=3, labels="ab", group=None):
    return [Seen(f"{prefix}{label}{i}", label, group) for label in labels for i in range(count)]


def put_together(parts, labels="ab"):
    meanings = {label: label.upper() for label in labels}
    return assembled(Nowhere(), parts, meanings=meanings, seed=0, resize="crop")


def test_records_come_part_by_part():
    photos = put_together({"train": part("x"), "validation": part("y"), "test": part("z")})
    assert photos.classes == ("A", "B")
    assert [record.path for record in photos.records] == [each.key for p in "xyz" for each in part(p)]
    assert photos.names("validation") == [each.key for each in part("y")]
    assert photos.split.given == PARTS
    with pytest.raises(SettingError, match=r"^the pictures of the source are not files, and have no paths; "):
        photos.paths("test")


def test_one_part_is_cut():
    photos = put_together({"train": part("x", 20)})
    assert photos.split.given == ()
    assert [len(photos.split[each]) for each in PARTS] == [28, 6, 6]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": part("x"), "test": []},
            "the source has nothing in test; put pictures there, or leave the part out.",
        ),
        (
            {"train": part("x"), "test": part("x")},
            "the source has xa0 twice, in train and in test; each picture belongs to one part, once.",
        ),
        (
            {"train": part("x", group="g"), "test": part("y", group="g")},
            "the source has group 'g' in train and in test: what is learnt from would judge itself. Put each "
            "group in one part.",
        ),
        (
            {"train": part("x", labels="a"), "test": part("y")},
            "the source has class 'B' in test, and none of it in train; give train some of it, or remove it.",
        ),
    ],
    ids=["empty", "twice", "group", "class"],
)
def test_contradictions_are_refused(parts, message, says):
    with pytest.raises(DataError, match=says(message)):
        put_together(parts)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ["train", "tests"],
            "it: no part 'tests'; did you mean 'test'? A part is called train, validation (or val) or test.",
        ),
        (["train", "val", "valid"], "it: 'val' and 'valid' are both the validation part; keep one."),
        (["test"], "it: no part is train, only test; call train what is to be learnt from."),
        ([], "it: no part is train, only nothing; call train what is to be learnt from."),
    ],
)
def test_parts_called_otherwise_are_refused(given, message, says):
    with pytest.raises(SettingError, match=says(message)):
        named_parts("it", dict.fromkeys(given))


def test_text_must_be_among_the_classes(says):
    message = (
        "it has label 'c', and labels must be among the classes a, b; give all classes, or none to take the "
        "labels as they are."
    )
    with pytest.raises(DataError, match=says(message)):
        class_names("it", "abc", ["a", "b"], numbers=False)
    message = "it: classes must each have a name of their own, got a, a."
    with pytest.raises(SettingError, match=says(message)):
        class_names("it", "a", ["a", "a"], numbers=False)

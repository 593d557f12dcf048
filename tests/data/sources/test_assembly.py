"""Parts with names and labels become one data set; what contradicts itself is refused."""

import pytest

from tfxfer.contracts import PARTS
from tfxfer.data.pixels.contents import RandomAccess, Seen
from tfxfer.data.sources.assembly import assembled, assembled_rows, class_names, named_parts
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


def rows(*shown):
    return [Seen(f"{number:03}", "", shown=each) for number, each in enumerate(shown)]


def put_rows_together(parts, task="multi_label", names=("a", "b"), seed=0):
    return assembled_rows(Nowhere(), parts, names=names, task=task, seed=seed, resize="crop")


def test_rows_are_balanced_and_kept():
    photos = put_rows_together({"train": rows(*[("a",), ("a", "b"), (), ("b",)] * 10)})
    assert photos.classes == ("a", "b")
    assert {record.target for record in photos.records} == {(0,), (0, 1), (), (1,)}
    assert [len(photos.split[part]) for part in PARTS] == [28, 8, 4]
    numbers = put_rows_together({"train": rows(*[(i / 2,) for i in range(40)])}, "regression", ("size",))
    assert [record.target for record in numbers.records] == [(i / 2,) for i in range(40)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": rows(*[("a",)] * 9)},
            "the source has no picture that shows class 'b'; leave it out, or add some.",
        ),
        (
            {"train": rows(*[("a",)] * 9, ("b",))},
            "the source has 1 picture of class 'b', too few for a split into train, validation, test; add "
            "some until there are 3, or leave the class out.",
        ),
        (
            {
                "train": rows(*[("a",)] * 9),
                "test": [Seen("x", "", shown=("a", "b"))],
            },
            "the source has class 'b' in test, and none of it in train; give train some of it, or remove it.",
        ),
    ],
    ids=["nowhere", "rare", "not learnt"],
)
def test_classes_that_cannot_be_learnt_are_refused(parts, message, says):
    with pytest.raises(DataError, match=says(message)):
        put_rows_together(parts)


def test_a_class_that_chance_keeps_from_training_is_told(says):
    together = [Seen(f"b{number}", "", "one patient", shown=("b",)) for number in range(3)]
    message = (
        "the source has few pictures of class 'b', and none of them fell into train; take another seed, add "
        "some, give the parts yourself, or leave the class out."
    )
    with pytest.raises(DataError, match=says(message)):
        put_rows_together({"train": [*rows(*[("a",)] * 40), *together]}, seed=0)

"""from_arrays: arrays as they come from NumPy become a data set; what is ambiguous is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import COLOURS, draw
from tfxfer.contracts import PARTS
from tfxfer.data import from_arrays
from tfxfer.errors import DataError, SettingError

NAMES = sorted(COLOURS)
IMAGES = np.stack([np.asarray(draw(name, index)) for name in NAMES for index in range(12)])
LABELS = np.repeat(np.arange(3), 12)


def pictures_of(photos, part, side=40):
    pairs = list(photos.batches(part, image_size=side, batch_size=5, shuffle=False).as_numpy_iterator())
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


@pytest.mark.parametrize("part", PARTS)
def test_pixels_and_labels_are_those_given(part):
    photos = from_arrays(IMAGES, LABELS, classes=NAMES)
    assert photos.classes == ("blue", "green", "red")
    positions = [int(name) for name in photos.names(part)]
    images, labels = pictures_of(photos, part)
    np.testing.assert_array_equal(images, IMAGES[positions])
    np.testing.assert_array_equal(labels, LABELS[positions])
    photos.check()


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (LABELS.tolist(), None, ("0", "1", "2")),
        (LABELS[:, None].astype(np.uint8), NAMES, ("blue", "green", "red")),
        (LABELS + 9, None, ("9", "10", "11")),
        ([NAMES[label] for label in LABELS], None, ("blue", "green", "red")),
        (np.array([NAMES[label] for label in LABELS]), NAMES[::-1], ("red", "green", "blue")),
        (np.array([NAMES[label].encode() for label in LABELS]), None, ("blue", "green", "red")),
        (LABELS, ["2", "1", "0"], ("2", "1", "0")),
    ],
    ids=["numbers", "column", "not from 0", "text", "other order", "bytes", "indices, not names"],
)
def test_labels_of_many_kinds(labels, classes, expected):
    photos = from_arrays(IMAGES, labels, classes=classes)
    assert photos.classes == expected
    found = {(int(record.path) // 12, photos.classes[record.label]) for record in photos.records}
    order = expected if classes != NAMES[::-1] else expected[::-1]
    assert found == set(enumerate(order))


EVEN = np.arange(36) % 2 == 0
ROWS = np.stack([EVEN, LABELS == 2], axis=1)
"""Of each picture, whether its number is even, and whether it is red: none, one or both."""


@pytest.mark.parametrize("kind", [bool, np.int64, np.float32, "names"])
def test_several_labels_a_picture(kind):
    labels = [
        [name for name, there in zip(["even", "red"], row, strict=True) if there] for row in ROWS.tolist()
    ]
    given = labels if kind == "names" else ROWS.astype(kind)
    photos = from_arrays(IMAGES, given, classes=["even", "red"], task="multi_label")
    assert photos.task == "multi_label"
    assert photos.classes == ("even", "red")
    for part in PARTS:
        rows = [int(name) for name in photos.names(part)]
        np.testing.assert_array_equal(photos.targets(part), ROWS[rows].astype(np.float32))
        assert (photos.targets(part).sum(axis=0) > 0).all()


def test_numbers_of_a_picture():
    sizes = np.linspace(1, 9, 36).reshape(36, 1) * [1, -2]
    photos = from_arrays(IMAGES, sizes, classes=["width", "height"], task="regression")
    assert (photos.task, photos.classes) == ("regression", ("width", "height"))
    for part in PARTS:
        rows = [int(name) for name in photos.names(part)]
        np.testing.assert_array_equal(photos.targets(part), sizes[rows].astype(np.float32))
    assert from_arrays(IMAGES, sizes[:, 0], task="regression").classes == ("number",)


def test_parts_may_be_given():
    pieces = {"train": slice(0, None, 3), "val": slice(1, None, 3), "test": slice(2, None, 3)}
    photos = from_arrays(
        {part: IMAGES[piece] for part, piece in pieces.items()},
        {part: LABELS[piece] for part, piece in pieces.items()},
    )
    assert photos.split.given == PARTS
    assert photos.names("validation")[0] == "validation/000000"
    images, labels = pictures_of(photos, "validation")
    np.testing.assert_array_equal(images, IMAGES[1::3])
    np.testing.assert_array_equal(labels, LABELS[1::3])
    two = from_arrays(
        {"train": IMAGES[::2], "val": IMAGES[1::2]}, {"train": LABELS[::2], "val": LABELS[1::2]}
    )
    assert two.split.given == ("train", "test")
    assert len(two.split.test) == 18


def test_grey_transparent_and_odd_sizes():
    grey = IMAGES[..., 0]
    one, flat = (from_arrays(each, LABELS) for each in (grey[..., None], grey))
    for photos in (one, flat):
        images, _ = pictures_of(photos, "test")
        np.testing.assert_array_equal(images[..., 0], grey[[int(name) for name in photos.names("test")]])
        assert (images[..., 0] == images[..., 2]).all()
    clear = np.concatenate([IMAGES, np.zeros_like(IMAGES[..., :1])], axis=-1)
    assert (pictures_of(from_arrays(clear, LABELS), "test")[0] == 255).all()
    sizes = [image[: 20 + index % 20] for index, image in enumerate(IMAGES)]
    assert pictures_of(from_arrays(sizes, LABELS, resize="stretch"), "train", 24)[0].shape[1:] == (24, 24, 3)


def test_groups_stay_together():
    groups = [None if index % 12 > 9 else f"{index // 2}" for index in range(36)]
    photos = from_arrays(IMAGES, LABELS, groups=groups)
    parts = {}
    for part in PARTS:
        for index in photos.split[part]:
            parts.setdefault(photos.records[index].group, set()).add(part)
    assert len(parts.pop(None)) > 1
    assert len(parts) == 15
    assert all(len(found) == 1 for found in parts.values())


@given(
    counts=st.lists(st.integers(3, 9), min_size=2, max_size=4),
    seed=st.integers(0, 99),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_every_picture_is_in_one_part_with_its_label(counts, seed, order):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    order.shuffle(labels)
    photos = from_arrays(np.zeros((len(labels), 2, 2), np.uint8), labels, seed=seed)
    assert sorted(index for part in PARTS for index in photos.split[part]) == list(range(len(labels)))
    assert [photos.classes[record.label] for record in photos.records] == list(map(str, labels))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            IMAGES / 255,
            LABELS,
            "images[0] is float64, and pixels are uint8 in 0..255; give images.astype('uint8') where they "
            "are in that range, or (images * 255).round().astype('uint8') where they are in 0..1.",
        ),
        (
            np.moveaxis(IMAGES, -1, 1),
            LABELS,
            "images[0] has shape (3, 40, 40); a picture has (height, width) or (height, width, channels), "
            "with 1, 3 or 4 channels; np.moveaxis(image, 0, -1) brings channels to the end.",
        ),
        (
            IMAGES[..., :2],
            LABELS,
            "images[0] has shape (40, 40, 2); a picture has (height, width) or (height, width, channels), "
            "with 1, 3 or 4 channels.",
        ),
        (IMAGES[:, :0], LABELS, "images[0] has shape (0, 40, 3) and no pixels; remove it."),
        (
            IMAGES[:0],
            LABELS[:0],
            "images holds no pictures; give an array of shape (pictures, height, width, 3).",
        ),
        (
            IMAGES,
            LABELS[:-1],
            "labels must be one a picture, of shape (36,) since images has 36, got (35,).",
        ),
        (
            IMAGES,
            np.eye(3)[LABELS],
            "labels must be one a picture, of shape (36,) since images has 36, got (36, 3); "
            "labels.argmax(axis=1) makes indices of one-hot rows, task='multi_label' takes several labels, "
            "task='regression' numbers.",
        ),
        (
            IMAGES,
            LABELS / 2,
            "labels[0] is 0.0, a float; labels are integers or text; task='regression' takes numbers.",
        ),
        (IMAGES, LABELS > 0, "labels[0] is False, a bool; labels are integers or text."),
        (IMAGES, ["a\nb"] * 36, "labels[0] is 'a\\nb', which cannot be written down; give it another name."),
        (IMAGES, [""] * 36, "labels[0] is '', which cannot be written down; give it another name."),
        (
            IMAGES,
            LABELS * 0,
            "the arrays holds one class only (0); a classifier needs at least two.",
        ),
    ],
    ids=[
        "floats", "channels first", "two channels", "no pixels", "none", "lacking", "one-hot", "fractions",
        "truths",
        "unprintable", "empty", "one class",
    ],
)  # fmt: skip
def test_what_is_refused(images, labels, message, says):
    with pytest.raises(DataError, match=says(message)):
        from_arrays(images, labels)


def test_labels_beyond_the_classes_are_refused(says):
    message = (
        "the arrays has label '2', and labels must be 0..1, indices into the classes blue, green; give all "
        "classes, or none to take the labels as they are."
    )
    with pytest.raises(DataError, match=says(message)):
        from_arrays(IMAGES, LABELS, classes=["blue", "green"])


def test_images_and_labels_are_divided_alike(says):
    message = "labels must be given as images are, a dictionary of the parts train, test."
    with pytest.raises(SettingError, match=says(message)):
        from_arrays({"train": IMAGES, "test": IMAGES}, LABELS)
    message = "groups must be given as images are, undivided."
    with pytest.raises(SettingError, match=says(message)):
        from_arrays(IMAGES, LABELS, groups={"train": LABELS})

"""Photos: parts, labels, a table, and batches ready for Keras."""

from dataclasses import replace

import numpy as np
import pytest

from tfxfer import data
from tfxfer.data import from_arrays, from_folder
from tfxfer.errors import DataError, SettingError


def test_labels_belong_to_their_paths(pictures):
    photos = from_folder(pictures)
    for path, label in zip(photos.paths("test"), photos.labels("test"), strict=True):
        assert path.is_file()
        assert path.parent.name == photos.classes[label]


def test_it_prints_as_a_table(pictures):
    assert str(from_folder(pictures)) == (
        "class       train  validation        test\n"
        "blue            8           2           2\n"
        "green           8           2           2\n"
        "red             8           2           2"
    )


def test_batches_hold_raw_pixels_and_labels(pictures):
    photos = from_folder(pictures)
    images, labels = next(iter(photos.batches("validation", image_size=(20, 24), batch_size=4)))
    assert images.shape == (4, 20, 24, 3)
    assert images.dtype == np.uint8
    assert labels.numpy().tolist() == photos.labels("validation")[:4]


def test_an_unknown_part_names_the_nearest(pictures, says):
    message = "no part 'tests'; did you mean 'test'? There are train, validation, test."
    with pytest.raises(SettingError, match=says(message)):
        from_folder(pictures).paths("tests")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 0}, "image_size must be at least 1, got 0."),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0."),
    ],
    ids=["size", "batch"],
)
def test_impossible_sizes_are_refused(pictures, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        from_folder(pictures).batches("test", **settings)


def test_contents_are_the_files(pictures):
    photos = from_folder(pictures)
    assert list(photos.contents([3, 1])) == [
        (3, pictures / photos.records[3].path),
        (1, pictures / photos.records[1].path),
    ]
    assert [index for index, _ in photos.contents()] == list(range(36))


def test_pictures_without_files_have_names_and_no_paths(says):
    photos = from_arrays(np.zeros((6, 8, 8), np.uint8), [0, 1] * 3)
    assert len(photos.names("test")) == 2
    message = (
        "the pictures of the arrays are not files, and have no paths; photos.names(part) says what they are "
        "called, photos.contents() gives them as they are kept."
    )
    with pytest.raises(SettingError, match=says(message)):
        photos.paths("test")


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_a_picture_that_is_repeated_is_kept_once(pictures, monkeypatch, cache):
    photos = from_folder(pictures)
    train = photos.split.train
    repeated = replace(photos, split=replace(photos.split, train=(*train, *train[:5], train[0])))
    read, names = data.read_image, []

    def counted(picture, **settings):
        names.append(settings["name"])
        return read(picture, **settings)

    monkeypatch.setattr(data, "read_image", counted)
    batches = repeated.batches("train", image_size=8, batch_size=7, shuffle=False, cache=cache)
    pixels, labels = (np.concatenate(each) for each in zip(*batches.as_numpy_iterator(), strict=True))
    assert len(pixels) == len(train) + 6
    assert len(names) == (len(train) if cache == "memory" else len(train) + 6)
    np.testing.assert_array_equal(pixels[-6:], pixels[[0, 1, 2, 3, 4, 0]])
    assert labels.tolist() == repeated.labels("train")


def test_something_else_may_go_with_pictures(pictures):
    photos = from_folder(pictures)
    rows = np.arange(2 * len(photos.split.train), dtype=np.float32).reshape(-1, 2)
    settings = {"image_size": 8, "batch_size": 7, "seed": 3}
    plain, other = (photos.batches("train", targets=targets, **settings) for targets in (None, rows))
    (images, labels), (same, found) = (
        map(np.concatenate, zip(*batches.as_numpy_iterator(), strict=True)) for batches in (plain, other)
    )
    np.testing.assert_array_equal(images, same)
    places = (found[:, 0] / 2).astype(int)
    np.testing.assert_array_equal(found, rows[places])
    assert labels.tolist() == np.array(photos.labels("train"))[places].tolist()


def test_one_part_may_be_checked(pictures):
    photos = from_folder(pictures)
    photos.paths("test")[0].write_text("no picture")
    photos.check("train")
    with pytest.raises(DataError, match=r"^1 file cannot be read"):
        photos.check("test")


def test_check_names_a_file_that_cannot_be_read(pictures, says):
    photos = from_folder(pictures)
    photos.check()
    (pictures / "red" / "00.png").write_text("no picture")
    message = (
        "1 file cannot be read as pictures; mend or remove them:\n"
        f"  {pictures / 'red' / '00.png'} is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its "
        "name says."
    )
    with pytest.raises(DataError, match=says(message)):
        photos.check()


def test_targets_of_one_label_are_its_indices(pictures):
    photos = from_folder(pictures)
    targets = photos.targets("validation")
    assert targets.dtype == np.int64
    assert targets.tolist() == photos.labels("validation")


def with_targets(pictures, task, classes, targets):
    photos = from_folder(pictures)
    records = tuple(
        replace(record, target=targets[index % len(targets)]) for index, record in enumerate(photos.records)
    )
    return replace(photos, task=task, classes=classes, records=records)


@pytest.mark.parametrize(
    ("task", "targets", "rows"),
    [
        ("multi_label", [(0, 2), (), (1,)], [[1, 0, 1], [0, 0, 0], [0, 1, 0]]),
        ("regression", [(0.5, -2.0, 3e6), (1.0, 0.0, 0.0)], [[0.5, -2, 3e6], [1, 0, 0]]),
    ],
    ids=["several labels", "numbers"],
)
def test_targets_of_the_other_tasks_are_rows(pictures, task, targets, rows):
    photos = with_targets(pictures, task, ("a", "b", "c"), targets)
    for part in ("train", "test"):
        found = photos.targets(part)
        assert found.dtype == np.float32
        assert found.tolist() == [rows[index % len(rows)] for index in photos.split[part]]

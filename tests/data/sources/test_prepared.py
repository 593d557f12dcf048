"""from_tfds: what TensorFlow Datasets' own writer prepared, as records and a split, its pixels untouched."""

import logging
import re
import shutil

import numpy as np
import pytest

from tests.conftest import COLOURS, draw
from tests.tfds_sets import KnownSquares, LooseSquares, NumberedSquares, TaggedSquares, prepare
from tfxfer.contracts import PARTS
from tfxfer.data import from_tfds, read_image
from tfxfer.errors import DataError, SettingError


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def squares(request, tmp_path_factory):
    """A data set of 36 training and 9 test pictures."""
    return prepare(tmp_path_factory.mktemp(request.param), file_format=request.param)


@pytest.fixture(scope="module")
def loose(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("loose"), LooseSquares)


def pictures_of(photos, part):
    """The pictures of a part as the batches give them, with their labels."""
    pairs = list(photos.batches(part, image_size=40, batch_size=4, shuffle=False).as_numpy_iterator())
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def drawn(part):
    """All pictures that were drawn for a part of the builder's."""
    start, count = {"train": (0, 12), "test": (100, 3)}[part]
    return {
        np.asarray(draw(colour, start + index)).tobytes(): colour
        for colour in COLOURS
        for index in range(count)
    }


def test_its_splits_are_the_parts_and_its_names_the_classes(squares):
    photos = from_tfds("squares", data_dir=squares)
    assert str(photos.source) == "tfds:squares"
    assert photos.classes == ("blue", "green", "red")
    assert photos.split.given == ("train", "test")
    assert [len(photos.labels(part)) for part in PARTS] == [30, 6, 9]
    assert sorted(photos.labels("test")) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len({record.path for record in photos.records}) == 45


@pytest.mark.parametrize("part", PARTS)
def test_pixels_are_those_that_were_written(squares, part):
    photos = from_tfds("tfds:squares:1.0.0", data_dir=str(squares))
    images, labels = pictures_of(photos, part)
    assert labels.tolist() == photos.labels(part)
    written = drawn("test" if part == "test" else "train")
    assert [written[image.tobytes()] for image in images] == [photos.classes[label] for label in labels]


def test_contents_are_encoded_and_belong_to_their_records(squares):
    photos = from_tfds("squares", data_dir=squares)
    contents = dict(photos.contents())
    assert set(contents) == set(range(45))
    written = drawn("train") | drawn("test")
    for index, content in contents.items():
        assert content.startswith(b"\x89PNG")
        pixels = read_image(content, height=40, width=40)
        assert written[pixels.tobytes()] == photos.classes[photos.records[index].label]
    photos.check()


def test_both_parts_are_the_same_each_time(squares):
    first, again = (from_tfds("squares", data_dir=squares, seed=4) for _ in range(2))
    assert (first.records, first.split) == (again.records, again.split)
    assert first.split != from_tfds("squares", data_dir=squares, seed=5).split


def test_slices_may_be_the_parts(squares):
    parts = {"train": "train[:50%]", "val": "train[50%:]", "test": "test"}
    photos = from_tfds("squares", data_dir=squares, parts=parts)
    assert photos.split.given == PARTS
    assert [len(photos.labels(part)) for part in PARTS] == [18, 18, 9]
    images, labels = pictures_of(photos, "validation")
    written = drawn("train")
    assert [written[image.tobytes()] for image in images] == [photos.classes[label] for label in labels]


def test_a_group_stays_together(squares):
    photos = from_tfds("squares", data_dir=squares, group="owner", seed=1)
    parts = {record.group: set() for record in photos.records}
    assert len(parts) == 18 + 6
    for part in PARTS:
        for index in photos.split[part]:
            parts[photos.records[index].group].add(part)
    assert all(len(found) == 1 for found in parts.values())


def test_another_feature_may_be_the_picture(squares):
    photos = from_tfds("squares", data_dir=squares, image="small")
    content = next(photos.contents())[1]
    assert read_image(content, height=8, width=8).shape == (8, 8, 3)
    images, _ = next(iter(photos.batches("test", image_size=8)))
    corners = {np.asarray(draw(colour, 100 + i))[:8, :8].tobytes() for colour in COLOURS for i in range(3)}
    assert {image.tobytes() for image in images.numpy()} == corners


def test_it_is_not_chatty(squares, caplog):
    with caplog.at_level(logging.WARNING):
        pictures_of(from_tfds("squares", data_dir=squares), "test")
    assert caplog.records == []


def test_which_split_is_learnt_from_must_be_plain(loose, says):
    message = (
        "tfds:loose_squares has no split to learn from (it has everything); parts={'train': 'SPLIT'} says "
        "which one."
    )
    with pytest.raises(DataError, match=says(message)):
        from_tfds("loose_squares", data_dir=loose, image="photo")
    message = "tfds:loose_squares has no split 'training'; it has everything, and slices of them."
    with pytest.raises(SettingError, match=says(message)):
        from_tfds("loose_squares", data_dir=loose, image="photo", parts={"train": "training"})
    photos = from_tfds("loose_squares", data_dir=loose, image="photo", parts={"train": "everything"})
    assert photos.split.given == ()
    assert [len(photos.labels(part)) for part in PARTS] == [24, 6, 6]


def test_which_feature_is_the_picture_must_be_plain(loose, says):
    message = (
        "tfds:loose_squares does not say which feature is the image; image=… takes one of: photo, small (a "
        "picture is an Image, a label a ClassLabel)."
    )
    with pytest.raises(SettingError, match=says(message)):
        from_tfds("loose_squares", data_dir=loose)
    message = (
        "tfds:loose_squares has no label feature 'number'; label=… takes one of: colour (a picture is an "
        "Image, a label a ClassLabel)."
    )
    with pytest.raises(SettingError, match=says(message)):
        from_tfds("loose_squares", data_dir=loose, image="photo", label="number")
    message = (
        "tfds:loose_squares has no feature 'owners'; did you mean 'owner'? It has colour, number, owner, "
        "photo, small."
    )
    with pytest.raises(SettingError, match=says(message)):
        from_tfds("loose_squares", data_dir=loose, image="photo", group="owners")


def test_a_data_set_without_classes_is_refused(tmp_path, says):
    prepare(tmp_path, NumberedSquares)
    message = (
        "tfds:numbered_squares does not say which feature is the label; label=… takes one of: none (a "
        "picture is an Image, a label a ClassLabel)."
    )
    with pytest.raises(SettingError, match=says(message)):
        from_tfds("numbered_squares", data_dir=tmp_path)


def test_overlapping_slices_are_refused(loose):
    parts = {"train": "everything[:60%]", "test": "everything[40%:]"}
    key = r"loose_squares-everything\.tfrecord-0000\d-of-0000\d__\d+"
    rest = "twice, in train and in test; each picture belongs to one part, once"
    with pytest.raises(DataError, match=rf"^tfds:loose_squares has {key} {rest}\.$"):
        from_tfds("loose_squares", data_dir=loose, image="photo", parts=parts)


def test_an_unknown_name_is_told_its_nearest(tmp_path, says):
    message = (
        f"TensorFlow Datasets knows no 'beens', and none is prepared in {tmp_path}; did you mean 'beans'? "
        "--data-dir (data_dir=…) says in which folder it is prepared."
    )
    with pytest.raises(DataError, match=says(message)):
        from_tfds("beens", data_dir=tmp_path)


def test_what_is_not_prepared_is_not_downloaded_unasked(tmp_path, says):
    message = (
        f"tfds:mnist is not prepared at {tmp_path}/mnist/3.0.1, and nothing is downloaded unasked; give "
        "--download (download=True), or --data-dir (data_dir=…) if it is prepared elsewhere."
    )
    with pytest.raises(DataError, match=says(message)):
        from_tfds("mnist", data_dir=tmp_path)


def test_a_name_that_cannot_be_opened_says_why(tmp_path):
    start = re.escape(f"TensorFlow Datasets cannot open 'mnist/nonesuch' in {tmp_path} (")
    with pytest.raises(DataError, match=f"^{start}.*nonesuch.*\\)\\.$"):
        from_tfds("mnist/nonesuch", data_dir=tmp_path)


def test_what_is_asked_for_is_prepared(tmp_path):
    with pytest.raises(DataError, match="is not prepared at"):
        from_tfds(KnownSquares.name, data_dir=tmp_path)
    assert len(from_tfds(KnownSquares.name, data_dir=tmp_path, download=True)) == 45
    assert len(from_tfds(KnownSquares.name, data_dir=tmp_path)) == 45


def test_a_data_set_that_changed_meanwhile_is_told(tmp_path, squares):
    if squares.name.startswith("array"):
        pytest.skip("ArrayRecord files are held open.")
    shutil.copytree(squares, tmp_path / "copy")
    photos = from_tfds("squares", data_dir=tmp_path / "copy")
    # Another shard in the place of the first: names stay, pictures and labels do not.
    first, *_, last = sorted((tmp_path / "copy").rglob("squares-train*"))
    shutil.copyfile(last, first)
    with pytest.raises(
        DataError, match=r"^tfds:squares .* at first; it was prepared anew meanwhile; read it again\.$"
    ):
        photos.check()


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def tagged(request, tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tagged"), TaggedSquares, file_format=request.param)


def test_several_labels_and_numbers(tagged):
    numbers = from_tfds("tagged_squares", data_dir=tagged, label=["number", "size"], task="regression")
    assert numbers.classes == ("number", "size")
    assert sorted(record.target for record in numbers.records) == [
        (float(index), float(np.float32(index / 3))) for index in range(30)
    ]
    known = {record.path: int(record.target[0]) for record in numbers.records}
    for label in (None, ["even", "low"]):
        photos = from_tfds("tagged_squares", data_dir=tagged, label=label, task="multi_label")
        assert photos.classes == ("even", "low")
        for record in photos.records:
            index = known[record.path]
            assert record.target == (*([0] if index % 2 == 0 else []), *([1] if index < 12 else []))
    images, truth = pictures_of(photos, "validation")
    assert (len(images), truth.shape) == (6, (6, 2))

"""from_dataset: somebody's tf.data.Dataset becomes a data set; its order is held to, its pixels looked at."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.data.sources.test_arrays import IMAGES, LABELS, NAMES, ROWS, pictures_of
from tfxfer.contracts import PARTS
from tfxfer.data import from_dataset, read_image
from tfxfer.errors import DataError, SettingError

PAIRS = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))


@pytest.mark.parametrize(
    "dataset",
    [
        PAIRS,
        PAIRS.batch(5),
        PAIRS.map(lambda image, label: (tf.cast(image, tf.float32) + 0.2, tf.cast(label, tf.int32))).batch(7),
        PAIRS.map(lambda image, label: (tf.io.encode_png(image), label)),
        PAIRS.map(lambda image, label: (tf.io.encode_png(image), label)).batch(36),
        PAIRS.map(lambda image, label: (image, tf.constant(["0", "1", "2"])[label])),
        PAIRS.shuffle(36, seed=3, reshuffle_each_iteration=False),
    ],
    ids=["pixels", "batched", "floats", "encoded", "encoded, batched", "text", "shuffled once"],
)
def test_pixels_and_labels_are_those_given(dataset):
    photos = from_dataset(dataset)
    assert photos.classes == ("0", "1", "2")
    truth = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    found = 0
    for part in PARTS:
        images, labels = pictures_of(photos, part)
        assert labels.tolist() == photos.labels(part) == [truth[image.tobytes()] for image in images]
        found += len({image.tobytes() for image in images})
    assert found == 36
    photos.check()


def test_parts_may_be_given():
    photos = from_dataset({"train": PAIRS.shard(2, 0), "val": PAIRS.shard(2, 1).batch(4)}, classes=NAMES)
    assert photos.classes == tuple(NAMES)
    assert photos.split.given == ("train", "test")
    assert photos.names("test")[:2] == ["validation/000000", "validation/000001"]
    np.testing.assert_array_equal(pictures_of(photos, "test")[0], IMAGES[1::2])


def test_a_folder_read_by_keras_is_the_same_in_pixels(shared_pictures):
    dataset = keras.utils.image_dataset_from_directory(
        shared_pictures, shuffle=False, image_size=(40, 40), batch_size=7, verbose=False
    )
    photos = from_dataset(dataset, classes=dataset.class_names)
    for index, content in photos.contents():
        record = photos.records[index]
        file = shared_pictures / photos.classes[record.label] / f"{index % 20:02}.png"
        np.testing.assert_array_equal(content, read_image(file, height=40, width=40))


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_an_order_that_changes_is_told(cache):
    photos = from_dataset(PAIRS.shuffle(36, seed=1))
    remedy = (
        r"its order must be the same each time: drop its shuffle\(…\), or give that "
        r"reshuffle_each_iteration=False; the training part is shuffled here\."
    )
    told = rf"the data set gives 0000\d\d the label '\d', and gave it '\d' at first; {remedy}"
    with pytest.raises(DataError, match=f"^{told}$"):
        photos.check()
    with pytest.raises(tf.errors.OpError, match=told):
        list(photos.batches("train", image_size=8, cache=cache))


def test_a_data_set_that_has_become_shorter_is_told(says):
    length = tf.Variable(36, dtype=tf.int64)
    generated = tf.data.Dataset.range(36).filter(lambda number: number < length)
    photos = from_dataset(generated.map(lambda n: (tf.gather(IMAGES, n), tf.gather(LABELS, n))))
    length.assign(30)
    message = (
        "the data set no longer has 000030, which it had at first; its order must be the same each time: "
        "drop its shuffle(…), or give that reshuffle_each_iteration=False; the training part is shuffled "
        "here."
    )
    with pytest.raises(DataError, match=says(message)):
        photos.check()


def test_what_is_encoded_and_no_picture_is_named(says):
    buffer = io.BytesIO()
    encoded = [tf.io.encode_png(image).numpy() for image in IMAGES]
    encoded[7], encoded[9] = b"no picture", buffer.getvalue()
    photos = from_dataset(tf.data.Dataset.from_tensor_slices((encoded, LABELS)))
    message = (
        "2 records cannot be read as pictures; mend or remove them:\n"
        "  000007 is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says.\n"
        "  000009 is empty."
    )
    with pytest.raises(DataError, match=says(message)):
        photos.check()


@pytest.mark.parametrize("batch", [None, 5])
def test_several_labels_and_numbers(batch):
    sizes = np.linspace(0, 1, 72).reshape(36, 2)
    for task, labels in (("multi_label", ROWS), ("regression", sizes), ("regression", sizes[:, 0])):
        pairs = tf.data.Dataset.from_tensor_slices((IMAGES, labels))
        photos = from_dataset(pairs if batch is None else pairs.batch(batch), task=task)
        images, truth = pictures_of(photos, "validation")
        rows = [int(name) for name in photos.names("validation")]
        np.testing.assert_array_equal(images, IMAGES[rows])
        np.testing.assert_array_equal(truth, labels.reshape(36, -1)[rows].astype(np.float32))


@pytest.mark.parametrize(
    ("task", "rows", "message"),
    [
        (
            "multi_label",
            LABELS,
            "the data set gives labels of shape () and int64; for multi_label, a picture has 1 for each "
            "class that it shows and 0 for the others, of shape (classes,).",
        ),
        (
            "regression",
            LABELS.astype(str),
            "the data set gives labels of shape () and string; for regression, a picture has one number, or "
            "several of shape (numbers,).",
        ),
        (
            "multi_label",
            ROWS * 2,
            "the data set: 000000 has 2 for class '0'; each class is 1 where a picture shows it, and 0 where "
            "not.",
        ),
    ],
    ids=["no rows", "text", "twice"],
)
def test_rows_of_another_kind_are_refused(task, rows, message, says):
    with pytest.raises(DataError, match=says(message)):
        from_dataset(tf.data.Dataset.from_tensor_slices((IMAGES, rows)), task=task)


def unranked(image, label):
    return tf.numpy_function(lambda each: each, [image], tf.uint8), label


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (PAIRS.repeat(), "the data set never ends; drop its repeat(): epochs are counted here."),
        (
            PAIRS.map(lambda image, label: image),  # noqa: ARG005
            "the data set must give pairs (image, label), got TensorSpec(shape=(40, 40, 3), dtype=tf.uint8, "
            "name=None); map(…) brings it to them.",
        ),
        (
            PAIRS.map(unranked),
            "the data set gives images or labels of unknown rank; tf.ensure_shape(…) says what it is.",
        ),
        (
            PAIRS.map(lambda image, label: (tf.cast(image, tf.int32), label)),
            "the data set gives images of shape (40, 40, 3) and int32; an image is a string of encoded "
            "bytes, or pixels of shape (height, width, channels), uint8 or floating, in 0..255.",
        ),
        (
            PAIRS.map(lambda image, label: (image[..., 0], label)),
            "the data set gives images of shape (40, 40) and uint8; an image is a string of encoded bytes, "
            "or pixels of shape (height, width, channels), uint8 or floating, in 0..255.",
        ),
        (
            PAIRS.map(lambda image, label: (image, tf.one_hot(label, 3))),
            "the data set gives labels of shape (3,) and float32; a label is one integer or text; "
            "tf.argmax(label, -1) makes indices of one-hot rows, task='multi_label' takes several labels, "
            "task='regression' numbers.",
        ),
        (
            PAIRS.map(lambda image, label: (image, tf.cast(label, tf.float32))),
            "the data set gives labels of shape () and float32; a label is one integer or text; "
            "task='regression' takes numbers.",
        ),
        (
            PAIRS.map(lambda image, label: (image, tf.where(label > 0, b"a\nb", b"c"))),
            "the data set: 000012 has label b'a\\nb', which cannot be written down; give it another name.",
        ),
        (
            PAIRS.map(lambda image, label: (image, tf.where(label > 0, b"caf\xe9", b"c"))),
            "the data set: 000012 has label b'caf\\xe9', which cannot be written down; give it another name.",
        ),
        (
            PAIRS.map(lambda image, label: (image[..., :2], label)),
            "the data set: 000000 has 2 channels; a picture has 1, 3 or 4, at the end.",
        ),
        (
            PAIRS.map(lambda image, label: (tf.ones_like(image, tf.float32) - 2, label)),
            "the data set: 000000 has pixels from -1 to -1; they must be in 0..255, before any scaling that "
            "a backbone wants: that is in the model.",
        ),
        (
            PAIRS.map(lambda image, label: (tf.cast(image, tf.float32) * float("nan"), label)),
            "the data set: 000000 has pixels from nan to nan; they must be in 0..255, before any scaling "
            "that a backbone wants: that is in the model.",
        ),
        (
            PAIRS.map(lambda image, label: (tf.cast(image, tf.float32) / 255, label)),
            "the data set has no pixel above 1, so they seem to be in 0..1; multiply them by 255, since "
            "pixels are in 0..255.",
        ),
    ],
    ids=[
        "endless", "no pairs", "no rank", "int32", "grey without channels", "one-hot", "float labels",
        "two lines", "no text",
        "two channels",
        "scaled to -1..1", "not a number", "scaled to 0..1",
    ],
)  # fmt: skip
def test_what_is_refused(dataset, message, says):
    with pytest.raises(DataError, match=says(message)):
        from_dataset(dataset)


def test_what_is_no_data_set_is_refused(says):
    message = (
        "the data set of test must be a tf.data.Dataset, got tuple; from_arrays takes arrays, from_folder "
        "folders."
    )
    with pytest.raises(SettingError, match=says(message)):
        from_dataset({"train": PAIRS, "test": (IMAGES, LABELS)})

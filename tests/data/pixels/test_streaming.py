"""Streams: batches in the records' order or mixed anew each epoch, repeatable; memory stays flat."""

import numpy as np
import pytest
import tensorflow as tf

from tests.data.sources.test_arrays import IMAGES, LABELS, pictures_of
from tfxfer.contracts import PARTS
from tfxfer.data import from_dataset, from_folder, from_shards, read_image, write_shards
from tfxfer.data.pixels import streaming
from tfxfer.errors import SettingError


@pytest.fixture(scope="module")
def photos(shared_pictures, tmp_path_factory):
    """The shared pictures in six shards of their training part."""
    folder = tmp_path_factory.mktemp("shards") / "shards"
    write_shards(from_folder(shared_pictures), folder, pictures_per_shard=8)
    return from_shards(folder)


@pytest.fixture(params=["auto", "memory", "none"])
def cache(request):
    return request.param


def epochs(photos, count=2, **settings):
    dataset = photos.batches("train", **{"image_size": 24, "batch_size": 5, **settings})
    return [
        [np.concatenate(each) for each in zip(*dataset.as_numpy_iterator(), strict=True)]
        for _ in range(count)
    ]


def noisy(pixels, seed):
    noise = np.random.default_rng(seed).integers(0, 32, pixels.shape, dtype=np.uint8)
    return pixels // 2 + noise


@pytest.mark.parametrize("part", PARTS)
def test_unshuffled_pictures_come_in_the_order_of_the_records(photos, part, cache):
    dataset = photos.batches(part, image_size=24, batch_size=5, shuffle=False, cache=cache)
    contents = dict(photos.contents(photos.split[part]))
    expected = [read_image(contents[index], height=24, width=24) for index in photos.split[part]]
    for _ in range(2):
        images, labels = (np.concatenate(each) for each in zip(*dataset.as_numpy_iterator(), strict=True))
        np.testing.assert_array_equal(images, expected)
        assert labels.tolist() == photos.labels(part)


def test_shuffling_is_new_each_epoch_and_the_same_each_run(photos, cache):
    first, second = ([bytes(image) for image in images] for images, _ in epochs(photos, cache=cache, seed=7))
    assert first != second
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(photos.split.train)
    again = [[bytes(image) for image in images] for images, _ in epochs(photos, cache=cache, seed=7)]
    assert again == [first, second]
    other = [bytes(image) for image in epochs(photos, 1, cache=cache, seed=8)[0][0]]
    assert other != first


def test_labels_go_with_their_pictures_when_shuffled(photos, cache):
    truth = {
        read_image(content, height=24, width=24).tobytes(): photos.records[index].label
        for index, content in photos.contents()
    }
    for images, labels in epochs(photos, cache=cache):
        assert [truth[image.tobytes()] for image in images] == labels.tolist()


def test_shards_are_mixed_even_where_the_buffer_is_small(photos, monkeypatch):
    monkeypatch.setattr(streaming, "SHUFFLE_BUFFER", 1)
    first, second = ([bytes(image) for image in images] for images, _ in epochs(photos, cache="none"))
    assert first != second
    assert sorted(first) == sorted(second)


def test_augmentation_is_anew_each_epoch_and_repeats(photos, cache):
    plain = sorted(map(bytes, epochs(photos, 1)[0][0] // 2))
    first, second = (images for images, _ in epochs(photos, cache=cache, augment=noisy, seed=3))
    assert sorted(map(bytes, first)) != sorted(map(bytes, second))
    assert plain != sorted(map(bytes, first))
    again = [images for images, _ in epochs(photos, cache=cache, augment=noisy, seed=3)]
    np.testing.assert_array_equal(again, [first, second])


def test_two_pictures_never_share_a_seed(photos):
    seeds = []

    def remember(pixels, seed):
        seeds.append(seed)
        pixels[:] = 0
        return pixels

    images = np.concatenate([images for images, _ in epochs(photos, augment=remember)])
    assert not images.any()
    assert len(seeds) == len(set(seeds)) == 2 * len(photos.split.train)
    assert epochs(photos, 1)[0][0].any()


def test_pictures_may_come_as_they_are_ready(photos, cache):
    (_, labels), _ = epochs(photos, cache=cache, deterministic=False)
    assert sorted(labels) == sorted(photos.labels("train"))


def test_a_data_set_says_how_long_it_is(photos, cache):
    assert photos.batches("train", batch_size=5, cache=cache).cardinality() == 9


def test_only_the_sections_that_are_wanted_are_read():
    reads = {"train": 0, "test": 0}

    def counted(part, image):
        reads[part] += 1
        return image

    def pairs(part):
        return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).map(
            lambda image, label: (
                tf.ensure_shape(
                    tf.numpy_function(lambda each: counted(part, each), [image], tf.uint8), image.shape
                ),
                label,
            )
        )

    photos = from_dataset({part: pairs(part) for part in reads})
    assert reads == {"train": 36, "test": 36}
    pictures_of(photos, "test")
    assert reads == {"train": 36, "test": 72}
    pictures_of(photos, "validation")
    assert reads == {"train": 72, "test": 72}


def test_a_stream_is_not_kept_on_disk(photos, says):
    message = (
        "cache must be auto, memory or none where pictures are streamed, got 'disk'; write them as files to "
        "have them kept on disk."
    )
    with pytest.raises(SettingError, match=says(message)):
        photos.batches("train", cache="disk")

"""make_batches: the same pixels in tf.data as outside, in an order that is asked for."""

import numpy as np
import pytest

from tfxfer.contracts import InputContract
from tfxfer.data import from_folder, make_batches, read_image

SIZE = InputContract(24, 24)


def reader(pictures, part="train"):
    paths = from_folder(pictures).paths(part)
    return lambda index: read_image(paths[index], height=24, width=24)


def batches(pictures, **settings):
    labels = from_folder(pictures).targets("train")
    return make_batches(reader(pictures), labels, **{"size": SIZE, "batch_size": 5, **settings})


def stacked(dataset):
    pairs = list(dataset.as_numpy_iterator())
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def noisy(pixels, seed):
    noise = np.random.default_rng(seed).integers(0, 32, pixels.shape, dtype=np.uint8)
    return pixels // 2 + noise


@pytest.fixture(params=["memory", "disk", "none"])
def cache(request):
    return request.param


def test_pixels_are_those_that_the_reader_gives(shared_pictures, cache):
    dataset = batches(shared_pictures, cache=cache)
    read = reader(shared_pictures)
    for _ in range(2):
        images, labels = stacked(dataset)
        np.testing.assert_array_equal(images, [read(index) for index in range(len(labels))])
        assert labels.tolist() == from_folder(shared_pictures).labels("train")


def test_shuffling_is_new_each_epoch_and_the_same_each_run(shared_pictures, cache):
    def two_epochs(seed=7):
        dataset = batches(shared_pictures, shuffle=True, seed=seed, cache=cache)
        return [list(map(bytes, stacked(dataset)[0])) for _ in range(2)]

    first, second = two_epochs()
    assert first != second
    assert sorted(first) == sorted(second)
    assert two_epochs() == [first, second]
    assert two_epochs(seed=8)[0] != first


def test_every_order_is_met():
    dataset = make_batches(
        lambda index: np.full((24, 24, 3), index, np.uint8),
        np.arange(3),
        size=SIZE,
        batch_size=3,
        shuffle=True,
    )
    orders = {tuple(stacked(dataset)[1]) for _ in range(100)}
    assert len(orders) == 6  # each is missed by 100 fair draws once in a hundred million times


def test_a_data_set_says_how_long_it_is(shared_pictures):
    dataset = batches(shared_pictures, shuffle=True)
    assert dataset.cardinality() == 9
    assert [len(labels) for _, labels in dataset.as_numpy_iterator()] == [5] * 8 + [2]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_augmentation_is_anew_each_epoch_and_repeats_whatever_the_workers(shared_pictures, workers):
    import tensorflow as tf

    def two_epochs(threads):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        dataset = batches(shared_pictures, shuffle=True, seed=3, augment=noisy).with_options(options)
        return [stacked(dataset)[0] for _ in range(2)]

    first, second = two_epochs(workers)
    assert sorted(map(bytes, first)) != sorted(map(bytes, second))
    np.testing.assert_array_equal(two_epochs(3), [first, second])


def test_two_pictures_never_share_a_seed(shared_pictures):
    seeds = []

    def remember(pixels, seed):
        seeds.append(seed)
        return pixels

    dataset = batches(shared_pictures, augment=remember)
    stacked(dataset), stacked(dataset)
    assert len(set(seeds)) == len(seeds) == 84
    assert min(seeds) >= 0


def test_what_augmentation_writes_into_a_picture_is_not_kept(shared_pictures):
    def blacken(pixels, _):
        pixels[:] = 0
        return pixels

    plain = stacked(batches(shared_pictures))[0]
    dataset = batches(shared_pictures, augment=blacken)
    assert not stacked(dataset)[0].any()
    read = reader(shared_pictures)
    np.testing.assert_array_equal(plain, [read(index) for index in range(len(plain))])


def test_pictures_may_come_as_they_are_ready(shared_pictures):
    images, labels = stacked(batches(shared_pictures, shuffle=True, deterministic=False))
    assert sorted(labels) == sorted(from_folder(shared_pictures).labels("train"))
    assert len(images) == len(labels)


def test_a_bad_file_is_named_where_it_is_met(pictures):
    dataset = batches(pictures)
    victim = from_folder(pictures).paths("train")[3]
    victim.write_text("no picture")
    with pytest.raises(Exception, match=f"{victim} is not a JPEG"):
        stacked(dataset)

"""MixUp and CutMix: pixels and labels in the same shares, the shares as drawn by the papers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.augment import CutMix, MixUp, choose_mixing, soft_labels
from tfxfer.errors import SettingError

HEIGHT, WIDTH, CLASSES = 12, 20, 6
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (CLASSES, HEIGHT, WIDTH, 3), np.uint8)
LABELS = np.arange(CLASSES)
ONE_HOT = np.eye(CLASSES, dtype=np.float32)
BOTH = pytest.mark.parametrize("mix", [MixUp(0.9), CutMix(0.9)], ids=str)


def mixed(mix, seed):
    images, labels = mix(tf.constant(IMAGES), tf.constant(ONE_HOT), tf.constant([seed, 7], tf.int64))
    return images.numpy(), labels.numpy()


def partner(labels, index):
    """Tell from its label with which other one a picture was mixed; with itself where there is none."""
    others = np.flatnonzero(np.delete(labels[index], index))
    return index if not len(others) else int(others[0] + (others[0] >= index))


def test_mixup_is_the_weighted_sum_that_its_labels_tell():
    for seed in range(30):
        images, labels = mixed(MixUp(0.9), seed)
        assert images.dtype == np.float32
        share = {round(float(labels[i, i]), 5) for i in range(CLASSES) if partner(labels, i) != i}
        assert len(share) <= 1
        for i in range(CLASSES):
            own, j = labels[i, i], partner(labels, i)
            expected = own * IMAGES[i].astype(float) + (1 - own) * IMAGES[j].astype(float)
            np.testing.assert_allclose(images[i], expected, atol=2e-3)
            assert labels[i].sum() == pytest.approx(1, abs=1e-6)


def test_cutmix_pastes_one_rectangle_of_just_the_area_that_its_labels_tell():
    for seed in range(60):
        images, labels = mixed(CutMix(), seed)
        assert images.dtype == np.uint8
        for i in range(CLASSES):
            j = partner(labels, i)
            if i == j:
                np.testing.assert_array_equal(images[i], IMAGES[i])
                continue
            pasted = round((1 - float(labels[i, i])) * HEIGHT * WIDTH)
            assert pasted == pytest.approx((1 - float(labels[i, i])) * HEIGHT * WIDTH, abs=1e-3)
            own = (images[i] == IMAGES[i]).all(axis=-1)
            rows, columns = np.flatnonzero(~own.all(axis=1)), np.flatnonzero(~own.all(axis=0))
            box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            assert (~own).sum() == own[box].size == pasted
            np.testing.assert_array_equal(images[i][box], IMAGES[j][box])


def test_cutmix_cuts_as_the_paper_does():
    """Recomputed from the same share and place: side W sqrt(1 - share), centre uniform, clipped."""
    from tfxfer.augment.mixing import _drawn

    clipped = 0
    for seed in range(60):
        share, _, place = (x.numpy() for x in _drawn(1.0, CLASSES, tf.constant([seed, 7], tf.int64)))
        size = np.array([HEIGHT, WIDTH])
        half, centre = np.sqrt(1 - share) * size / 2, place * size
        first, last = np.round(centre - half), np.round(centre + half)
        clipped += bool((first < 0).any() or (last > size).any())
        area = np.prod(np.clip(last, 0, size) - np.clip(first, 0, size))
        _, labels = mixed(CutMix(), seed)
        for i in range(CLASSES):
            if partner(labels, i) != i:
                assert labels[i, i] == pytest.approx(1 - area / HEIGHT / WIDTH, abs=1e-6)
    assert 10 < clipped < 60


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha):
    """Its mean is 1/2, its variance 1 / (4 (2 alpha + 1))."""
    from tfxfer.augment.mixing import _drawn

    draw = tf.function(lambda seed: _drawn(alpha, 2, seed)[0])
    shares = np.array([draw(tf.constant([seed, 3], tf.int64)).numpy() for seed in range(1500)])
    assert shares.mean() == pytest.approx(0.5, abs=0.04)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.12)
    assert np.isfinite(shares).all()


def test_a_tiny_alpha_gives_numbers():
    values = [mixed(MixUp(0.001), seed)[1] for seed in range(60)]
    assert np.isfinite(values).all()


@BOTH
def test_the_same_seed_gives_the_same_and_another_another(mix):
    first, again, other = mixed(mix, 1), mixed(mix, 1), mixed(mix, 2)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first[0] != other[0]).any()


def parts(*inputs):
    """Give the training part in batches of four, and the validation part as one batch."""
    inputs = inputs[0] if len(inputs) == 1 else inputs
    dataset = tf.data.Dataset.from_tensor_slices((inputs, LABELS))
    return dataset.batch(4), dataset.batch(CLASSES)


@BOTH
def test_in_a_data_set_it_is_new_each_epoch_and_the_same_each_run(mix):
    def two_epochs(seed=5):
        dataset, _ = soft_labels(*parts(IMAGES), mix=mix, classes=CLASSES, seed=seed)
        return [np.concatenate([x for x, _ in dataset.as_numpy_iterator()]) for _ in range(2)]

    first, second = two_epochs()
    assert first.shape == IMAGES.shape
    assert (first != second).any()
    np.testing.assert_array_equal(two_epochs(), [first, second])
    assert (two_epochs(6)[0] != first).any()


@BOTH
def test_static_shapes_are_kept(mix):
    for part in soft_labels(*parts(IMAGES), mix=mix, classes=CLASSES, seed=0):
        images, labels = part.element_spec
        assert images.shape == (None, HEIGHT, WIDTH, 3)
        assert labels.shape == (None, CLASSES)


@BOTH
def test_validation_is_not_mixed(mix):
    _, validation = soft_labels(*parts(IMAGES), mix=mix, classes=CLASSES, seed=0)
    ((images, labels),) = validation.as_numpy_iterator()
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, ONE_HOT)


def test_features_are_mixed_each_with_the_same_one_in_the_same_share():
    maps, pooled = (RANDOM.normal(size=(CLASSES, *shape)).astype(np.float32) for shape in ((3, 3, 8), (5,)))
    training, _ = soft_labels(*parts(maps, pooled), mix=MixUp(0.9), classes=CLASSES, seed=3)
    moved = 0
    for (first, second), labels in training.as_numpy_iterator():
        np.testing.assert_allclose(first, np.einsum("bc,chwf->bhwf", labels, maps), atol=1e-5)
        np.testing.assert_allclose(second, labels @ pooled, atol=1e-5)
        moved += (labels < 0.99).all(axis=1).sum()
    assert moved


def test_smoothed_labels_are_those_of_keras():
    training, validation = soft_labels(*parts(IMAGES), classes=CLASSES, smoothing=0.1)
    for images, labels in training.as_numpy_iterator():
        assert images.dtype == np.uint8
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
        assert np.unique(labels.round(6)).tolist() == pytest.approx([0.1 / 6, 0.9 + 0.1 / 6], abs=1e-6)
        scores = RANDOM.dirichlet(np.ones(CLASSES), len(labels)).astype(np.float32)
        ours = keras.losses.CategoricalCrossentropy()(labels, scores)
        whole = np.eye(CLASSES, dtype=np.float32)[labels.argmax(axis=1)]
        theirs = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(whole, scores)
        assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
    ((_, labels),) = validation.as_numpy_iterator()
    np.testing.assert_array_equal(labels, ONE_HOT)


def test_names_stand_for_the_papers_own():
    assert choose_mixing("mixup") == MixUp(0.2)
    assert choose_mixing("cutmix") == CutMix(1.0)
    assert choose_mixing(MixUp(0.4)) == choose_mixing({"name": "mixup", "alpha": 0.4}) == MixUp(0.4)
    assert choose_mixing(None) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixUp(0), "alpha of mixup must be above 0, got 0."),
        (lambda: CutMix(-1), "alpha of cutmix must be above 0, got -1."),
        (
            lambda: choose_mixing("mixupp"),
            "mix must be 'mixup', 'cutmix', a MixUp, a CutMix or None, got 'mixupp'; did you mean 'mixup'?",
        ),
        (
            lambda: choose_mixing(3),
            "mix must be 'mixup', 'cutmix', a MixUp, a CutMix or None, got 3.",
        ),
        (
            lambda: choose_mixing({"name": "mixup", "alfa": 0.4}),
            "mix as a table has a name and an alpha, a number, got {'name': 'mixup', 'alfa': 0.4}.",
        ),
        (
            lambda: choose_mixing({"name": "mixup", "alpha": "much"}),
            "mix as a table has a name and an alpha, a number, got {'name': 'mixup', 'alpha': 'much'}.",
        ),
    ],
    ids=["mixup", "cutmix", "name", "number", "key", "alpha"],
)
def test_bad_settings_say_what_is_allowed(make, message, says):
    with pytest.raises(SettingError, match=says(message)):
        make()

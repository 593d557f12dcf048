"""Comparing: what each picture is worth, and the interval of a difference, against all draws there are."""

from itertools import product

import keras
import numpy as np
import pytest

from tfxfer.training.guarding.comparing import lead, losses, worth

ONE = np.ones(1)


def test_a_picture_is_right_or_not():
    scores = np.array([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9]])
    assert worth("single_label", scores, np.array([0, 1, 1]), ONE).tolist() == [1, 0, 1]


def test_of_several_labels_a_share_is_right():
    scores, truth = np.array([[0.5, 0.1, 0.9, 0.2]]), np.array([[1, 0, 0, 0]])
    assert worth("multi_label", scores, truth, ONE).tolist() == [0.75]


def test_numbers_are_off_by_so_many_deviations():
    said, truth = np.array([[1.0, 300.0]]), np.array([[3.0, 100.0]])
    assert worth("regression", said, truth, np.array([2.0, 100.0])).tolist() == [-1.5]


@pytest.mark.parametrize(
    ("task", "loss"),
    [("single_label", "sparse_categorical_crossentropy"), ("multi_label", "binary_crossentropy")],
)
def test_losses_are_keras_s(task, loss):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20, 3)).astype(np.float32)
    single = task == "single_label"
    scores = np.asarray(keras.ops.softmax(logits) if single else keras.ops.sigmoid(logits))
    truth = generator.integers(0, 3, 20) if single else generator.integers(0, 2, (20, 3))
    wanted = keras.losses.get(loss)(truth, scores)
    np.testing.assert_allclose(losses(task, scores, truth, ONE), wanted, atol=1e-5)


def test_the_loss_of_numbers_is_in_squared_deviations():
    said, truth = np.array([[1.0, 300.0]]), np.array([[3.0, 100.0]])
    assert losses("regression", said, truth, np.array([2.0, 100.0])).tolist() == [2.5]


def test_the_interval_is_that_of_all_draws():
    """Of six pictures there are 46,656 draws with replacement; 2,000 of them tell the same to a step."""
    mine, theirs = np.array([1, 1, 1, 0, 1, 0.0]), np.array([0, 1, 0, 1, 0, 0.0])
    means = np.array([np.mean(draw) for draw in product(mine - theirs, repeat=6)])
    low, high = np.quantile(means, (0.025, 0.975))
    found = lead(mine, theirs)
    assert found.value == pytest.approx(2 / 6)
    assert found.low == pytest.approx(low, abs=1 / 6 + 1e-9)
    assert found.high == pytest.approx(high, abs=1 / 6 + 1e-9)


def test_many_pictures_give_the_interval_of_the_normal_distribution():
    generator = np.random.default_rng(0)
    mine, theirs = generator.normal(size=(2, 4000))
    found, margin = lead(mine, theirs), 1.96 * np.std(mine - theirs) / np.sqrt(4000)
    assert found.value - found.low == pytest.approx(margin, rel=0.1)
    assert found.high - found.value == pytest.approx(margin, rel=0.1)


def test_pictures_are_paired():
    """Whatever is hard is hard for both: what differs is told for sure."""
    hard = np.random.default_rng(0).normal(scale=100, size=50)
    found = lead(hard + 1, hard)
    assert found.low == pytest.approx(1) == found.high


def test_it_repeats_by_its_seed():
    mine, theirs = np.random.default_rng(0).integers(0, 2, (2, 30)).astype(float)
    assert lead(mine, theirs, seed=3) == lead(mine, theirs, seed=3)

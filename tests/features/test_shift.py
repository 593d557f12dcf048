"""domain_gap: the distance by hand and by SciPy, none from one's own pictures, and wrong use named."""

import json

import keras
import numpy as np
import pytest
from scipy.stats import norm, wasserstein_distance

from tfxfer.data import from_arrays
from tfxfer.errors import SettingError
from tfxfer.features import domain_gap
from tfxfer.features.shift import DomainGap, normal_distance
from tfxfer.models import build


def small_model(**settings):
    return build(**{"classes": 2, "backbone": "micro", "image_size": 32} | settings)


def normalizations(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.fixture(scope="module")
def noise():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    return from_arrays(pixels, [0, 1] * 20)


def test_the_distance_of_means_is_scipy_s():
    """With one spread, the distance is how far apart the means are, whichever the exponent."""
    quantiles = norm.ppf((np.arange(2000) + 0.5) / 2000)
    wanted = wasserstein_distance(3 + 2 * quantiles, 10 + 2 * quantiles) / 2
    means, variances = (np.array([3.0]), np.array([10.0])), (np.array([4.0]), np.array([4.0]))
    assert normal_distance(means, variances, epsilon=0.0) == pytest.approx([wanted])


def test_the_distance_is_that_of_sorted_draws():
    quantiles = norm.ppf((np.arange(20000) + 0.5) / 20000)
    wanted = np.sqrt(np.mean((3 + 2 * quantiles - (4 + 5 * quantiles)) ** 2)) / 2
    means, variances = (np.array([3.0]), np.array([4.0])), (np.array([4.0]), np.array([25.0]))
    assert normal_distance(means, variances, epsilon=0.0) == pytest.approx([wanted], rel=1e-3)


def test_a_layer_s_figure_is_numpy_s(noise):
    model = small_model()
    found = domain_gap(model, noise)
    pixels = np.concatenate([each for each, _ in noise.batches("train", image_size=32, shuffle=False)])
    first = normalizations(model)[0]
    values = np.asarray(keras.Model(model.inputs[0], first.input)(pixels), np.float64)
    values = values.reshape(-1, values.shape[-1])
    stored, spread = np.array(first.moving_mean, np.float64), np.array(first.moving_variance, np.float64)
    squares = (values.mean(axis=0) - stored) ** 2 + (values.std(axis=0) - np.sqrt(spread)) ** 2
    wanted = np.sqrt(squares / (spread + first.epsilon)).mean()
    assert found.stages[0].value == pytest.approx(wanted, rel=1e-3)
    assert found.images == len(noise.split.train)
    assert found.value > found.stages[0].value / 10


def test_one_s_own_pictures_are_no_distance_off(noise):
    """Layer by layer, each is given the moments that it sees."""
    model = small_model()
    before = domain_gap(model, noise).value
    pixels = np.concatenate([each for each, _ in noise.batches("train", image_size=32, shuffle=False)])
    for layer in normalizations(model):
        values = np.asarray(keras.Model(model.inputs[0], layer.input)(pixels), np.float64)
        values = values.reshape(-1, values.shape[-1])
        layer.moving_mean.assign(values.mean(axis=0))
        layer.moving_variance.assign(values.var(axis=0))
    assert domain_gap(model, noise).value < 0.01 < before


def test_a_sample_is_drawn_by_its_seed(noise):
    model = small_model()
    one, other = (domain_gap(model, noise, images=8, seed=seed) for seed in (0, 1))
    assert one.images == other.images == 8
    assert one.value != other.value
    assert domain_gap(model, noise, images=8) == one


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (0.15, "near, and the default plan is what to begin with"),
        (0.5, "some way off, and more top blocks may learn (top_blocks, or plan='gradual')"),
        (0.66, "far off, and most of it may have to learn (plan='full')"),
    ],
)
def test_it_is_one_sentence_with_what_it_suggests(value, advice):
    gap = DomainGap("micro", value, (), 512)
    assert str(gap) == (
        f"512 pictures are {value:.2f} standard deviations from those that micro was pretrained on: {advice}."
    )
    assert json.loads(json.dumps(gap.to_dict()))["advice"] == advice


def test_what_cannot_be_told_is_refused(noise, says):
    message = (
        "convnext_tiny has no BatchNorm layer that can be looked into, so how far pictures are from those of "
        "its pretraining cannot be told; tfxfer.rank compares backbones by their features."
    )
    with pytest.raises(SettingError, match=says(message)):
        domain_gap(small_model(backbone="convnext_tiny", weights=None), noise)
    message = "the BatchNorm layers of micro have seen no pictures; build it with pretrained weights."
    with pytest.raises(SettingError, match=says(message)):
        domain_gap(small_model(weights=None), noise)
    with pytest.raises(SettingError, match=says("images must be at least 2, got 1.")):
        domain_gap(small_model(), noise, images=1)

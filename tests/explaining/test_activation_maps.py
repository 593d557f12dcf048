"""Grad-CAM and Grad-CAM++ against networks worked out by hand and derivatives taken by brute force."""

import itertools

import keras
import numpy as np
import pytest

from tfxfer.explaining import class_activation
from tfxfer.explaining.activation_maps import alphas

GENERATOR = np.random.default_rng(0)
PICTURES = GENERATOR.integers(0, 256, (3, 6, 4, 3)).astype(np.float32)
KERNEL = GENERATOR.normal(size=(2, 2, 3, 5)).astype(np.float32) / 100
HIDDEN = GENERATOR.normal(size=(3 * 2 * 5, 4)).astype(np.float32)
WEIGHTS = {"pooled": GENERATOR.normal(size=(5, 2)), "flattened": GENERATOR.normal(size=(4, 2))}
LABELS = np.array([0, 1, 1])


def network(kind, scores=None):
    """One convolution with ReLU, then pooling, or a hidden layer, then the class scores."""
    image = keras.Input((6, 4, 3), name="image")
    x = keras.layers.Conv2D(5, 2, 2, use_bias=False, activation="relu", name="body")(image)
    if kind == "flattened":
        x = keras.layers.Flatten(name="flat")(x)
        x = keras.layers.Dense(4, use_bias=False, activation="relu", name="hidden")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    x = keras.layers.Dense(2, name="head_logits")(x)
    model = keras.Model(image, (scores or keras.layers.Softmax(name="head_scores"))(x))
    model.get_layer("body").set_weights([KERNEL])
    if kind == "flattened":
        model.get_layer("hidden").set_weights([HIDDEN])
    model.get_layer("head_logits").set_weights([WEIGHTS[kind], np.array([0.3, -0.2])])
    return model


def features_by_hand():
    """Convolve in NumPy: patches of 2 x 2 do not overlap."""
    patches = PICTURES.reshape(3, 3, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(3, 3, 2, 12)
    return np.maximum(patches.astype(np.float64) @ KERNEL.reshape(12, 5), 0)


def gradients_by_hand(kind, features):
    """Derive the class score by each feature."""
    weights = WEIGHTS[kind]
    if kind == "pooled":
        return np.broadcast_to((weights[:, LABELS].T / 6)[:, None, None], features.shape)
    on = features.reshape(3, 30) @ HIDDEN > 0
    return np.einsum("nh,fh,hn->nf", on, HIDDEN, weights[:, LABELS]).reshape(features.shape)


@pytest.mark.parametrize("kind", ["pooled", "flattened"])
def test_grad_cam_is_what_it_is_by_hand(kind):
    features = features_by_hand()
    channels = gradients_by_hand(kind, features).mean(axis=(1, 2))
    expected = np.maximum(np.einsum("nijk,nk->nij", features, channels), 0)
    assert (expected > 0).any()
    found = class_activation(network(kind))(PICTURES, LABELS)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["pooled", "flattened"])
def test_grad_cam_plus_plus_is_what_it_is_by_hand(kind):
    features = features_by_hand()
    gradients = gradients_by_hand(kind, features)
    weights = np.zeros((3, 5))
    for n, k in itertools.product(range(3), range(5)):
        for i, j in itertools.product(range(3), range(2)):
            if (g := gradients[n, i, j, k]) > 0:
                weights[n, k] += g * g**2 / (2 * g**2 + features[n, :, :, k].sum() * g**3)
    expected = np.maximum(np.einsum("nijk,nk->nij", features, weights), 0)
    found = class_activation(network(kind), plus_plus=True)(PICTURES, LABELS)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_alphas_are_the_paper_s_quotient_of_derivatives():
    """Take the second and third derivatives of exp(score) by finite differences."""
    features, step = GENERATOR.random((1, 2, 3, 4)), 1e-2
    gradients = GENERATOR.normal(size=features.shape) / 3

    def exp_score(place, by):
        moved = features.copy()
        moved[place] += by * step
        return np.exp((gradients * moved).sum())

    expected = np.empty(features.shape)
    for place in np.ndindex(features.shape):
        at = {by: exp_score(place, by) for by in (-2, -1, 0, 1, 2)}
        second = (at[1] - 2 * at[0] + at[-1]) / step**2
        third = (at[2] - 2 * at[1] + 2 * at[-1] - at[-2]) / (2 * step**3)
        expected[place] = second / (2 * second + features[0, :, :, place[3]].sum() * third)
    np.testing.assert_allclose(alphas(features, gradients), expected, rtol=1e-3)


def test_where_nothing_depends_on_a_feature_its_alpha_is_0():
    assert (alphas(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1))) == 0).all()


def test_the_score_is_taken_before_softmax_and_sigmoid_but_a_number_in_its_unit():
    plain = class_activation(network("pooled"))(PICTURES, LABELS)
    sigmoid = keras.layers.Activation("sigmoid", name="head_scores")
    np.testing.assert_array_equal(class_activation(network("pooled", sigmoid))(PICTURES, LABELS), plain)
    numbers = keras.layers.Rescaling([2.0, 3.0], offset=[5.0, 7.0], name="head_scores")
    found = class_activation(network("pooled", numbers))(PICTURES, LABELS)
    np.testing.assert_allclose(found, plain * np.array([2, 3, 3])[:, None, None], rtol=1e-5)

"""integrated_gradients: shares add up to the difference of scores; of a linear model they are its terms."""

import keras
import numpy as np
import pytest

from tests.explaining.conftest import CLASSES
from tests.hub_modules import of_bytes
from tfxfer.errors import SettingError
from tfxfer.explaining import integrated_gradients, path_gradients
from tfxfer.models import build


def differences(model, images, labels, baseline=127.5):
    """Return what pictures make of a score that one of one grey does not."""
    scores = model.predict(images, verbose=0)[np.arange(len(labels)), labels]
    (grey,) = model.predict(np.full_like(images[:1], baseline), verbose=0)
    return scores - grey[labels]


def test_shares_add_up_to_the_difference_of_scores(fitted, unseen):
    images, labels = unseen.images[:3].astype(np.float32), unseen.labels[:3]
    shares = integrated_gradients(fitted, images, labels)
    assert shares.shape == images.shape
    np.testing.assert_allclose(
        shares.sum(axis=(1, 2, 3)), differences(fitted, images, labels), rtol=0.05, atol=2e-3
    )


def test_more_points_are_taken_where_shares_do_not_add_up(fitted, unseen, monkeypatch):
    images, labels = unseen.images[:1].astype(np.float32), unseen.labels[:1]
    (expected,) = differences(fitted, images, labels, baseline=0)
    off = []
    for steps in ((2,), (2, 128)):
        monkeypatch.setattr(path_gradients, "_STEPS", steps)
        off.append(abs(integrated_gradients(fitted, images, labels, baseline=0).sum() / expected - 1))
    assert off[0] > 0.05 >= off[1]


def test_of_a_linear_model_they_are_its_terms():
    image = keras.Input((4, 5, 3))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    kernel, _ = model.get_weights()
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    shares = integrated_gradients(model, pictures, np.array([1, 0]), baseline=20)
    expected = (pictures - 20) * kernel.T[[1, 0]].reshape(2, 4, 5, 3)
    np.testing.assert_allclose(shares, expected, rtol=1e-4, atol=1e-4)


def test_of_a_square_they_are_exact():
    """The path from b to x: the integral of 2 (b + a (x - b)) (x - b) over a in 0..1 is x^2 - b^2."""
    image = keras.Input((2, 2, 3))
    model = keras.Model(image, keras.ops.sum(keras.ops.square(image), axis=(1, 2))[:, :2])
    pictures = np.random.default_rng(0).uniform(0, 255, (1, 2, 2, 3)).astype(np.float32)
    shares = integrated_gradients(model, pictures, np.array([1]), baseline=100)
    expected = np.where(np.arange(3) == 1, pictures**2 - 100.0**2, 0)
    np.testing.assert_allclose(shares, expected, rtol=1e-4, atol=1e-2)


def test_a_backbone_that_takes_bytes_is_refused(tmp_path, says):
    module = of_bytes(tmp_path / "bytes")
    model = build(classes=CLASSES, backbone=f"hub:{module}", image_size=32, pixel_range=(0, 255))
    message = (
        "hub_bytes lets no gradient through to its pixels, so there is none to integrate; take the method "
        "'occlusion'."
    )
    with pytest.raises(SettingError, match=says(message)):
        integrated_gradients(model, np.zeros((1, 32, 32, 3), np.float32), np.array([0]))

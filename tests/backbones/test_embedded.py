"""micro: a small residual network over scaled pixels."""

import h5py
import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.backbones.embedded import micro, residual
from tfxfer.backbones.weights_file import embedded_file


@pytest.mark.parametrize("size", [32, 64, 96])
def test_the_last_map_is_a_sixteenth_of_the_picture(size):
    model = micro(keras.Input((size, size, 3)))
    spec = BACKBONES["micro"]
    assert model.output_shape == (None, size // 16, size // 16, spec.features)


def test_every_stage_has_its_layer():
    model = micro(keras.Input((64, 64, 3)))
    assert all(model.get_layer(stage.output) for stage in BACKBONES["micro"].stages)


def test_the_weights_file_is_small_and_its_weights_are_whole():
    file = embedded_file("micro")
    assert file.stat().st_size <= 1_500_000
    with h5py.File(file) as saved:
        kinds = set()
        saved.visititems(lambda _, item: kinds.add(item.dtype.name) if hasattr(item, "dtype") else None)
    assert kinds == {"float16", "float32"}
    assert {weight.dtype for weight in build_backbone(BACKBONES["micro"]).weights} == {"float32"}


def test_the_old_channels_say_what_the_first_step_taught_them():
    """The second step only adds channels, so nothing that was learnt is lost."""
    pixels = np.random.default_rng(0).uniform(-1, 1, (4, 64, 64, 3)).astype("float32")
    image = keras.Input((64, 64, 3))
    first, both = residual(image, (32, 64, 128)), micro(image)
    first.load_weights(embedded_file("micro").with_name("questions.weights.h5"))
    both.load_weights(embedded_file("micro"))
    old, new = first.predict(pixels, verbose=0), both.predict(pixels, verbose=0)[..., :128]
    assert np.corrcoef(old.ravel(), new.ravel())[0, 1] > 0.9999

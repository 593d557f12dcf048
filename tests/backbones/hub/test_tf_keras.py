"""Modules as TensorFlow Hub's own were made: written by tf_keras, in a process of its own."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tfxfer.backbones import HubLayer
from tfxfer.models import build, set_trainable

WRITE = """
import numpy, sys, tf_keras
tf_keras.utils.set_random_seed(0)
settings = {"alpha": 0.35, "weights": None, "pooling": "avg", "include_top": False}
network = tf_keras.applications.MobileNetV2((96, 96, 3), **settings)
for layer in network.layers:
    if hasattr(layer, "kernel_regularizer"):
        layer.kernel_regularizer = tf_keras.regularizers.L2(1e-4)
network = tf_keras.Model.from_config(network.get_config())
network.save(sys.argv[1], save_format="tf")
pixels = numpy.random.default_rng(0).random((2, 96, 96, 3)).astype("float32")
numpy.save(sys.argv[2], network(pixels, training=False).numpy())
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tf_keras")
    files = [str(folder / "mobilenet"), str(folder / "features.npy")]
    done = subprocess.run([sys.executable, "-c", WRITE, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return files[0], np.load(files[1])


@pytest.mark.slow
def test_what_tf_keras_wrote_computes_learns_and_travels(written, tmp_path):
    folder, features = written
    layer = HubLayer(folder, trainable=True)
    pixels = np.random.default_rng(0).random((2, 96, 96, 3)).astype("float32")
    np.testing.assert_allclose(layer(pixels), features, atol=1e-5)
    assert len(layer.stages) == 18
    assert len(layer.facts.variables) == 260
    layer(pixels, training=True)
    assert len(layer.losses) == 35
    model = build(classes=2, backbone=f"hub:{folder}", pixel_range=(-1, 1))
    set_trainable(model, "all", batch_norm="train")
    before = model.get_weights()
    model.compile("adam", "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3)).astype("uint8")
    model.fit(images, np.arange(8) % 2, verbose=0)
    moved = [(one != other).any() for one, other in zip(before, model.get_weights(), strict=True)]
    assert sum(moved) == 262
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
    loaded.fit(images, np.arange(8) % 2, verbose=0)

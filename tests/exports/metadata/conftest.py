"""Small .tflite files as converters write them, and a Python that has MediaPipe."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.data import from_folder, read_image
from tfxfer.exports.metadata.facts import FileFacts
from tfxfer.models import build
from tfxfer.training import Phase, fit

SIZE = (12, 20)
IMAGES = np.random.default_rng(1).integers(0, 256, (20, *SIZE, 3)).astype(np.uint8)
# Black and white, so that the range of the quantized input is that of pixels.
IMAGES[:, 0, :2] = [[0] * 3, [255] * 3]
CLIENT = Path(__file__).with_name("mediapipe_client.py")
collect_ignore = [CLIENT.name]  # runs elsewhere


def small_model(*further):
    """A network of three classes on pictures of 12 x 20, and perhaps of further outputs."""
    keras.utils.set_random_seed(3)
    image = keras.Input((*SIZE, 3))
    maps = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(
        keras.layers.Rescaling(1 / 127.5, -1)(image)
    )
    scores = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(maps))
    return keras.Model(image, [scores, *(make(scores) for make in further)] if further else scores)


def converted(model, folder, images=None, *, takes=tf.uint8):
    """Convert as phones take it; to int8, float32 out, where there are pictures."""
    model.export(folder, format="tf_saved_model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if images is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis].astype("float32")] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = takes
    return bytes(converter.convert())


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A float32 file."""
    return converted(small_model(), tmp_path_factory.mktemp("plain") / "model")


@pytest.fixture(scope="session")
def quantized(tmp_path_factory):
    """An int8 file that takes uint8."""
    return converted(small_model(), tmp_path_factory.mktemp("quantized") / "model", IMAGES)


@pytest.fixture(scope="session")
def facts():
    return FileFacts(
        name="petals",
        task="single_label",
        labels=("Gänseblümchen", "daisy, wild", "rose"),
        resize="crop",
        temperature=1.25,
        reject_threshold=0.4,
        card_sha256="ab" * 32,
    )


@pytest.fixture(scope="session")
def photographs(real_data, imagenet_home):
    """A model of ants and bees, their photos, a hundred of training and fifty to test, as it takes them."""
    photos = from_folder(real_data / "hymenoptera")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
        model = build(photos, backbone="mobilenet_v2_035")
    fit(model, photos, plan=[Phase("head", epochs=3, rate=1e-3)], progress=False)

    def decoded(part, count):
        chosen = photos.split[part][:: len(photos.split[part]) // count][:count]
        contents = dict(photos.contents(chosen))
        images = [read_image(contents[each], height=224, width=224, resize=photos.resize) for each in chosen]
        return np.stack(images)

    train = decoded("train", 100)
    train[:, 0, :2] = [[0] * 3, [255] * 3]
    return model, photos, train, decoded("test", 50)


@pytest.fixture(scope="session")
def ask_mediapipe():
    """A function that has MediaPipe classify the pictures of a folder, or a skip where there is none."""
    python = os.environ.get("TFXFER_MEDIAPIPE")
    if python is None:
        if importlib.util.find_spec("mediapipe") is None:
            pytest.skip("MediaPipe is not installed here; TFXFER_MEDIAPIPE names a Python that has it.")
        python = sys.executable

    def ask(tflite, folder):
        told = subprocess.run(
            [python, str(CLIENT), str(tflite), str(folder)], capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    return ask

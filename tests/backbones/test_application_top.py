"""pretrained_top: the layers and weights that a backbone was pretrained with, on its own map."""

import urllib.error

import keras
import numpy as np
import pytest

from tests.pretrained import FILE, NAME, write_pretrained
from tfxfer.backbones import BACKBONES, build_backbone, pretrained_top
from tfxfer.backbones.from_applications import called, keras_cache
from tfxfer.errors import SettingError, WeightsError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A Keras home without weights."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_on_the_map_it_gives_what_the_whole_network_gives(home):
    whole = write_pretrained(home)
    backbone = build_backbone(BACKBONES[NAME])
    top = pretrained_top(backbone, BACKBONES[NAME])
    assert top.place == "conv_pw_13_relu"
    model = keras.Model(backbone.input, top.logits(backbone))
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    expected = whole.predict(pictures / 127.5 - 1, verbose=0)
    np.testing.assert_allclose(model.predict(pictures, verbose=0), expected, rtol=1e-3, atol=1e-4)
    smaller = build_backbone(BACKBONES[NAME], input_shape=(64, 96, 3))
    assert pretrained_top(smaller, BACKBONES[NAME]).layers.output_shape == (None, 1000)


def test_a_file_out_of_reach_is_named_and_the_way_out_is_to_do_without(home, monkeypatch, says):
    def fail(*_):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", fail)
    backbone = build_backbone(BACKBONES[NAME], weights=None)
    message = (
        f"no ImageNet weights for {NAME} with its classification layer: {FILE} is not in {home / 'models'} "
        "and cannot be fetched from https://storage.googleapis.com/tensorflow/keras-applications/"
        "mobilenet/; connect and try again, put the file into that folder (KERAS_HOME moves it), or "
        "leave co_tuning out."
    )
    assert keras_cache() == home / "models"
    with pytest.raises(WeightsError, match=says(message)):
        pretrained_top(backbone, BACKBONES[NAME])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2_035",
        "mobilenet_v3_small",
        "efficientnet_v2_b0",
        "convnext_tiny",
        "densenet121",
        "resnet50_v2",
    ],
)
def test_each_family_goes_on_where_its_map_ends(name, monkeypatch):
    """What the whole network pools last is what the layers stand on."""
    spec = BACKBONES[name]
    whole = called(spec, keras.Input(spec.input.shape), weights=None, top=True)
    monkeypatch.setattr("tfxfer.backbones.application_top.called", lambda *_, **__: whole)
    _, layers = pretrained_top(build_backbone(spec, weights=None), spec, weights=None)
    pool = [each for each in whole.layers if isinstance(each, keras.layers.GlobalAveragePooling2D)][-1]
    tapped = keras.Model(whole.input, [pool.input, whole.output])
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, *spec.input.shape)).astype(np.float32)
    last, expected = tapped.predict(pictures, verbose=0)
    np.testing.assert_allclose(layers.predict(last, verbose=0), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_layers_that_take_one_size_alone_say_so(says):
    backbone = build_backbone(BACKBONES["vgg16"], input_shape=(96, 96, 3), weights=None)
    message = (
        "the classification layer of vgg16 takes pictures of 224 x 224 alone, got 96 x 96; build the model "
        "at that size, or leave co_tuning out."
    )
    with pytest.raises(SettingError, match=says(message)):
        pretrained_top(backbone, BACKBONES["vgg16"], weights=None)

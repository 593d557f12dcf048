"""build_hub: raw RGB in, features out; size and range are found or asked for, never guessed."""

import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tests import hub_modules
from tfxfer.backbones import HubLayer
from tfxfer.backbones.hub.builder import build_hub
from tfxfer.errors import SettingError

PIXELS = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return hub_modules.reusable(tmp_path_factory.mktemp("hub") / "My-Module.v1", size=32)


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (0, 255)], ids=str)
def test_pixels_are_brought_to_the_module_s_range(module, values):
    model = build_hub(str(module), pixel_range=values)
    low, high = values
    expected = tf.saved_model.load(str(module))(PIXELS / 255 * (high - low) + low, training=False)
    np.testing.assert_allclose(model.predict(PIXELS, verbose=0), expected, atol=1e-4)


def test_its_only_layer_with_weights_is_the_module(module):
    model = build_hub(str(module), pixel_range=(0, 1))
    assert model.name == "hub_my_module_v1"
    assert [type(layer) for layer in model.layers if layer.weights] == [HubLayer]
    assert [layer.name for layer in model.layers] == [
        "image",
        "preprocess_rescaling",
        "hub_my_module_v1_module",
    ]


def test_size_is_found_in_the_module(module):
    assert build_hub(str(module), pixel_range=(0, 1)).input_shape == (None, 32, 32, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {},
            "hub:{module} does not say which values it takes for black and white; pass pixel_range=(0, 1) "
            "(--pixel-range 0..1), the convention of TensorFlow Hub's image modules, or (-1, 1) or (0, 255) "
            "where the module's page says so.",
        ),
        (
            {"pixel_range": (1, 0)},
            "pixel_range must be two rising numbers, got (1, 0); pass pixel_range=(0, 1) (--pixel-range "
            "0..1), the convention of TensorFlow Hub's image modules, or (-1, 1) or (0, 255) where the "
            "module's page says so.",
        ),
        (
            {"pixel_range": (0, 1), "image_size": (64, 64)},
            "hub:{module} takes no pictures of 64 x 64 pixels: it was traced for 32 x 32 x 3; pass that as "
            "image_size.",
        ),
        (
            {"pixel_range": (0, 1), "weights": None},
            "a hub module comes with its weights, so weights must be 'pretrained', got None.",
        ),
    ],
    ids=["no range", "falling range", "size", "weights"],
)
def test_what_is_not_known_is_asked_for(module, settings, message, says):
    with pytest.raises(SettingError, match=says(message.format(module=module.name))):
        build_hub(str(module), **settings)


def test_bytes_need_no_range(tmp_path, says):
    folder = hub_modules.of_bytes(tmp_path / "module")
    model = build_hub(str(folder))
    np.testing.assert_allclose(model.predict(PIXELS, verbose=0), PIXELS.mean(axis=(1, 2)), rtol=1e-5)
    message = f"hub:{folder.name} takes bytes, so pixel_range must be (0, 255) or left out, got (0, 1)."
    with pytest.raises(SettingError, match=says(message)):
        build_hub(str(folder), pixel_range=(0, 1))


def test_features_without_a_head_are_refused(tmp_path, says):
    folder = hub_modules.of_tokens(tmp_path / "module")
    message = (
        f"hub:{folder.name} gives features of shape (None, 1024, 3), for which there is no head; take a "
        "module that gives (batch, channels) or (batch, rows, columns, channels)."
    )
    with pytest.raises(SettingError, match=says(message)):
        build_hub(str(folder), pixel_range=(0, 1))


def test_where_it_lay_is_not_in_the_file(module, tmp_path):
    build_hub(str(module), pixel_range=(0, 1)).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert str(module.parent) not in file.read("config.json").decode()

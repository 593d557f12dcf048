"""find_spatial_map: the last map before pooling of every backbone, or a refusal by name."""

import gc

import keras
import numpy as np
import pytest

from tests.families import every_backbone
from tests.hub_modules import reusable
from tests.test_battery import pictures, settle
from tfxfer.backbones import BACKBONES
from tfxfer.errors import SettingError
from tfxfer.explaining import class_activation, find_spatial_map
from tfxfer.models import build

try:
    from tests import keras_hub_presets as presets
except ImportError:
    presets = None

VECTOR = (
    "{} gives its head a vector that comes of no map of the picture, so Grad-CAM has nothing to show; take "
    "the method 'integrated-gradients' or 'occlusion'."
)
WITHOUT_MAP = {"ViT", "DeiT", "DINOV3"}
"""Families of KerasHub that give their class token."""


@pytest.fixture(autouse=True)
def room_for_the_next():
    keras.utils.set_random_seed(0)  # against some random weights everything speaks
    yield
    keras.backend.clear_session()
    gc.collect()


def gives_maps(model):
    """Hold both methods to finite maps, not the same everywhere, of the size that was found."""
    found = find_spatial_map(model)
    images = pictures(model)
    assert found.rows * found.columns > 1
    for plus_plus in (False, True):
        explain = class_activation(model, plus_plus=plus_plus)
        # A class against which everything speaks has an empty map; not so all of them.
        classes = model.output_shape[-1]
        maps = np.concatenate([explain(images, np.full(len(images), label)) for label in range(classes)])
        assert maps.shape == (classes * len(images), found.rows, found.columns)
        assert np.isfinite(maps).all()
        assert (maps >= 0).all()
        assert any(np.ptp(each) > 1e-3 * each.max() > 0 for each in maps)


@pytest.mark.parametrize("name", every_backbone(quick=["micro"]))
def test_the_catalogue(name):
    size = max(BACKBONES[name].minimum, 64)
    model = build(classes=3, backbone=name, image_size=size, weights=None)
    settle(model)
    gives_maps(model)


def test_a_map_of_one_place_is_passed_over():
    model = build(classes=3, backbone="vgg16", image_size=32, weights=None)
    assert model.get_layer("head_pool").input.shape[1:3] == (1, 1)
    found = find_spatial_map(model)
    assert (found.rows, found.columns) == (2, 2)
    assert found.tensor._keras_history.operation.name == "block5_conv3"


def test_pictures_need_not_be_square():
    found = find_spatial_map(build(classes=2, backbone="micro", image_size=(64, 96)))
    assert (found.rows, found.columns) == (4, 6)


def test_a_module_of_tensorflow_hub(hub_module):
    gives_maps(build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1)))


def test_a_module_that_gives_vectors_is_refused(tmp_path, says):
    module = reusable(tmp_path / "vectors", pooled=True)
    model = build(classes=3, backbone=f"hub:{module}", image_size=32, pixel_range=(0, 1))
    with pytest.raises(SettingError, match=says(VECTOR.format("hub_vectors"))):
        class_activation(model)


@pytest.mark.skipif(presets is None, reason="needs the extra kerashub")
@pytest.mark.filterwarnings("ignore:`build.*` was called on layer 'patch_and_embed:UserWarning")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name.startswith("ViT") else pytest.mark.slow)
        for name in (presets.CONFIGS if presets else ())
    ],
)
def test_a_preset_of_keras_hub(name, tmp_path, says):
    folder = presets.write_preset(tmp_path / "preset", name)
    model = build(classes=12, backbone=f"kerashub:{folder}")
    if name in WITHOUT_MAP:
        with pytest.raises(SettingError, match=says(VECTOR.format("kerashub_preset"))):
            find_spatial_map(model)
    else:
        gives_maps(model)


def built_on(model, folder):
    model.save(folder / "theirs.keras")
    return build(classes=3, backbone=f"file:{folder / 'theirs.keras'}", pixel_range=(0, 1))


def test_anybody_s_model_that_flattens_its_map(tmp_path):
    layers = [
        keras.Input((32, 32, 3)),
        keras.layers.Conv2D(8, 3, 4, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(5, activation="softmax"),
    ]
    gives_maps(built_on(keras.Sequential(layers), tmp_path))


def test_anybody_s_model_without_a_map_is_refused(tmp_path, says):
    layers = [
        keras.Input((16, 16, 3)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(5, activation="softmax"),
    ]
    model = built_on(keras.Sequential(layers), tmp_path)
    with pytest.raises(SettingError, match=says(VECTOR.format("file_theirs"))):
        find_spatial_map(model)

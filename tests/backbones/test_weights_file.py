"""fill_from_file: weights by position or by name, and no code from a file."""

import h5py
import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.backbones.weights_file import embedded_file
from tfxfer.errors import WeightsError

MICRO = BACKBONES["micro"]
REMEDY = "pass a .weights.h5, .h5 or .keras file of micro."


@pytest.fixture(scope="module")
def backbone():
    return build_backbone(MICRO, weights=None)


def assert_same(one, other):
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def with_head(backbone):
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    return keras.Model(backbone.input, keras.layers.Dense(3)(x))


def test_weights_alone_come_back(backbone, tmp_path):
    backbone.save_weights(tmp_path / "mine.weights.h5")
    assert_same(build_backbone(MICRO, weights=tmp_path / "mine.weights.h5"), backbone)
    assert_same(build_backbone(MICRO, weights=str(tmp_path / "mine.weights.h5")), backbone)


@pytest.mark.parametrize("headed", [False, True], ids=["backbone", "with a head"])
def test_a_saved_model_gives_its_layers_by_name(headed, backbone, tmp_path):
    saved = with_head(backbone) if headed else backbone
    saved.save(tmp_path / "mine.keras")
    assert_same(build_backbone(MICRO, weights=tmp_path / "mine.keras"), backbone)


def test_a_model_that_plain_keras_saved_fits(tmp_path):
    """Its layers have numbers from the session, and lie within another model."""
    shape = (80, 80, 3)
    keras.layers.ReLU()(keras.Input(shape))
    base = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=shape)
    keras.Sequential([base, keras.layers.GlobalAveragePooling2D()]).save(tmp_path / "plain.keras")
    ours = build_backbone(
        BACKBONES["mobilenet_v3_small"], input_shape=shape, weights=tmp_path / "plain.keras"
    )
    pixels = np.random.default_rng(3).uniform(0, 255, (1, *shape)).astype("float32")
    np.testing.assert_allclose(ours(pixels), base(pixels), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.weights.h5", "there is no weights file {file}; " + REMEDY),
        ("none.ckpt", "{file} is no weights file by its name; " + REMEDY),
    ],
    ids=["missing", "suffix"],
)
def test_what_is_no_weights_file_is_named(name, message, tmp_path, says):
    file = tmp_path / name
    with pytest.raises(WeightsError, match=says(message.format(file=file))):
        build_backbone(MICRO, weights=file)


def test_a_file_that_is_not_hdf5_is_named(tmp_path, says):
    file = tmp_path / "broken.weights.h5"
    file.write_bytes(b"hello")
    message = (
        f"{file} is not a readable HDF5 file; it may be cut short: get it again, or pass another weights "
        "file of micro."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(MICRO, weights=file)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_a_file_of_another_model_is_named(suffix, tmp_path, says):
    image = keras.Input((64, 64, 3))
    other = keras.Model(image, keras.layers.Conv2D(2, 3, name="stem_conv")(image))
    file = tmp_path / f"other{suffix}"
    other.save_weights(file) if suffix == ".weights.h5" else other.save(file)
    message = (
        f"{file} does not fit micro: stem_conv: the file has (3, 3, 3, 2) and (2,), micro (3, 3, 3, 24); "
        "stem_bn: only micro has it; block_1_conv1: only micro has it; ... and 17 more; pass a file that was "
        "saved from micro."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(MICRO, weights=file)


def test_a_file_that_is_not_of_keras_is_named(tmp_path, says):
    file = tmp_path / "other.weights.h5"
    with h5py.File(file, "w") as opened:
        opened.create_group("layers/vars").attrs["name"] = b"x"
        opened["layers/vars/0"] = h5py.ExternalLink("nowhere.h5", "/x")
    message = (
        f"{file} cannot be read as weights of Keras; it may be damaged: get it again, or pass another "
        "weights file of micro."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(MICRO, weights=file)


def test_a_legacy_file_of_another_backbone_is_named(imagenet_home, says):
    file = imagenet_home / "models" / "mobilenet_7_5_224_tf_no_top.h5"
    message = (
        f"{file} does not fit mobilenet_v2_035: in order, since no name is the same, Conv1 (conv1 in the "
        "file): the file has (3, 3, 3, 24), mobilenet_v2_035 (3, 3, 3, 16); bn_Conv1 (conv1_bn in the file): "
        "the file has (24,), mobilenet_v2_035 (16,); expanded_conv_depthwise (conv_dw_1 in the file): the "
        "file has (3, 3, 24, 1), mobilenet_v2_035 (3, 3, 16, 1); ... and 51 more; pass a file that was saved "
        "from mobilenet_v2_035. By its number of parameters it may be of mobilenet_075."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(BACKBONES["mobilenet_v2_035"], weights=file)


def test_of_a_whole_model_as_h5_only_weights_are_taken(backbone, tmp_path, monkeypatch):
    file = tmp_path / "whole.h5"
    backbone.save(file)
    monkeypatch.setattr(keras.Model, "from_config", lambda *_: pytest.fail("read the architecture"))
    assert_same(build_backbone(MICRO, weights=file), backbone)


def test_a_saved_model_with_code_in_it_is_refused(tmp_path, says):
    file = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)]).save(file)
    message = (
        f"{file} does not open in Keras's safe mode: it is damaged, or it needs code from elsewhere; pass a "
        ".weights.h5 file of micro instead."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(MICRO, weights=file)


def test_embedded_weights_are_found_and_fit():
    file = embedded_file("micro")
    assert_same(build_backbone(MICRO), build_backbone(MICRO, weights=file))


def test_embedded_weights_that_are_missing_are_named(says, monkeypatch, tmp_path):
    package = tmp_path / "tfxfer"
    monkeypatch.setattr("importlib.resources.files", lambda _: package)
    message = (
        f"the weights of nothing are missing: saved_models/nothing/nothing.weights.h5 is neither in "
        f"{package} nor in {tmp_path}; install tfxfer again, or pass weights=None for random ones."
    )
    with pytest.raises(WeightsError, match=says(message)):
        embedded_file("nothing")

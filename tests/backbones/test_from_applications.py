"""build_application: ImageNet weights from Keras's cache, and plain words where they cannot be had."""

import http.client
import shutil
import urllib.error
from pathlib import Path

import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.backbones.from_applications import keras_cache
from tfxfer.errors import WeightsError

NAME = "mobilenet_v2_035"
FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
ORIGIN = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
WAYS_OUT = (
    "connect and try again, put the file into that folder (KERAS_HOME moves it), pass a weights file "
    "(`--weights FILE`), or take the backbone that comes with tfxfer (`--backbone micro`)."
)


@pytest.fixture
def empty_home(tmp_path, monkeypatch) -> Path:
    """A Keras home without weights."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def unplug(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", fail)


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("Name or service not known"),
        urllib.error.HTTPError(ORIGIN + FILE, 404, "Not Found", None, None),
    ],
    ids=["no network", "no file"],
)
def test_weights_out_of_reach_name_the_file_and_the_ways_out(error, empty_home, monkeypatch, says):
    unplug(monkeypatch, error)
    message = (
        f"no ImageNet weights for {NAME}: {FILE} is not in {empty_home / 'models'} and cannot be fetched "
        f"from {ORIGIN}; {WAYS_OUT}"
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(BACKBONES[NAME])


@pytest.mark.parametrize(
    "error",
    [TimeoutError("timed out"), ConnectionResetError("reset"), http.client.IncompleteRead(b"")],
    ids=["timeout", "reset", "incomplete"],
)
def test_a_connection_that_breaks_is_told_alike(error, empty_home, monkeypatch, says):
    unplug(monkeypatch, error)
    message = (
        f"no ImageNet weights for {NAME}: the file of {NAME} is not in {empty_home / 'models'} and cannot "
        f"be fetched from the network; {WAYS_OUT}"
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(BACKBONES[NAME])


@pytest.mark.usefixtures("empty_home")
def test_other_failures_pass_as_they_are(monkeypatch):
    unplug(monkeypatch, OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left on device") as caught:
        build_backbone(BACKBONES[NAME])
    assert not isinstance(caught.value, WeightsError)


def test_a_file_cut_short_in_the_cache_is_named(empty_home, says):
    (empty_home / "models" / FILE).write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    message = (
        f"the ImageNet weights of {NAME} in {empty_home / 'models'} are damaged, perhaps by a broken "
        f"download; delete {FILE} there and try again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(BACKBONES[NAME])


def test_a_download_with_another_digest_is_named(empty_home, monkeypatch, says):
    monkeypatch.setattr(
        "keras.src.utils.file_utils.urlretrieve", lambda _, target, __: Path(target).write_text("hello")
    )
    message = (
        f"the ImageNet weights of vgg16 in {empty_home / 'models'} are damaged, perhaps by a broken "
        "download; delete vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 there and try again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_backbone(BACKBONES["vgg16"])


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v2_035", "mobilenet_075"])
def test_imagenet_weights_are_those_of_keras(name, imagenet_home, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    assert keras_cache() == imagenet_home / "models"
    spec = BACKBONES[name]
    ours = build_backbone(spec)
    function = getattr(keras.applications, spec.builder.partition(":")[2])
    theirs = function(include_top=False, input_shape=spec.input.shape, **dict(spec.options))
    pixels = np.random.default_rng(1).integers(0, 256, (1, *spec.input.shape)).astype("float32")
    expected = np.asarray(theirs(pixels / 127.5 - 1))
    assert expected.std() > 0.1
    np.testing.assert_allclose(ours(pixels), expected, rtol=0, atol=1e-3)


def test_another_size_takes_the_weights_of_224_without_a_warning(imagenet_home, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    at_224 = build_backbone(BACKBONES[NAME])
    at_64 = build_backbone(BACKBONES[NAME], input_shape=(64, 80, 3))
    for one, other in zip(at_224.get_weights(), at_64.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_of_keras_applications_can_be_passed_by_hand(imagenet_home, monkeypatch, tmp_path):
    file = Path(shutil.copy(imagenet_home / "models" / FILE, tmp_path))
    by_hand = build_backbone(BACKBONES[NAME], weights=file)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    fetched = build_backbone(BACKBONES[NAME])
    for one, other in zip(by_hand.get_weights(), fetched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "name",
    [
        "efficientnet_b0",
        pytest.param("mobilenet_v3_small", marks=pytest.mark.slow),
        pytest.param("mobilenet_v3_large_minimalistic", marks=pytest.mark.slow),
        pytest.param("mobilenet_v3_small_075", marks=pytest.mark.slow),
        pytest.param("convnext_tiny", marks=pytest.mark.slow),
        pytest.param("inception_v3", marks=pytest.mark.slow),
        pytest.param("nasnet_mobile", marks=pytest.mark.slow),
    ],
)
def test_the_graph_is_one_with_and_without_imagenet_weights(name, monkeypatch, tmp_path):
    shape = (80, 80, 3)
    without = build_backbone(BACKBONES[name], input_shape=shape, weights=None)
    (tmp_path / "none").touch()
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "none"))
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_: None)
    with_weights = build_backbone(BACKBONES[name], input_shape=shape, weights="imagenet")
    assert with_weights.get_config() == without.get_config()

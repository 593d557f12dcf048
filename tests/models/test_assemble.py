"""build: a flat functional model that takes raw RGB and loads in plain Keras."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import tfxfer
from tfxfer.backbones import BACKBONES, origin_of
from tfxfer.errors import SettingError, WeightsError
from tfxfer.models import build

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return build(classes=3, backbone="micro", image_size=32)


def test_it_is_flat_and_plain(model):
    assert type(model) is keras.src.models.functional.Functional
    assert not [layer for layer in model.layers if isinstance(layer, keras.Model)]
    assert model.name == "micro"


def test_bytes_and_floats_give_the_same_probabilities(model):
    scores = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(scores, model.predict(IMAGES.astype("float32"), verbose=0))
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_pretrained_learns_its_head_and_random_weights_all():
    pretrained = build(classes=3, backbone="micro", image_size=32)
    assert [v.path for v in pretrained.trainable_variables] == ["head_logits/kernel", "head_logits/bias"]
    scratch = build(classes=3, backbone="micro", image_size=32, weights=None)
    held = [layer.name for layer in scratch.layers if layer.weights and not layer.trainable]
    assert held == []


def test_without_weights_the_running_statistics_keep_up():
    scratch = build(classes=3, backbone="mobilenet_v2_035", image_size=32, weights=None)
    norms = [layer for layer in scratch.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm.momentum for norm in norms} == {0.9}


def test_the_seed_decides_the_new_weights():
    kernels = [
        build(classes=3, backbone="micro", image_size=32, seed=seed).get_layer("head_logits").get_weights()[0]
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).any()


def test_classes_come_from_photos_or_names_or_a_number(shared_pictures):
    photos = tfxfer.from_folder(shared_pictures)
    settings = {"backbone": "micro", "image_size": 32, "weights": None}
    assert build(photos, **settings).output_shape == (None, 3)
    assert build(classes=["a", "b"], **settings).output_shape == (None, 2)
    assert build(classes=np.int64(4), **settings).output_shape == (None, 4)


def test_a_size_of_two_numbers_is_height_and_width():
    assert build(classes=2, backbone="micro", image_size=(32, 48)).input_shape == (None, 32, 48, 3)


@pytest.mark.slow
def test_its_file_loads_in_plain_keras(model, tmp_path):
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    code = (
        "import sys, keras, numpy\n"
        "sys.modules['tfxfer'] = None  # importing it would fail\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        f"images = numpy.load({str(tmp_path / 'images.npy')!r})\n"
        f"numpy.save({str(tmp_path / 'scores.npy')!r}, model.predict(images, verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), model.predict(IMAGES, verbose=0), atol=1e-6)


@pytest.mark.parametrize("arguments", [{}, {"photos": "photos", "classes": 3}], ids=["neither", "both"])
def test_photos_or_classes_and_not_both(arguments, says):
    message = "build needs either photos or classes, and not both: build(photos) or build(classes=3)."
    with pytest.raises(SettingError, match=says(message)):
        build(**arguments)


def test_an_unknown_backbone_names_the_nearest(says):
    message = (
        "no backbone 'mobilenetv2'; did you mean 'mobilenet_v2'? `tfxfer backbones` lists all "
        f"{len(tfxfer.BACKBONES)}."
    )
    with pytest.raises(SettingError, match=says(message)):
        build(classes=3, backbone="mobilenetv2")


def test_a_hub_module_takes_raw_pixels_like_any_backbone(hub_module):
    model = build(classes=3, backbone=f"hub:{hub_module}", image_size=(32, 48), pixel_range=(0, 1))
    assert model.input_shape == (None, 32, 48, 3)
    assert [v.path for v in model.trainable_variables] == ["head_logits/kernel", "head_logits/bias"]
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3)).astype(np.uint8)
    np.testing.assert_array_equal(
        model.predict(images, verbose=0), model.predict(images.astype("float32"), verbose=0)
    )


def test_pooled_features_are_not_pooled_again(frozen_hub_module):
    model = build(classes=3, backbone=f"hub:{frozen_hub_module}", pixel_range=(0, 1))
    assert "head_pool" not in [layer.name for layer in model.layers]
    assert model.output_shape == (None, 3)


def test_a_range_of_pixels_is_for_backbones_from_outside_alone(says):
    message = (
        "pixel_range is for backbones from outside the catalogue (hub:..., kerashub:..., file:...), "
        "got (0, 1); micro scales by itself."
    )
    with pytest.raises(SettingError, match=says(message)):
        build(classes=3, backbone="micro", pixel_range=(0, 1))


def test_weights_of_another_digest_are_refused():
    built = build(classes=3, backbone="micro", weights_sha256=BACKBONES["micro"].weights_sha256)
    assert origin_of(built).kind == "embedded"
    with pytest.raises(WeightsError, match=r"^the weights micro\.weights\.h5 have the SHA-256 "):
        build(classes=3, backbone="micro", weights_sha256="0" * 64)


def test_numbers_start_from_their_mean(numbers):
    model = build(numbers, backbone="micro", image_size=32)
    truth = numbers.targets("train")
    scaling = model.get_layer("head_scores")
    np.testing.assert_allclose(scaling.offset, truth.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(scaling.scale, truth.std(axis=0), rtol=1e-5)


def test_several_labels_are_probabilities_each(tags):
    model = build(tags, backbone="micro", image_size=32)
    scores = model.predict(IMAGES, verbose=0)
    assert scores.shape == (4, 4)
    assert (np.abs(scores - 0.5) < 0.5).all()


def test_a_task_that_is_not_the_photos_is_refused(tags, says):
    message = "these photos are for multi_label, got task 'regression'; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        build(tags, task="regression", backbone="micro")

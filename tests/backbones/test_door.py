"""build_backbone: raw pixels in, the same map as keras.applications out."""

import dataclasses
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from tests.families import every_backbone
from tfxfer.backbones import BACKBONES, Stage, build_backbone
from tfxfer.errors import SettingError, TfxferError

FAMILIES = {
    "mobilenet_025": "mobilenet",
    "mobilenet_v2_035": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3",
    "efficientnet_b0": "efficientnet",
    "vgg16": "vgg16",
}
SLOW_FAMILIES = {
    "efficientnet_v2_b0": "efficientnet_v2",
    "resnet50": "resnet",
    "convnext_tiny": "convnext",
    "resnet50_v2": "resnet_v2",
    "densenet121": "densenet",
    "inception_v3": "inception_v3",
    "inception_resnet_v2": "inception_resnet_v2",
    "xception": "xception",
    "nasnet_mobile": "nasnet",
}
PIXELS = np.random.default_rng(7).integers(0, 256, (2, 80, 96, 3)).astype("uint8")


def family(name, module):
    return pytest.param(name, module, id=name, marks=pytest.mark.slow if name in SLOW_FAMILIES else [])


def plain(spec, monkeypatch):
    """Build what Keras builds when it loads ImageNet weights, without the weights."""
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: "none")
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_: None)
    function = getattr(keras.applications, spec.builder.partition(":")[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = function(include_top=False, input_shape=PIXELS.shape[1:], **dict(spec.options))
    monkeypatch.undo()
    return model


@pytest.mark.parametrize(("name", "module"), [family(*item) for item in (FAMILIES | SLOW_FAMILIES).items()])
def test_pixels_are_scaled_exactly_once(name, module, monkeypatch):
    ours = build_backbone(BACKBONES[name], input_shape=PIXELS.shape[1:], weights=None)
    theirs = plain(BACKBONES[name], monkeypatch)
    theirs.set_weights(ours.get_weights())
    reference = getattr(keras.applications, module).preprocess_input(PIXELS.astype("float32"))
    expected = np.asarray(theirs(reference))
    assert expected.std() > 0
    bound = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(ours(PIXELS.astype("float32")), expected, rtol=0, atol=bound)
    np.testing.assert_array_equal(ours(PIXELS), ours(PIXELS.astype("float32")))


@pytest.mark.parametrize("name", every_backbone(quick=["micro", "mobilenet_v2_035"]))
def test_the_smallest_size_can_be_built(name):
    spec = BACKBONES[name]
    model = build_backbone(spec, input_shape=(spec.minimum, spec.minimum, 3), weights=None)
    assert all(side >= 1 for side in model.output_shape[1:3])


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "mobilenet_v2",
            {"input_shape": (31, 64, 3)},
            "mobilenet_v2 takes pictures of at least 32 x 32 pixels, got 31 x 64; it was pretrained at "
            "224 x 224.",
        ),
        (
            "inception_v3",
            {"input_shape": (74, 74, 3)},
            "inception_v3 takes pictures of at least 75 x 75 pixels, got 74 x 74; it was pretrained at "
            "299 x 299.",
        ),
        (
            "mobilenet_v2",
            {"input_shape": (64, 64, 1)},
            "input_shape must be (height, width, 3), got (64, 64, 1); pictures are RGB.",
        ),
        (
            "mobilenet_v2",
            {"weights": "embedded"},
            "mobilenet_v2 has no weights 'embedded'; weights must be 'pretrained' (here 'imagenet'), a "
            ".weights.h5, .h5 or .keras file, or None for random ones.",
        ),
        (
            "micro",
            {"weights": "imagenet"},
            "micro has no weights 'imagenet'; weights must be 'pretrained' (here 'embedded'), a "
            ".weights.h5, .h5 or .keras file, or None for random ones.",
        ),
    ],
    ids=["small", "small for inception", "grey", "embedded", "imagenet"],
)
def test_bad_settings_say_what_to_do(name, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        build_backbone(BACKBONES[name], **settings)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"features": 1}, "features should be 1, got {features}"),
        ({"parameters": 1}, "parameters should be 1, got {parameters}"),
        ({"stages": (Stage("stem", "stem_out"),)}, "the last layer should be stem_out, got block_3_out"),
        (
            {"stages": (Stage("stem", "nowhere"), *BACKBONES["micro"].stages)},
            "stages without their layer should be [], got ['stem']",
        ),
    ],
    ids=["features", "parameters", "end", "stages"],
)
def test_a_backbone_that_is_not_what_it_should_be_is_refused(change, difference, says):
    spec = BACKBONES["micro"]
    difference = difference.format(features=spec.features, parameters=spec.parameters)
    message = (
        f"Keras {keras.__version__} builds micro otherwise than tfxfer knows it: {difference}; install "
        "another Keras (tfxfer was checked with 3.15.1), or tell its authors."
    )
    with pytest.raises(TfxferError, match=says(message)):
        build_backbone(dataclasses.replace(spec, **change), weights=None)


@pytest.mark.parametrize(
    "names",
    [
        ("micro", "mobilenet_v3_small"),
        pytest.param(
            ("efficientnet_b0", "densenet121", "vgg16", "convnext_tiny", "inception_resnet_v2"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["small", "large"],
)
def test_saved_backbones_open_in_plain_keras(names, tmp_path):
    np.save(tmp_path / "pixels.npy", PIXELS)
    for name in names:
        model = build_backbone(BACKBONES[name], input_shape=PIXELS.shape[1:], weights=None)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", np.asarray(model(PIXELS)))
    code = f"""
import sys
sys.modules["tfxfer"] = None  # as if it were not installed
import keras, numpy as np
for name in {names!r}:
    model = keras.saving.load_model(f"{{name}}.keras")
    expected = np.load(f"{{name}}.npy")
    found = np.asarray(model(np.load("pixels.npy")))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr

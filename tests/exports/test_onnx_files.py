"""ONNX files say of pictures what the model does, and of themselves what they take and tell."""

import json
import shutil
import sys

import keras
import numpy as np
import onnx
import pytest

from tfxfer.contracts import InputContract
from tfxfer.conversion import convert
from tfxfer.data import from_folder
from tfxfer.errors import MissingExtra, SettingError
from tfxfer.exports import choose_formats, export
from tfxfer.exports.onnx_files import onnx_output, write_onnx
from tfxfer.models import build
from tfxfer.runtime import ModelFacts
from tfxfer.training import Phase, fit

FACTS = ModelFacts("single_label", ("Gänseblümchen", "daisy, wild", "rose"), InputContract(32, 32), "stretch")
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A model with two outputs, and its file."""
    plain = build(classes=3, backbone="micro", image_size=32)
    scores = plain.outputs[0]
    model = keras.Model(plain.inputs[0], {"scores": scores, "known": keras.ops.max(scores, axis=-1) - 0.5})
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_onnx(model, path, FACTS)
    return model, path


@pytest.mark.parametrize("name", ["scores", "known"])
def test_every_output_is_the_model_s_for_any_number_of_pictures(written, name):
    model, path = written
    expected = model.predict(IMAGES, verbose=0)[name]
    for count in (1, len(IMAGES)):
        said = onnx_output(path, IMAGES[:count], name)
        assert said.dtype == np.float32
        np.testing.assert_allclose(said, expected[:count], atol=1e-5)


def test_it_says_what_it_takes_and_tells(written):
    model = onnx.load(written[1])
    onnx.checker.check_model(model, full_check=True)
    assert {each.domain for each in model.opset_import} <= {"", "ai.onnx.ml"}
    (image,) = model.graph.input
    shape = [each.dim_param or each.dim_value for each in image.type.tensor_type.shape.dim]
    assert (image.name, image.type.denotation, shape) == ("image", "IMAGE", ["pictures", 32, 32, 3])
    told = {each.key: each.value for each in model.metadata_props}
    assert json.loads(told.pop("labels")) == list(FACTS.classes)
    assert told == {
        "task": "single_label",
        "resize": "stretch",
        "Image.BitmapPixelFormat": "Rgb8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": "NominalRange_0_255",
    }


def test_a_bundle_gets_one_that_passes_the_gate(bundle, photos, tmp_path):
    folder = shutil.copytree(bundle[0], tmp_path / "bundle")
    (artifact,) = convert(folder, formats=["onnx"], photos=photos)
    assert artifact.path == folder / "model.onnx"
    assert artifact.passed
    assert artifact.comparison.agreement == 1
    assert artifact.comparison.largest_difference < 1e-5
    assert "model.onnx" in json.loads((folder / "manifest.json").read_text())["files"]


def test_what_is_not_installed_is_named(monkeypatch, says):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    message = "the format onnx needs tf2onnx, which is not installed; pip install 'tfxfer[onnx]'."
    with pytest.raises(MissingExtra, match=says(message)):
        choose_formats(["keras", "onnx"])
    monkeypatch.setitem(sys.modules, "onnx", None)
    message = "the format onnx needs onnx and tf2onnx, which are not installed; pip install 'tfxfer[onnx]'."
    with pytest.raises(MissingExtra, match=says(message)):
        choose_formats(["onnx"])


def test_what_tf2onnx_leaves_open_is_written(tmp_path):
    """GELU, a grouped convolution, and a layer that holds tensors that are no variables."""
    image = keras.Input((32, 32, 3))
    scaled = keras.layers.Normalization(mean=[90.0, 120, 150], variance=[400.0, 900, 1600])(image)
    x = keras.layers.Conv2D(8, 3, activation=lambda x: keras.ops.gelu(x, approximate=False))(scaled)
    x = keras.layers.Conv2D(8, 3, groups=4)(x)
    scores = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalMaxPooling2D()(x))
    model = keras.Model(image, scores)
    write_onnx(model, tmp_path / "model.onnx", FACTS)
    said = onnx_output(tmp_path / "model.onnx", IMAGES, "scores")
    np.testing.assert_allclose(said, model.predict(IMAGES, verbose=0), atol=1e-5)
    assert [each.name for each in onnx.load(tmp_path / "model.onnx").graph.input] == ["image"]


def test_an_operation_that_cannot_be_written_is_named(tmp_path, says):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(keras.ops.erfinv(image)))
    message = "tf2onnx does not know Erfinv, which this model has; leave onnx out of formats."
    with pytest.raises(SettingError, match=says(message)):
        write_onnx(model, tmp_path / "model.onnx", FACTS)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_of_photographs_leaves_as_onnx(real_data, imagenet_home, monkeypatch, tmp_path):
    photos = from_folder(real_data / "hymenoptera")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    model = build(photos, backbone="mobilenet_v2_035")
    fit(model, photos, plan=[Phase("head", epochs=1, rate=1e-3)], progress=False)
    (artifact,) = export(model, tmp_path / "bundle", photos, formats=["onnx"])
    assert artifact.comparison.images > 100
    assert artifact.comparison.agreement == 1
    assert artifact.comparison.largest_difference < 1e-4

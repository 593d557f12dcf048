"""build_keras_hub: a preset's features, scaled and pooled as KerasHub does, in one graph that saves."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tfxfer.backbones import Origin, build_outside, origin_of, survey
from tfxfer.backbones.kerashub.builder import FAMILIES, build_keras_hub
from tfxfer.errors import SettingError, WeightsError

keras_hub = pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)

from tests import keras_hub_presets as presets  # noqa: E402

PIXELS = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("float32")
FAST = ["ViT", "ResNet"]
EACH = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in presets.CONFIGS]

# Keras warns of a layer of KerasHub that makes its parts without build().
pytestmark = pytest.mark.filterwarnings("ignore:`build.*` was called on layer 'patch_and_embed:UserWarning")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Write presets when they are asked for, each once."""
    home = tmp_path_factory.mktemp("presets")

    def folder(name):
        path = home / f"My-{name.replace(' ', '-')}"
        return str(path if path.exists() else presets.write_preset(path, name))

    return folder


@pytest.fixture(scope="module")
def resnet(folder_of):
    return folder_of("ResNet")


@pytest.fixture(scope="module")
def vit(folder_of):
    return folder_of("ViT")


@pytest.fixture(scope="module")
def bare_resnet(tmp_path_factory):
    """A preset that says neither size nor range."""
    return str(presets.write_preset(tmp_path_factory.mktemp("bare") / "resnet", "ResNet", says_range=False))


def pooled_by_keras_hub(folder, name):
    """Compute features with KerasHub alone."""
    backbone = keras_hub.models.Backbone.from_preset(folder)
    pixels = keras_hub.layers.ImageConverter.from_preset(folder)(PIXELS)
    inputs = dict.fromkeys(backbone.input, pixels) if isinstance(backbone.input, dict) else pixels
    features = backbone(inputs)
    features = np.asarray(features[backbone.stage_names[-1]] if isinstance(features, dict) else features)
    if features.ndim == 4:
        return features
    return features.mean(1) if name in ("SwinTransformer", "ViT without token") else features[:, 0]


def test_every_family_has_a_preset_here():
    assert {family for family, _ in presets.CONFIGS.values()} == set(FAMILIES)


@pytest.mark.parametrize("name", EACH)
def test_features_are_keras_hub_s_own(folder_of, name, tmp_path):
    folder = folder_of(name)
    model = build_keras_hub(folder)
    features = model.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(features, pooled_by_keras_hub(folder, name), atol=1e-5)
    assert model.name == f"kerashub_my_{name.replace(' ', '_').lower()}"
    scaling = [layer.name for layer in model.layers if layer.name.startswith("preprocess_")]
    assert scaling == ["preprocess_rescaling"]
    assert not [layer.name for layer in model.layers if layer.name.startswith("head_")]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again.predict(PIXELS, verbose=0), features)


@pytest.mark.parametrize("name", EACH)
def test_names_and_stages_are_steady_and_hold_all_weights(folder_of, name):
    models = [build_keras_hub(folder_of(name)) for _ in range(2)]
    one, other = ([layer.name for layer in model.layers] for model in models)
    assert one == other
    one, other = map(list, map(survey, models))
    assert one == other
    assert len(one) > 1
    held = [weight for stage in survey(models[0]).values() for layer in stage for weight in layer.weights]
    assert sorted(map(id, held)) == sorted(map(id, models[0].weights))
    paths = [weight.path for weight in held]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("name", ["ViT", "ResNet"])
def test_a_preset_of_a_classifier_is_its_backbone(tmp_path, name):
    backbone, folder = presets.backbone(name), str(tmp_path / "classifier")
    preprocessor = getattr(keras_hub.models, f"{name}ImageClassifierPreprocessor")(
        presets.converter(name, image_size=(32, 32), scale=1 / 127.5, offset=-1)
    )
    classifier = getattr(keras_hub.models, f"{name}ImageClassifier")
    classifier(backbone, num_classes=5, preprocessor=preprocessor).save_to_preset(folder)
    expected = np.asarray(backbone(PIXELS / 127.5 - 1))
    features = build_keras_hub(folder).predict(PIXELS, verbose=0)
    np.testing.assert_allclose(features, expected[:, 0] if name == "ViT" else expected, atol=1e-5)


def test_a_convolutional_net_is_flat_and_takes_other_sizes(resnet):
    model = build_keras_hub(resnet, image_size=(64, 48))
    assert model.input_shape == (None, 64, 48, 3)
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    weights = keras_hub.models.Backbone.from_preset(resnet).get_weights()
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_random_weights_are_not_the_preset_s(resnet):
    built, other = build_keras_hub(resnet, weights=None), build_keras_hub(resnet)
    kernel = [model.get_layer("conv1_conv").get_weights()[0] for model in (built, other)]
    assert not np.allclose(*kernel)


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (0, 255)], ids=str)
def test_a_preset_that_says_no_range_is_told(bare_resnet, values):
    model = build_keras_hub(bare_resnet, image_size=(32, 32), pixel_range=values)
    low, high = values
    backbone = keras_hub.models.Backbone.from_preset(bare_resnet)
    expected = backbone(PIXELS / 255 * (high - low) + low)
    np.testing.assert_allclose(model.predict(PIXELS, verbose=0), expected, rtol=1e-4, atol=1e-4)


def test_where_its_weights_come_from_is_told(resnet, says):
    file = Path(resnet) / "model.weights.h5"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    origin = Origin("kerashub", "kerashub:My-ResNet", digest)
    assert origin_of(build_outside(f"kerashub:{resnet}", sha256=digest)) == origin
    assert origin_of(build_keras_hub(resnet, weights=None)) == Origin("random")
    message = (
        f"the weights kerashub:My-ResNet have the SHA-256 {digest}, wanted is {'0' * 64}: they are others, "
        "or damaged; get them again from where that digest is said, or leave weights_sha256 "
        "(--weights-sha256) out if you trust these."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_outside(f"kerashub:{resnet}", sha256="0" * 64)


REFUSALS = {
    "size": (
        "vit",
        {"image_size": (64, 32)},
        "kerashub:{folder} takes no pictures of 64 x 32 pixels: its weights are for 32 x 32; leave "
        "image_size out.",
    ),
    "range": (
        "vit",
        {"pixel_range": (0, 1)},
        "kerashub:{folder} says itself which values it takes, so leave pixel_range out, got (0, 1).",
    ),
    "file": (
        "vit",
        {"weights": "mine.weights.h5"},
        "kerashub:{folder} comes with its weights, so weights must be 'pretrained' or None, got "
        "'mine.weights.h5'; files of weights are for backbones that `tfxfer backbones` lists.",
    ),
    "no size": (
        "bare_resnet",
        {"pixel_range": (0, 1)},
        "kerashub:{folder} takes pictures of any size and names none as its own; pass image_size.",
    ),
    "no range": (
        "bare_resnet",
        {"image_size": (32, 32)},
        "kerashub:{folder} does not say which values it takes for black and white; pass pixel_range=(0, 1) "
        "(--pixel-range 0..1), (-1, 1) or (0, 255), as its pictures had when it learnt.",
    ),
}


@pytest.mark.parametrize(("preset", "settings", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_does_not_fit_is_said(request, preset, settings, message, says):
    folder = request.getfixturevalue(preset)
    with pytest.raises(SettingError, match=says(message.format(folder=folder))):
        build_keras_hub(folder, **settings)


def test_a_size_that_keras_hub_refuses_is_said(folder_of):
    message = r"^kerashub:\S+ takes no pictures of 2 x 2 pixels \(.+\); pass another image_size, or none for "
    with pytest.raises(SettingError, match=message):
        build_keras_hub(folder_of("Xception"), image_size=(2, 2))


TAKEN = f"take a preset of {', '.join(FAMILIES)}."


def test_a_preset_of_texts_is_refused_by_name(says):
    message = (
        "kerashub:bert_base_en is of the class BertBackbone, which is no backbone for pictures alone; "
        f"{TAKEN}"
    )
    with pytest.raises(SettingError, match=says(message)):
        build_keras_hub("bert_base_en")


def test_a_folder_of_texts_is_refused_before_its_weights_are_read(tmp_path, says):
    config = {"vocabulary_size": 8, "num_layers": 1, "num_heads": 1, "hidden_dim": 2, "intermediate_dim": 2}
    keras_hub.models.BertBackbone(**config).save_to_preset(str(tmp_path))
    (tmp_path / "model.weights.h5").unlink()
    message = (
        f"kerashub:{tmp_path} is of the class BertBackbone, which is no backbone for pictures alone; {TAKEN}"
    )
    with pytest.raises(SettingError, match=says(message)):
        build_keras_hub(str(tmp_path))


DAMAGES = {
    "config.json": "Preset {folder} has no config.json. Make sure the URI or directory you are trying to "
    "load is a valid KerasHub preset and and that you have permissions to read/download from this location",
    "model.weights.h5": "`model.weights.json` doesn't exist in preset directory `{folder}`",
}


@pytest.mark.parametrize("file", DAMAGES)
def test_a_folder_without_one_of_its_files_says_so(tmp_path, file, says):
    folder = presets.write_preset(tmp_path / "preset", "ResNet")
    (folder / file).unlink()
    message = (
        f"kerashub:{folder} is no whole preset ({DAMAGES[file].format(folder=folder)}); write the folder "
        "again with save_to_preset, or fetch it again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_keras_hub(str(folder))


@pytest.mark.parametrize("file", ["config.json", "model.weights.h5", "image_converter.json"])
def test_a_cut_file_is_no_whole_preset(tmp_path, file):
    folder = presets.write_preset(tmp_path / "preset", "ResNet")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match=r"is no whole preset \(.+\); write the folder again with"):
        build_keras_hub(str(folder))


def test_weights_of_another_backbone_are_no_whole_preset(tmp_path):
    folder = presets.write_preset(tmp_path / "preset", "ResNet")
    config = json.loads((folder / "config.json").read_text())
    config["config"]["stackwise_num_filters"] = [64, 24]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"is no whole preset \(.+\); write the folder again with"):
        build_keras_hub(str(folder))


def test_what_the_server_withholds_is_said(monkeypatch, says):
    from keras_hub.src.utils import preset_utils

    def refuse(preset):
        raise ValueError(f"Preset {preset} has no config.json.\nMore.")

    monkeypatch.setattr(preset_utils, "get_preset_loader", refuse)
    monkeypatch.setattr("tfxfer.backbones.kerashub.fetch._unreachable", lambda _host: "")
    message = (
        "kerashub:hf://mine/secret cannot be had from hf://mine/secret (Preset hf://mine/secret has no "
        "config.json); check the name, and where it is asked for, accept its terms there and sign in "
        "(KAGGLE_API_TOKEN or HF_TOKEN)."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_keras_hub("hf://mine/secret")


LOADING = """
import sys
import keras
for file in sys.argv[1:]:
    keras.models.load_model(file)
    assert "tfxfer" not in sys.modules
    print("keras_hub" in sys.modules)
"""


def test_files_load_without_tfxfer_and_one_of_convolutions_without_keras_hub(folder_of, tmp_path):
    files = [tmp_path / f"{name}.keras" for name in ("ResNet", "ViT")]
    for file in files:
        build_keras_hub(folder_of(file.stem)).save(file)
    command = [sys.executable, "-c", LOADING, *map(str, files)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.split() == ["False", "True"]


def test_a_preset_with_a_broken_description_is_not_taken_for_a_wrong_size(tmp_path):
    folder = presets.write_preset(tmp_path / "broken", "ResNet")
    config = json.loads((folder / "config.json").read_text())
    for wrong in ({"block_type": "nonsense"}, {"block_type": None}):
        config["config"] |= wrong
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(WeightsError, match=r"^kerashub:.* is no whole preset \("):
            build_keras_hub(str(folder), image_size=(48, 48))

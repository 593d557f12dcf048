"""build_file: what tfxfer wrote goes on without its head; anybody's model without its top."""

import json
import shutil
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from tfxfer.backbones import HubLayer, Origin, origin_of
from tfxfer.backbones.files.builder import build_file
from tfxfer.data import from_folder
from tfxfer.errors import MissingExtra, SettingError, WeightsError
from tfxfer.exports import export
from tfxfer.heads import SingleLabel
from tfxfer.models import build
from tfxfer.runtime import file_sha256

PIXELS = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("float32")
TAKEN = "file: takes a folder that tfxfer wrote, or a .keras file."


@pytest.fixture(scope="module")
def trained():
    """A model on the catalogue's micro whose weights are its own."""
    model = build(classes=3, backbone="micro", image_size=32)
    for layer in model.layers:
        layer.set_weights([weight + 0.01 for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def bundle(trained, shared_pictures, tmp_path_factory):
    target = tmp_path_factory.mktemp("bundle") / "colours"
    export(trained, target, from_folder(shared_pictures), formats=("keras",))
    return target


def features(model):
    """Return what a model's head gets."""
    return keras.Model(model.inputs[0], model.get_layer("head_pool").input)(PIXELS)


@pytest.mark.parametrize("place", [".", "model.keras"])
def test_a_bundle_goes_on_without_its_head(place, bundle, trained):
    body = build_file(str(bundle / place))
    assert body.name == "micro"
    assert [layer.name for layer in body.layers if layer.name.startswith("head_")] == []
    np.testing.assert_array_equal(body(PIXELS), features(trained))


def test_a_backbone_of_the_catalogue_takes_another_size(bundle, trained):
    body = build_file(str(bundle), image_size=(48, 64))
    assert body.input_shape == (None, 48, 64, 3)
    for mine, theirs in zip(body.layers, trained.layers, strict=False):
        for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_random_weights_are_not_the_bundle_s(bundle, trained):
    kernel = build_file(str(bundle), weights=None).get_layer("stem_conv").get_weights()[0]
    assert (kernel != trained.get_layer("stem_conv").get_weights()[0]).all()


def test_where_the_weights_come_from_is_noted(bundle):
    file = bundle / "model.keras"
    assert origin_of(build_file(str(bundle))) == Origin(
        "file", f"{bundle.name}/model.keras", file_sha256(file)
    )
    assert origin_of(build_file(str(bundle), weights=None)) == Origin("random")


def test_what_told_its_classes_apart_comes_along(bundle, trained):
    body = build_file(str(bundle))
    top = origin_of(body).top
    scores = keras.ops.softmax(keras.Model(body.inputs[0], top.logits(body))(PIXELS))
    np.testing.assert_allclose(scores, trained(PIXELS), atol=1e-6)
    wider = build_file(str(bundle), image_size=(64, 96))
    assert origin_of(wider).top.logits(wider).shape == (None, 3)
    assert origin_of(build_file(str(bundle), weights=None)).top is None


def test_what_told_several_labels_does_not(tmp_path):
    build(classes=3, task="multi_label", backbone="micro", image_size=32).save(tmp_path / "tags.keras")
    assert origin_of(build_file(str(tmp_path / "tags.keras"))).top is None


def test_a_card_is_not_asked(bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "card.json").write_text("no card")
    assert build_file(str(copy)).name == "micro"


@pytest.mark.parametrize("size", [None, (32, 48)], ids=["its size", "another"])
def test_what_was_built_on_a_file_goes_on_too(size, tmp_path):
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(4, 3, name="conv")(layers.Rescaling(1 / 255, name="preprocess_rescaling")(image))
    model = keras.Model(image, SingleLabel(2).apply(x), name="file_first")
    model.save(tmp_path / "second.keras")
    body = build_file(str(tmp_path / "second.keras"), image_size=size)
    assert body.name == "file_first"
    assert [layer.name for layer in body.layers] == ["image", "preprocess_rescaling", "conv"]
    if size:
        assert body.output_shape == (None, 30, 46, 4)
    else:
        np.testing.assert_array_equal(body(PIXELS), features(model))


def test_a_name_of_the_catalogue_on_another_graph_is_not_believed(tmp_path):
    image = keras.Input((32, 32, 3), name="image")
    scores = SingleLabel(2).apply(layers.Conv2D(4, 3, name="conv")(image))
    keras.Model(image, scores, name="micro").save(tmp_path / "My Model.keras")
    assert build_file(str(tmp_path / "My Model.keras")).name == "file_my_model"


@pytest.fixture(scope="module")
def on_hub(hub_module, tmp_path_factory):
    model = build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))
    (layer,) = [layer for layer in model.layers if isinstance(layer, HubLayer)]
    layer.set_weights([weight + 0.01 for weight in layer.get_weights()])
    file = tmp_path_factory.mktemp("hub") / "model.keras"
    model.save(file)
    return model, file


def test_a_hub_module_goes_on(on_hub):
    model, file = on_hub
    body = build_file(str(file))
    assert body.name == "hub_small"
    assert [type(layer) for layer in body.layers if layer.weights] == [HubLayer]
    expected = keras.Model(model.inputs[0], model.layers[2].output)(PIXELS)
    np.testing.assert_allclose(body(PIXELS), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"image_size": (64, 48)},
            "{file} is on a hub module that was bound to 32 x 32 pixels, so it takes none of 64 x 48; leave "
            "image_size out, or build on the module itself (hub:...).",
        ),
        (
            {"weights": None},
            "{file} is on a hub module, which comes with its weights, so weights must be 'pretrained', got "
            "None.",
        ),
        (
            {"pixel_range": (0, 1)},
            "{file} was made by tfxfer and scales pixels by itself, so pixel_range must be left out, got "
            "(0, 1).",
        ),
        (
            {"weights": "imagenet"},
            "a model in a file comes with its weights, so weights must be 'pretrained' (its own) or None "
            "(random ones), got 'imagenet'.",
        ),
    ],
    ids=["size", "weights", "range", "other weights"],
)
def test_what_a_module_does_not_take_is_said(settings, message, on_hub, says):
    _, file = on_hub
    with pytest.raises(SettingError, match=says(message.format(file=file))):
        build_file(str(file), **settings)


def test_a_size_that_layers_are_bound_to_is_said(tmp_path, says):
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Dense(4, name="hidden")(layers.Flatten(name="flatten_")(image))
    file = tmp_path / "bound.keras"
    keras.Model(image, SingleLabel(2).apply(x), name="file_dense").save(file)
    message = (
        f"{file} takes no pictures of 9 x 9 pixels: its layers are bound to 8 x 8; leave image_size out."
    )
    with pytest.raises(SettingError, match=says(message)):
        build_file(str(file), image_size=(9, 9))


def test_anybody_s_model_loses_its_top(tmp_path):
    base = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35
    )
    image = keras.Input((32, 32, 3))
    x = base(layers.Rescaling(1 / 127.5, offset=-1)(layers.RandomFlip()(image)), training=False)
    x = layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    keras.Model(image, x).save(tmp_path / "Flowers v2.keras")
    body = build_file(str(tmp_path / "Flowers v2.keras"))
    assert body.name == "file_flowers_v2"
    assert body.operations[-1].name == "out_relu"
    np.testing.assert_allclose(body(PIXELS), base(PIXELS / 127.5 - 1), rtol=1e-4, atol=1e-6)


def damage(bundle, tmp_path, *, manifest=None, model=None):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    if manifest is not None:
        (copy / "manifest.json").write_text(manifest)
    if model is not None:
        (copy / "model.keras").write_bytes(model)
    return copy


def test_a_model_that_is_not_the_one_written_is_refused(bundle, tmp_path, says):
    copy = damage(bundle, tmp_path, model=b"another")
    known, found = file_sha256(bundle / "model.keras"), file_sha256(copy / "model.keras")
    message = (
        f"{copy / 'model.keras'} is not the file that was exported: its SHA-256 is {found[:12]}..., the "
        f"manifest says {known[:12]}...; take an undamaged copy, or export the model again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_file(str(copy))


@pytest.mark.parametrize("text", ["[", "[]", '{"files": 3}', '{"files": {"model.keras": 1}}', "{}"])
def test_a_manifest_that_is_damaged_is_named(text, bundle, tmp_path, says):
    copy = damage(bundle, tmp_path, manifest=text)
    message = (
        f"{copy / 'manifest.json'} is damaged, so model.keras cannot be held against it; export the model "
        "again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_file(str(copy))


def test_a_bundle_without_its_model_is_named(bundle, tmp_path, says):
    copy = damage(bundle, tmp_path, manifest=json.dumps({"files": {}}))
    message = (
        f"{copy} was exported without model.keras, which is needed to build on it; export the model again, "
        "with 'keras' among the formats."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_file(str(copy))


def test_a_bundle_that_lost_its_model_is_named(bundle, tmp_path, says):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "model.keras").unlink()
    message = f"{copy} has lost its model.keras; export the model again."
    with pytest.raises(WeightsError, match=says(message)):
        build_file(str(copy))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("none", WeightsError, "there is no {path}; " + TAKEN),
        (
            "folder/",
            SettingError,
            "{path} is a folder that tfxfer did not write (it has no manifest.json); " + TAKEN,
        ),
        (
            "saved/saved_model.pb",
            SettingError,
            "{path} is a SavedModel, and file: takes a folder that tfxfer wrote, or a .keras file; write "
            "hub:{path} to build on it.",
        ),
        (
            "whole.h5",
            SettingError,
            "{path} is an HDF5 file, of which tfxfer takes weights alone; name the backbone that it was "
            "saved from, and pass it as weights='{path}' (--weights {path}), or save its model as a "
            ".keras file.",
        ),
        ("model.pt", SettingError, "{path} is no model by its name; " + TAKEN),
        (
            "damaged.keras",
            WeightsError,
            "{path} does not open in Keras's safe mode: it is damaged, or it needs code from elsewhere; give "
            "one that is whole and made of Keras's own layers.",
        ),
    ],
)
def test_other_files_are_shown_their_way(name, error, message, tmp_path, says):
    path = tmp_path / name.partition("/")[0]
    if "/" in name:
        path.mkdir()
    if name != "none" and not name.endswith("/"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(error, match=says(message.format(path=path))):
        build_file(str(path))


def test_code_in_a_file_does_not_run(tmp_path, says):
    file = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(lambda x: x)]).save(file)
    message = (
        f"{file} does not open in Keras's safe mode: it is damaged, or it needs code from elsewhere; give "
        "one that is whole and made of Keras's own layers."
    )
    with pytest.raises(WeightsError, match=says(message)):
        build_file(str(file))


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"class_name": "Functional"}'])
def test_a_file_with_a_strange_description_is_named(config, trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as whole,
        zipfile.ZipFile(tmp_path / "odd.keras", "w") as odd,
    ):
        for name in whole.namelist():
            odd.writestr(name, config if name == "config.json" else whole.read(name))
    with pytest.raises(WeightsError, match="does not open in Keras's safe mode"):
        build_file(str(tmp_path / "odd.keras"))


@pytest.mark.parametrize("change", ["size", "tokens"])
def test_names_alone_do_not_make_a_model_tfxfer_s(change, tmp_path):
    image = keras.Input((None, 8, 3) if change == "size" else (8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, name="conv")(layers.Rescaling(1 / 255, name="preprocess_rescaling")(image))
    x = layers.Reshape((-1, 4), name="tokens")(x) if change == "tokens" else x
    pool = layers.GlobalAveragePooling1D if change == "tokens" else layers.GlobalAveragePooling2D
    file = tmp_path / "m.keras"
    keras.Model(image, layers.Dense(2, name="head_logits")(pool(name="head_pool")(x))).save(file)
    body = build_file(str(file), image_size=(9, 8))
    assert body.name == "file_m"
    assert body.operations[-1].name == ("body_head_pool" if change == "tokens" else "conv")


def test_a_file_that_broke_on_the_way_is_named(trained, tmp_path):
    file = tmp_path / "model.keras"
    trained.save(file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = bytes(4000)
    file.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match="does not open in Keras's safe mode"):
        build_file(str(file))


def test_a_head_of_another_s_that_is_called_alike_is_no_head_of_ours(tmp_path):
    image = keras.Input((16, 16, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(keras.layers.Conv2D(4, 3, name="conv")(image))
    keras.Model(image, keras.layers.Dense(2, name="head_dense")(x)).save(tmp_path / "theirs.keras")
    with pytest.raises(SettingError, match="does not say which values it takes for black and white"):
        build_file(str(tmp_path / "theirs.keras"))
    assert build_file(str(tmp_path / "theirs.keras"), pixel_range=(0, 1)).name == "file_theirs"


def test_a_file_of_another_digest_is_refused_before_it_is_loaded(tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"not opened")
    with pytest.raises(WeightsError, match=r"^the weights bad\.keras have the SHA-256 "):
        build_file(str(tmp_path / "bad.keras"), sha256="0" * 64)


@pytest.mark.parametrize("family", ["ViT", pytest.param("MiT", marks=pytest.mark.slow)])
# Keras warns of a layer of KerasHub that makes its parts without build().
@pytest.mark.filterwarnings("ignore:`build.*` was called on layer 'patch_and_embed:UserWarning")
def test_a_backbone_of_keras_hub_within_a_model_stays_one_layer(family, tmp_path):
    pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)
    from tests import keras_hub_presets as presets

    backbone = presets.backbone(family)
    image = keras.Input((32, 32, 3))
    x = backbone(keras.layers.Rescaling(1 / 255)(image))
    pool = keras.layers.GlobalAveragePooling1D if len(x.shape) == 3 else keras.layers.GlobalAveragePooling2D
    features = pool()(x)
    model = keras.Model(image, keras.layers.Dense(2)(features))
    model.save(tmp_path / "theirs.keras")
    body = build_file(str(tmp_path / "theirs.keras"))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = keras.Model(image, features if len(body.output_shape) == 2 else x)(pixels)
    np.testing.assert_allclose(body(pixels), expected, rtol=1e-4, atol=1e-5)
    random = build_file(str(tmp_path / "theirs.keras"), weights=None)
    assert not np.allclose(random(pixels), expected)
    with pytest.raises(SettingError, match="takes no pictures of 64 x 64 pixels"):
        build_file(str(tmp_path / "theirs.keras"), image_size=(64, 64))


def test_a_model_on_keras_hub_names_the_extra_where_that_is_missing(tmp_path, monkeypatch, says):
    file = tmp_path / "theirs.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", '{"module": "keras_hub.models", "class_name": "ViTBackbone"}')
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    message = f"{file} is on a backbone of KerasHub, which is not installed; pip install 'tfxfer[kerashub]'."
    with pytest.raises(MissingExtra, match=says(message)):
        build_file(str(file))

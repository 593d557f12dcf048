"""The battery that every backbone passes, of whatever form: what a person does with one, end to end."""

import gc
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.families import every_backbone
from tfxfer.backbones import BACKBONES, layers_within
from tfxfer.exports import FORMATS
from tfxfer.exports.parity import PARITY_BOUND
from tfxfer.models import Anatomy, FreezeContract, build, input_contract, set_trainable
from tfxfer.runtime import ModelFacts
from tfxfer.transferring import transfer

CLASSES = 3
LABELS = np.arange(9) % CLASSES


@pytest.fixture(autouse=True)
def room_for_the_next():
    """Let go of a model before the next is built: together they would fill the memory."""
    yield
    keras.backend.clear_session()
    gc.collect()


def pictures(model):
    """Draw nine pictures of three kinds: bars across, bars down, and squares of noise."""
    _, height, width, _ = model.input_shape
    generator = np.random.default_rng(0)
    images = generator.integers(0, 60, (len(LABELS), height, width, 3)).astype(np.uint8)
    images[LABELS == 0, ::4] += 180
    images[LABELS == 1, :, ::4] += 120
    return images


def learning(model):
    return {id(variable) for variable in model.trainable_variables}


def of_layers(layers):
    return {id(variable) for layer in layers for variable in layer.weights}


def takes_raw_pictures(model):
    images = pictures(model)
    scores = np.asarray(model(images))
    assert scores.shape == (len(images), CLASSES)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(scores, model(images.astype("float32")))


def stages_hold_all_weights(model):
    parts = Anatomy.of(model).parts
    inside = [id(v) for layers in parts.values() for layer in layers for v in layer.weights]
    scaling = {id(v) for layer in model.layers if layer.name.startswith("preprocess_") for v in layer.weights}
    assert len(inside) == len(set(inside))
    assert set(inside) == {id(variable) for variable in model.weights} - scaling


def slices_by_every_form(model):
    anatomy = Anatomy.of(model)
    names = anatomy.stage_names
    top, middle = names[-1], names[len(names) // 2]
    head = of_layers(anatomy.head)
    set_trainable(model, "head")
    assert learning(model) == head
    set_trainable(model, top)
    by_name = learning(model)
    assert head < by_name <= head | of_layers(anatomy.stages[top])
    set_trainable(model, -1)
    assert learning(model) == by_name
    set_trainable(model, f"{middle}:")
    upper = learning(model)
    set_trainable(model, f":{middle}")
    lower = learning(model)
    set_trainable(model, middle)
    assert upper & lower == learning(model)
    set_trainable(model, "all")
    assert upper | lower == learning(model)
    if not anatomy.hub:
        set_trainable(model, slice(None))
        assert learning(model) == upper | lower


def learns_in_one_step(model):
    set_trainable(model, -1)
    contract = FreezeContract.of(model)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(pictures(model), LABELS, batch_size=len(LABELS), verbose=0)
    contract.verify(model)


def leaves_and_comes_back(model, folder):
    images = pictures(model)
    plain = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    expected = np.asarray(plain(images))
    names = tuple(map(str, range(expected.shape[1])))
    facts = ModelFacts("single_label", names, input_contract(model), "crop")
    for form in (each for each in FORMATS if each.bounds.exact and not each.packages):
        form.write(plain, folder / form.filename, SimpleNamespace(facts=facts))
        scores = form.scores(folder / form.filename, images)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=PARITY_BOUND, err_msg=form.name)
        second, first = np.sort(expected, axis=1)[:, -2:].T
        decided = first - second > PARITY_BOUND
        assert decided.any()
        np.testing.assert_array_equal(scores.argmax(axis=1)[decided], expected.argmax(axis=1)[decided])


def settle(model):
    """Give random weights statistics that fit them, or nothing comes through a deep network."""
    for layer in layers_within(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    set_trainable(model, "all", batch_norm="train")
    model(pictures(model), training=True)


def run(model, folder):
    takes_raw_pictures(model)
    stages_hold_all_weights(model)
    slices_by_every_form(model)
    learns_in_one_step(model)
    leaves_and_comes_back(model, folder)


@pytest.mark.parametrize("name", every_backbone(quick=["micro"]))
def test_the_catalogue(name, tmp_path):
    spec = BACKBONES[name]
    size = max(spec.minimum, 64)
    model = build(classes=CLASSES, backbone=name, image_size=size, weights=None)
    settle(model)
    run(model, tmp_path)


@pytest.mark.slow
def test_a_module_of_tensorflow_hub(hub_module, tmp_path):
    run(build(classes=CLASSES, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1)), tmp_path)


@pytest.mark.slow
def test_a_bundle(shared_pictures, tmp_path):
    settings = {"backbone": "micro", "image_size": 32, "head_epochs": 1, "top_epochs": 0}
    transfer(shared_pictures, to=tmp_path / "bundle", **settings, formats=("keras",), progress=False)
    run(build(classes=CLASSES, backbone=f"file:{tmp_path / 'bundle'}"), tmp_path)


@pytest.mark.slow
def test_anybody_s_model(tmp_path):
    image = keras.Input((48, 48, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(keras.layers.RandomFlip()(image))
    base = keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=0.35, input_shape=(48, 48, 3)
    )
    x = keras.layers.GlobalAveragePooling2D()(base(x))
    keras.Model(image, keras.layers.Dense(7, activation="softmax")(x)).save(tmp_path / "theirs.keras")
    model = build(classes=CLASSES, backbone=f"file:{tmp_path / 'theirs.keras'}")
    settle(model)
    run(model, tmp_path)


try:
    from tests import keras_hub_presets as presets
except ImportError:
    presets = None


@pytest.mark.slow
@pytest.mark.skipif(presets is None, reason="needs the extra kerashub")
# Keras warns of a layer of KerasHub that makes its parts without build().
@pytest.mark.filterwarnings("ignore:`build.*` was called on layer 'patch_and_embed:UserWarning")
@pytest.mark.parametrize("name", presets.CONFIGS if presets else ())
def test_a_preset_of_keras_hub(name, tmp_path):
    folder = presets.write_preset(tmp_path / "preset", name)
    run(build(classes=CLASSES, backbone=f"kerashub:{folder}"), tmp_path)

"""HubLayer: learns what it should and nothing else, and travels inside the .keras file."""

import shutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import hub_modules
from tfxfer.backbones import HubLayer
from tfxfer.errors import SettingError, WeightsError

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.random((8, 32, 32, 3)).astype("float32")
LABELS = np.arange(8) % 3


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return hub_modules.reusable(tmp_path_factory.mktemp("hub") / "module")


def around(layer, *, optimizer=None):
    """Put a layer into a compiled classifier."""
    image = keras.Input((32, 32, 3))
    x = layer(image)
    if len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax", name="head_logits")(x))
    model.compile(optimizer or keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def fitted(model, *, epochs=2):
    model.fit(PIXELS, LABELS, epochs=epochs, batch_size=4, shuffle=False, verbose=0)
    return model


def values(layer):
    return {variable.path: variable.numpy() for variable in layer.weights}


def moved(before, after):
    return {path for path in before if (before[path] != after[path]).any()}


def statistics(layer):
    return {path for path in values(layer) if "moving" in path}


def affine(layer):
    return {path for path in values(layer) if path.endswith(("gamma", "beta"))}


def test_frozen_nothing_moves(module):
    layer = HubLayer(module, image_size=(32, 32))
    before = values(layer)
    fitted(around(layer))
    assert moved(before, values(layer)) == set()
    assert layer.trainable_variables == []


def test_trainable_with_batch_norm_frozen_the_kernels_learn(module):
    layer = HubLayer(module, image_size=(32, 32), trainable=True)
    before = values(layer)
    fitted(around(layer))
    assert moved(before, values(layer)) == set(before) - statistics(layer) - affine(layer)


def test_trainable_with_batch_norm_training_all_moves(module):
    layer = HubLayer(module, image_size=(32, 32), trainable=True, batch_norm="train")
    before = values(layer)
    model = fitted(around(layer))
    assert moved(before, values(layer)) == set(before)
    after = values(layer)
    model.predict(PIXELS, verbose=0)
    model.evaluate(PIXELS, LABELS, verbose=0)
    assert moved(after, values(layer)) == set()


def test_every_learning_variable_has_a_gradient(module):
    layer = HubLayer(module, image_size=(32, 32), trainable=True, batch_norm="train")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(PIXELS, training=True) ** 2)
    gradients = tape.gradient(loss, [variable.value for variable in layer.trainable_variables])
    assert len(gradients) == 9
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_units_can_be_chosen_and_survive_the_switch(module):
    layer = HubLayer(module, image_size=(32, 32))
    layer.learn(["block_2/conv"])
    names = [variable.path for variable in layer.trainable_variables]
    assert names == ["hub_module/block_2_conv_kernel"]
    layer.trainable = False
    layer.trainable = True
    assert [variable.path for variable in layer.trainable_variables] == names


def test_penalties_are_added_once_in_training_while_it_learns(module):
    layer = HubLayer(module, image_size=(32, 32), trainable=True)
    kernels = [variable for variable in layer.weights if "kernel" in variable.path]
    expected = hub_modules.PENALTY * sum(float(np.sum(kernel.numpy() ** 2)) / 2 for kernel in kernels)
    for _ in range(2):
        layer(PIXELS, training=True)
        assert len(layer.losses) == 3
        assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)
    layer(PIXELS, training=False)
    assert layer.losses == []
    layer.trainable = False
    layer(PIXELS, training=True)
    assert layer.losses == []


def test_the_penalty_is_in_the_loss_that_fit_reports(module):
    layer = HubLayer(module, image_size=(32, 32), trainable=True)
    model = around(layer, optimizer=keras.optimizers.SGD(0.0))
    plain = model.evaluate(PIXELS, LABELS, verbose=0)
    history = model.fit(PIXELS, LABELS, batch_size=8, verbose=0).history
    layer(PIXELS, training=True)
    assert history["loss"][0] == pytest.approx(plain + float(sum(layer.losses)), rel=1e-4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained model, what it says, its file, and the module's folder gone."""
    home = tmp_path_factory.mktemp("trained")
    folder = hub_modules.reusable(home / "module")
    layer = HubLayer(folder, image_size=(32, 32), trainable=True, batch_norm="train")
    model = fitted(around(layer))
    model.save(home / "model.keras")
    shutil.rmtree(folder)
    return model, model.predict(PIXELS, verbose=0), home / "model.keras"


@pytest.fixture
def saved(trained, tmp_path):
    """The scores of the trained model, and its file for this test alone."""
    _, scores, file = trained
    return scores, shutil.copy(file, tmp_path / "model.keras")


def test_the_file_needs_no_folder_and_training_goes_on(trained):
    model, scores, file = trained
    loaded = keras.saving.load_model(file, safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(PIXELS, verbose=0), scores)
    fitted(model)
    fitted(loaded)
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


def test_a_loaded_model_is_saved_again_elsewhere(saved, tmp_path):
    scores, file = saved
    loaded = keras.saving.load_model(file)
    file.unlink()
    (tmp_path / "elsewhere").mkdir()
    loaded.save(tmp_path / "elsewhere" / "again.keras")
    again = keras.saving.load_model(tmp_path / "elsewhere" / "again.keras")
    np.testing.assert_array_equal(again.predict(PIXELS, verbose=0), scores)


def test_what_learns_is_in_the_file(module, tmp_path):
    layer = HubLayer(module, image_size=(32, 32))
    layer.learn(["block_2/conv"])
    fitted(around(layer)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [v.path for v in loaded.trainable_variables] == [
        "hub_module/block_2_conv_kernel",
        "head_logits/kernel",
        "head_logits/bias",
    ]


def test_it_loads_in_a_fresh_process_after_an_import(saved):
    expected, file = saved
    np.save(file.with_name("pixels.npy"), PIXELS)
    code = (
        "import keras, numpy\n"
        "from tfxfer.backbones import HubLayer\n"
        f"model = keras.saving.load_model({str(file)!r}, safe_mode=True)\n"
        f"pixels = numpy.load({str(file.with_name('pixels.npy'))!r})\n"
        f"numpy.save({str(file.with_name('scores.npy'))!r}, model.predict(pixels, verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    scores = np.load(file.with_name("scores.npy"))
    np.testing.assert_allclose(scores, expected, atol=1e-6)


# Keras says that it skips layers, before it fails: keras-team/keras#22362.
@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_a_changed_module_inside_the_file_is_refused(saved, tmp_path):
    _, file = saved
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content + b"\x00" if name.endswith("variables.index") else content)
    with pytest.raises(ValueError, match=r"1 objects could not be loaded") as failure:
        keras.saving.load_model(other)
    assert (
        "the module module inside the file is not the one that was saved (its SHA-256 differs); take an "
        "undamaged copy of the file."
    ) in str(failure.value)


def test_a_description_alone_is_no_layer(module, tmp_path, says):
    layer = HubLayer.from_config(HubLayer(module, image_size=(32, 32)).get_config())
    message = (
        "module is not here: the layer was made from a description alone; load the whole .keras file, which "
        "holds the module."
    )
    with pytest.raises(WeightsError, match=says(message)):
        layer.call(PIXELS)
    with pytest.raises(WeightsError, match=says(message)):
        layer.save_assets(str(tmp_path))


def test_a_learning_choice_can_be_changed(module):
    layer = HubLayer(module, image_size=(32, 32))
    layer.learn(["block_2/conv"])
    layer.learn(["block_1/conv", "block_2/conv"])
    assert len(layer.trainable_variables) == 2
    layer.learn([])
    assert not layer.trainable
    layer.trainable = True
    assert len(layer.trainable_variables) == 3


INFERENCE_ONLY = [hub_modules.signature_only, hub_modules.tf1_format]


@pytest.mark.parametrize("make", INFERENCE_ONLY, ids=["signature", "tf1"])
def test_inference_only_modules_give_features_and_travel(make, tmp_path):
    layer = HubLayer(make(tmp_path / "module"))
    before = values(layer)
    model = fitted(around(layer))
    assert moved(before, values(layer)) == set()
    model.save(tmp_path / "model.keras")
    shutil.rmtree(tmp_path / "module")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(PIXELS, verbose=0), model.predict(PIXELS, verbose=0))
    loaded.save(tmp_path / "again.keras")


@pytest.mark.parametrize(
    ("make", "setting", "message"),
    [
        (
            hub_modules.signature_only,
            {"trainable": True},
            "module cannot be trained: it is called through its signature 'serving_default', which knows no "
            "training; train a head on its features (set_trainable(model, 'head')).",
        ),
        (
            hub_modules.tf1_format,
            {"trainable": True},
            "module cannot be trained: it is in TensorFlow 1's format, whose graph is for inference alone; "
            "train a head on its features (set_trainable(model, 'head')).",
        ),
        (
            hub_modules.without_training,
            {"batch_norm": "train"},
            "module knows no training argument, so its BatchNorm layers cannot train; leave "
            "batch_norm='frozen'.",
        ),
        (
            hub_modules.reusable,
            {},
            "module takes pictures of any x any x 3 pixels, so their size must be chosen; pass "
            "image_size (--image-size).",
        ),
    ],
    ids=["signature", "tf1", "no training argument", "no size"],
)
def test_what_cannot_be_says_why(make, setting, message, tmp_path, says):
    with pytest.raises(SettingError, match=says(message)):
        HubLayer(make(tmp_path / "module"), **setting)


def test_a_module_without_training_argument_learns(tmp_path):
    layer = HubLayer(hub_modules.without_training(tmp_path / "module"), trainable=True)
    before = values(layer)
    fitted(around(layer))
    assert moved(before, values(layer)) == set(before)


def test_tables_and_hidden_variables_travel_too(tmp_path):
    layer = HubLayer(hub_modules.with_table(tmp_path / "module"), trainable=True)
    model = fitted(around(layer))
    model.save(tmp_path / "model.keras")
    shutil.rmtree(tmp_path / "module")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(PIXELS), model.predict(PIXELS, verbose=0), atol=1e-6)
    assert [variable.path for variable in layer.trainable_variables] == ["hub_module/scale"]


def test_mixed_precision_outside_leaves_it_in_float32(module):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = HubLayer(module, image_size=(32, 32), trainable=True)
        fitted(around(layer))
    finally:
        keras.config.set_dtype_policy("float32")
    assert {variable.dtype for variable in layer.weights} == {"float32"}

"""Presets of KerasHub have stages; what is chosen of them learns, and the rest keeps still."""

import keras
import numpy as np
import pytest

from tfxfer.backbones import layers_within
from tfxfer.models import build, set_trainable
from tfxfer.models.anatomy import Anatomy
from tfxfer.models.freeze import FreezeContract

pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)

from tests import keras_hub_presets as presets

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype("float32")
LABELS = np.arange(8) % 3
STAGES = {
    "ViT": ["stem", "transformer_block_1", "transformer_block_2"],
    "ResNet": ["stem", "stack0_block0", "stack0_block1", "stack1_block0"],
    "MobileNet": ["stem", "block_0", "block_1", "block_2", "block_3"],
    "EfficientNet": ["stem", "block1a", "block2a", "block2b", "top"],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("presets")
    return {name: presets.write_preset(home / name, name) for name in STAGES}


FAST = ("ViT", "ResNet")  # one of transformers, one of convolutions


@pytest.fixture(
    scope="module",
    params=[name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in STAGES],
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(folders, name):
    """One model a preset: what learns is chosen anew in each test, whatever was chosen before."""
    return build(classes=3, backbone=f"kerashub:{folders[name]}", dropout=0)


def train(model, **settings):
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", **settings)
    model.fit(IMAGES, LABELS, verbose=0)


def test_stages_are_the_blocks(model, name):
    stages = Anatomy.of(model).stages
    assert list(stages) == STAGES[name]
    assert all(any(layer.weights for layer in layers) for layers in stages.values())


@pytest.mark.parametrize("batch_norm", ["frozen", "train"])
@pytest.mark.parametrize(
    ("what", "count"),
    [("head", 0), ("first", 1), ("second and above", -1), (-1, 1), (slice(-6, None), None), ("all", None)],
    ids=str,
)
def test_what_is_chosen_learns_and_the_rest_keeps_still(model, name, what, count, batch_norm):
    stages = STAGES[name]
    named = {"first": stages[0], "second and above": f"{stages[1]}:"}
    chosen = named.get(what, what) if isinstance(what, str) else what
    learning = set_trainable(model, chosen, batch_norm=batch_norm)
    if count is not None:
        assert len(learning.names) == 1 + (count if count >= 0 else len(stages) + count)
    contract = FreezeContract.of(model)
    train(model, run_eagerly=True)  # one step is not worth a graph
    contract.verify(model)
    norms = [
        inner
        for layer in Anatomy.of(model).backbone
        for inner in layers_within(layer)
        if isinstance(inner, keras.layers.BatchNormalization)
    ]
    assert batch_norm == "train" or not any(norm.trainable for norm in norms)


def test_without_weights_everything_learns(folders, name):
    model = build(classes=3, backbone=f"kerashub:{folders[name]}", weights=None)
    assert Anatomy.of(model).learns_whole


def test_a_trained_model_is_the_same_from_its_file(model, tmp_path):
    set_trainable(model, -1)
    train(model)
    scores = model.predict(IMAGES, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), scores)
    assert list(Anatomy.of(loaded).stages) == list(Anatomy.of(model).stages)
    assert set_trainable(loaded, -1) == set_trainable(model, -1)
    contract = FreezeContract.of(loaded)
    train(loaded)
    contract.verify(loaded)

"""FreezeContract: catches Keras's three traps, and lets honest training pass."""

import re

import keras
import numpy as np
import pytest

from tfxfer.errors import FreezeError
from tfxfer.models import Anatomy, FreezeContract, build, set_trainable

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype(np.uint8)
LABELS = np.arange(8) % 3


@pytest.fixture
def model():
    return build(classes=3, backbone="micro", image_size=32)


def train(model, *, rate=0.01, **settings):
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", **settings)
    model.fit(IMAGES, LABELS, verbose=0)


@pytest.mark.parametrize("what", ["head", -1, "all"])
@pytest.mark.parametrize("batch_norm", ["frozen", "train"])
def test_honest_training_passes(model, what, batch_norm):
    set_trainable(model, what, batch_norm=batch_norm)
    contract = FreezeContract.of(model)
    train(model, run_eagerly=what != "all")  # a graph takes longer to make than one step without
    contract.verify(model)


def test_the_contract_covers_every_variable_that_is_not_learning(model):
    set_trainable(model, -1)
    contract = FreezeContract.of(model)
    learning = {path for digests in contract.learning.values() for path in digests}
    assert set(contract.frozen) | learning == {v.path for v in model.weights}
    assert set(contract.frozen).isdisjoint(learning)


def test_batch_norm_statistics_that_move_are_caught(model):
    """The trap of ``base(x, training=False)``: statistics move under layers thought to be frozen."""
    set_trainable(model, "head")
    contract = FreezeContract.of(model)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    norm.trainable = True
    train(model, rate=1e-9)
    pattern = (
        rf"^\d+ of {len(contract.frozen)} frozen variables moved, {norm.name}/\w+ first; "
        + re.escape(
            "keep their layers' trainable flags as tfxfer.set_trainable left them, and report this if "
            "they were."
        )
        + "$"
    )
    with pytest.raises(FreezeError, match=pattern):
        contract.verify(model)


def test_unfreezing_without_compiling_is_caught(model, says):
    """The trap of changing ``trainable`` after ``compile``: the new layers do not learn."""
    set_trainable(model, "head")
    train(model)
    stage, layers = list(Anatomy.of(model).stages.items())[-1]
    next(layer for layer in layers if isinstance(layer, keras.layers.Conv2D)).trainable = True
    contract = FreezeContract.of(model)
    model.fit(IMAGES, LABELS, verbose=0)
    message = (
        f"nothing moved in {stage}, though it should learn; compile the model after set_trainable, and "
        "check that the rate is not 0."
    )
    with pytest.raises(FreezeError, match=says(message)):
        contract.verify(model)


@pytest.fixture
def hub_model(hub_module):
    return build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))


@pytest.mark.parametrize(
    ("what", "batch_norm"), [("head", "frozen"), (-1, "frozen"), ("all", "frozen"), ("all", "train")]
)
def test_honest_training_of_a_hub_module_passes(hub_model, what, batch_norm):
    set_trainable(hub_model, what, batch_norm=batch_norm)
    contract = FreezeContract.of(hub_model)
    assert bool(contract.frozen) == (batch_norm == "frozen")
    train(hub_model)
    contract.verify(hub_model)


def test_statistics_within_a_hub_module_that_move_are_caught(hub_model):
    set_trainable(hub_model, "all")
    contract = FreezeContract.of(hub_model)
    Anatomy.of(hub_model).hub.batch_norm = "train"
    train(hub_model)
    with pytest.raises(FreezeError, match=r"^12 of 12 frozen variables moved, hub_small_module/\w+ first; "):
        contract.verify(hub_model)

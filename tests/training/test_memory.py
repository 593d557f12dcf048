"""Where the memory is too small, batches get smaller and steps stay what they were."""

import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.training.unguarded import fit
from tfxfer.errors import OutOfMemoryError
from tfxfer.exports import card
from tfxfer.models import build
from tfxfer.training import Phase, find_rate

PLAN = (
    Phase("head", epochs=2, rate=1e-2, patience=None),
    Phase("top", train=-1, epochs=2, rate=1e-2, optimizer="sgd", ema=0.9, patience=None),
)


@keras.saving.register_keras_serializable("tests")
class Room(keras.layers.Layer):
    """What has room for so many pictures at a time; for more, an operation fails as TensorFlow's own do."""

    def __init__(self, most, **settings):
        super().__init__(**settings)
        self.most = most

    def call(self, inputs):
        def take(batch):
            if len(batch) > self.most:
                raise MemoryError  # of which TensorFlow makes its ResourceExhaustedError
            return batch

        taken = tf.py_function(take, [tf.stop_gradient(inputs)], inputs.dtype)
        with tf.control_dependencies([taken]):
            return tf.identity(inputs)

    def compute_output_shape(self, shape):
        return shape


def roomy(most, *, before="head_logits"):
    """A model of which what comes before a layer of its head has room for so many pictures."""
    model = build(classes=3, backbone="micro", image_size=32, dropout=0, seed=1)
    features = model.get_layer("head_dropout").output
    scores = model.get_layer("head_scores")(model.get_layer(before)(Room(most, name="head_room")(features)))
    return keras.Model(model.inputs[0], scores, name=model.name)


@pytest.fixture(scope="module")
def fitted(photos):
    outcome = {}
    for most in (16, 5):
        model, console = roomy(most), Console(file=io.StringIO(), width=200)
        log = fit(model, photos, plan=PLAN, batch_size=16, balance="class_weights", console=console)
        outcome[most] = model, log, console.file.getvalue()
    return outcome


def test_the_outcome_is_as_with_room(fitted):
    (one, log, _), (other, small, _) = fitted[16], fitted[5]
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    assert small.validation_loss == pytest.approx(log.validation_loss, abs=1e-6)
    assert small["head"].history["accuracy"] == pytest.approx(log["head"].history["accuracy"])


def test_it_is_told_and_kept(fitted):
    _, log, text = fitted[5]
    lines = [line for line in text.splitlines() if "memory" in line]
    assert lines == [
        "phase head: no memory for 16 pictures at once; begun again with 8, and gradients accumulated over 2 "
        "turns.",
        "phase head: no memory for 8 pictures at once; begun again with 4, and gradients accumulated over 4 "
        "turns.",
    ]
    assert [phase.turns for phase in log.phases] == [4, 4]
    assert [phase["turns"] for phase in json.loads(json.dumps(card._training(log)))["phases"]] == [4, 4]
    assert "memory" not in fitted[16][2]
    assert [phase.turns for phase in fitted[16][1].phases] == [1, 1]


@pytest.mark.slow
def test_a_search_for_a_rate_gets_smaller_batches_too(photos):
    searches = [
        find_rate(roomy(most), photos, phase=Phase("head", optimizer="sgd"), batch_size=16, progress=False)
        for most in (16, 8)
    ]
    np.testing.assert_allclose(searches[1].losses[:50], searches[0].losses[:50], rtol=1e-4)


def test_not_even_one_picture(photos, says):
    model = roomy(0)
    before = model.get_weights()
    message = (
        "phase head finds no memory for a single picture; give a smaller image_size or backbone, or let less "
        "of it learn."
    )
    with pytest.raises(OutOfMemoryError, match=says(message)):
        fit(model, photos, plan=PLAN[:1], batch_size=2, progress=False)
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)

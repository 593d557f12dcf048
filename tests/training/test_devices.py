"""What several devices cannot do is refused by name; the devices are counted only, not used."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.augment import device_augmentation
from tfxfer.errors import SettingError
from tfxfer.runtime import in_shares
from tfxfer.training import Phase
from tfxfer.training.devices import WholeLoss, build_ahead, built_by, check_devices, shared_losses

TWO, TEN = SimpleNamespace(num_replicas_in_sync=2), SimpleNamespace(num_replicas_in_sync=10)
ACCUMULATING = Phase("slow", optimizer=keras.optimizers.SGD(gradient_accumulation_steps=4))


@pytest.mark.parametrize(
    ("devices", "settings", "message"),
    [
        (
            TWO,
            {"phases": [Phase("head"), ACCUMULATING]},
            "the optimizer of phase 'slow' accumulates gradients over 4 batches, which Keras cannot on 2 "
            "devices; leave gradient_accumulation_steps out, or give strategy 'none'.",
        ),
        (
            TWO,
            {"phases": [Phase("taught", train=-1, co_tuning=2.3)]},
            "co_tuning of phase 'taught' cannot be on 2 devices; leave it out, or give strategy 'none'.",
        ),
        (
            TWO,
            {"augment": device_augmentation("light")},
            "augmentation light on the device draws by Keras's layers, which cannot on 2 devices; take a "
            "policy's name, which runs on the host, or give strategy 'none'.",
        ),
        (
            TWO,
            {"batch_size": 1},
            "batch_size is 1, fewer than the 2 devices that share them; give more.",
        ),
        (
            TEN,
            {},
            "the pictures to validate on are 9, fewer than the 10 devices that share them; give more.",
        ),
    ],
    ids=["accumulation", "co-tuning", "augmentation", "batch", "validation"],
)
def test_it_is_refused(photos, says, devices, settings, message):
    settings = {"phases": [Phase("head")], "photos": photos, "batch_size": 32} | settings
    with pytest.raises(SettingError, match=says(message)):
        check_devices(devices, **settings)


def test_one_device_does_all(photos):
    one = SimpleNamespace(num_replicas_in_sync=1)
    check_devices(one, [ACCUMULATING], photos, batch_size=1, augment=device_augmentation("light"))


def test_a_model_is_built_by_the_batch_given_and_by_keras_afterwards():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    before = model._maybe_symbolic_build
    with built_by(model, ("a batch",)):
        assert model._maybe_symbolic_build != before
    assert model._maybe_symbolic_build == before
    with built_by(model, None):
        assert model._maybe_symbolic_build == before


@pytest.mark.parametrize(("ahead", "traces"), [(False, 2), (True, 1)], ids=["plain Keras", "built ahead"])
def test_what_is_built_ahead_has_its_step_traced_once(ahead, traces):
    seen = []

    def counted(truth, scores):
        seen.append(scores)
        return keras.metrics.sparse_categorical_accuracy(truth, scores)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[counted])
    batches = tf.data.Dataset.from_tensor_slices((np.ones((6, 4), np.float32), np.arange(6) % 3)).batch(3)
    if ahead:
        build_ahead(model, batches)
    model.fit(batches, epochs=2, verbose=0, shuffle=False)
    assert len(seen) == traces


def test_the_loss_of_shares_is_that_of_their_pictures():
    """Seven pictures in batches of three, the last of one, which a share is filled up with."""
    random = np.random.default_rng(0)
    truth, said = np.array([0, 1, 1, 0, 1, 1, 1]), random.dirichlet([1, 1], 7).astype(np.float32)
    by_class, penalty = {0: 2.0, 1: 0.5}, 0.25
    whole, shared = shared_losses("sparse_categorical_crossentropy", by_class)
    own = keras.metrics.Mean()  # as Keras has it
    batches = tf.data.Dataset.from_tensor_slices((said, truth)).batch(3)
    for scores, labels, weights in in_shares(batches, 2, class_weight=by_class):
        losses = keras.losses.sparse_categorical_crossentropy(labels, scores)
        own.update_state(tf.reduce_mean(losses * weights) + penalty, sample_weight=len(labels))
        whole.update_state(labels, scores, weights)
        shared.update_state(labels, scores, weights)
    logs = {"loss": own.result(), "whole_loss": whole.result(), "shared_loss": shared.result()}
    logs = {name: float(value) for name, value in logs.items()} | {"val_loss": 1.0, "val_whole_loss": 1.0}
    expected = np.mean([by_class[label] * -np.log(said[row, label]) for row, label in enumerate(truth)])
    assert logs["loss"] != pytest.approx(expected + penalty, rel=1e-2)
    WholeLoss().on_epoch_end(0, logs)
    assert logs == {"loss": pytest.approx(expected + penalty, rel=1e-5), "val_loss": 1.0}

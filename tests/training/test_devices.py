"""What several devices cannot do is refused by name; the devices are counted only, not used."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.augment import device_augmentation
from tfxfer.errors import SettingError
from tfxfer.training import Phase
from tfxfer.training.devices import build_ahead, built_by, check_devices

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

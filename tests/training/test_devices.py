"""What several devices cannot do is refused by name; the devices are counted only, not used."""

from types import SimpleNamespace

import keras
import pytest

from tfxfer.augment import device_augmentation
from tfxfer.errors import SettingError
from tfxfer.training import Phase
from tfxfer.training.devices import built_by, check_devices

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

"""Train on two logical CPUs and on one, and print how far apart the weights are, as JSON.

Run in a process of its own, since logical devices can be made but once, and the whole process takes part in
each strategy: ``python -m tests.runtime.mirrored PICTURES``.
"""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tfxfer import L2SP, Distillation, Phase
from tfxfer.errors import OutOfMemoryError, SettingError

BATCH = 16


def two_phases(**settings):
    """Two phases, with features kept for the first alone or for both."""
    shared = {"epochs": 2, "patience": None} | settings
    return [Phase("head", rate=3e-3, **shared), Phase("top", train=-1, rate=1e-3, **shared)]


def clipping(kind, **settings):
    return Phase("head", epochs=2, rate=1e-2, optimizer=kind(**settings))


def cases():
    """Settings of fit; made late, since an optimizer begins the devices."""
    return {
        "SGD": {"plan": two_phases(optimizer="sgd")},
        "AdamW, class weights, EMA, L2-SP, layer decay, whole model": {
            "plan": two_phases(anchor=L2SP(), layer_decay=0.5, ema=0.9)[1:],
            "balance": "class_weights",
            "features": "off",
        },
        "AdamW, class weights, smoothed, taught, kept features": {
            "plan": two_phases(),
            "balance": "class_weights",
            "label_smoothing": 0.1,
            "distillation": Distillation(tfxfer.build(classes=3, backbone="micro", image_size=32, seed=2)),
            "features": "cache",
        },
        "clipping by the norm of all, last batch of one": {
            "plan": [clipping(keras.optimizers.SGD, global_clipnorm=0.1)],
            "features": "cache",
            "batch_size": 18,
        },
        "clipping by value, odd batches": {
            "plan": [clipping(keras.optimizers.SGD, clipvalue=0.01)],
            "features": "cache",
            "batch_size": 15,
        },
        "BatchNorm recalibrated": {"plan": two_phases(batch_norm="recalibrate")[1:], "features": "cache"},
        "nearly nothing learnt, so that the guard keeps the probe": {
            "plan": [Phase("top", train=-1, epochs=1, rate=1e-6)],
            "features": "off",
        },
        "rate found": {"plan": [Phase("head", epochs=1, rate="find")], "features": "cache"},
    }


def built(photos, **settings):
    return tfxfer.build(photos, backbone="micro", image_size=32, dropout=0, seed=1, **settings)


def apart(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def logs_apart(one, other):
    found = 0.0
    for first, second in zip(one.phases, other.phases, strict=True):
        for name in ("loss", "val_loss", "val_accuracy"):
            if name in first.history:  # a probe has learnt from no batches
                found = max(
                    found, float(np.abs(np.subtract(first.history[name], second.history[name])).max())
                )
    return found


class Full(keras.callbacks.Callback):
    """The memory is full as soon as a batch was learnt from."""

    def on_train_batch_end(self, batch, logs=None):
        del batch, logs
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")


def refusals(photos):
    """What is said where it cannot be."""
    settings = {"plan": [Phase("head")], "batch_size": BATCH, "progress": False}
    with tfxfer.strategy("mirrored"):
        double = built(photos)
    try:
        tfxfer.fit(double, photos, callbacks=[Full()], **settings)
    except OutOfMemoryError as error:
        yield str(error)
    single = built(photos)
    try:
        with tfxfer.strategy("mirrored"):
            tfxfer.fit(single, photos, **settings)
    except SettingError as error:
        yield str(error)


def main(folder):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    photos = tfxfer.from_folder(folder)
    outcome = {"pictures": [len(photos.split[part]) for part in ("train", "validation")]}
    for name, settings in cases().items():
        started = time.perf_counter()
        settings = {"batch_size": BATCH, "progress": False} | settings
        single = built(photos)
        alone = tfxfer.fit(single, photos, **settings)
        with tfxfer.strategy("mirrored"):
            double = built(photos)
        together = tfxfer.fit(double, photos, **settings)
        assert (alone.devices, together.devices) == (1, 2)
        outcome[name] = [apart(single, double), logs_apart(alone, together)]
        print(name, outcome[name], together.kept, time.perf_counter() - started, file=sys.stderr)
    outcome["said"] = [*refusals(photos)]
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])

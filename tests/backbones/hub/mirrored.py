"""Train a hub module on two logical CPUs and on one, and print how they compare, as JSON.

Run in a process of its own, since logical devices can be made but once:
``python -m tests.backbones.hub.mirrored MODULE SCRATCH``.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tfxfer.models import FreezeContract

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3)).astype("float32")
LABELS = np.arange(16) % 3


def learning(module: str) -> keras.Model:
    """Build, unfreeze and compile, in whatever scope this is called."""
    model = tfxfer.build(
        classes=3, backbone=f"hub:{module}", image_size=32, pixel_range=(0, 1), dropout=0, seed=1
    )
    tfxfer.set_trainable(model, "all")
    compiled(model)
    return model


def compiled(model: keras.Model) -> None:
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")


def fitted(model: keras.Model) -> keras.Model:
    data = tf.data.Dataset.from_tensor_slices((PIXELS, LABELS)).batch(8, drop_remainder=True)
    model.fit(data, epochs=2, verbose=0)
    return model


def difference(one: keras.Model, other: keras.Model) -> float:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def main(module: str, scratch: str) -> None:
    file = Path(scratch) / "model.keras"
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    single = fitted(learning(module))
    with strategy.scope():
        model = learning(module)
    contract = FreezeContract.of(model)
    fitted(model)
    contract.verify(model)
    model.save(file)
    outside = keras.saving.load_model(file, compile=False)
    with strategy.scope():
        inside = keras.saving.load_model(file)
    outcome = {
        "single": difference(single, model),
        "loaded outside": difference(model, outside),
        "loaded inside": difference(model, inside),
        "predictions": float(
            np.abs(outside.predict(PIXELS, verbose=0) - single.predict(PIXELS, verbose=0)).max()
        ),
    }
    fitted(model)
    fitted(inside)
    outcome["going on"] = difference(model, inside)
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])

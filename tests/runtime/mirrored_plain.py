"""Plain Keras work, judging and the command line on two logical CPUs and on one; print the outcome as JSON.

Run in a process of its own, as ``mirrored`` is: ``python -m tests.runtime.mirrored_plain PICTURES TARGET``.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tests.runtime.mirrored import apart, built
from tfxfer.cli.main import main as command
from tfxfer.runtime import distributed

BATCH = 18


def fitted(photos, name):
    """A model that plain Keras trained, an uneven last batch and all."""
    with tfxfer.strategy(name) as devices:
        model = built(photos)
        tfxfer.set_trainable(model, "head")
        model.compile(keras.optimizers.SGD(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = photos.batches("train", image_size=32, batch_size=BATCH, shuffle=False)
    validation = photos.batches("validation", image_size=32, batch_size=BATCH)
    settings = {"validation_data": validation, "epochs": 2, "shuffle": False, "verbose": 0}
    history = model.fit(distributed(batches, devices), **settings)
    return model, history.history


def scores(model, photos, **settings):
    return tfxfer.evaluate(model, photos, **settings).predictions.scores


def trained(folder, target):
    """What the command says, and what is in the card, where it is told to train on all devices."""
    options = ["--backbone", "micro", "--image-size", "32", "--head-epochs", "1", "--top-epochs", "0"]
    options += ["--strategy", "mirrored", "--precision", "mixed_bfloat16", "--formats", "tflite"]
    options += ["--tensorboard", f"{target}.board", "--csv", f"{target}.csv", "--json"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        command(["train", folder, "--to", target, *options])
    return json.loads(said.getvalue()), json.loads((Path(target) / "card.json").read_text())["training"]


def main(folder, target):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    photos = tfxfer.from_folder(folder)
    (single, alone), (double, together) = (fitted(photos, name) for name in ("none", "mirrored"))
    validated = [np.abs(np.subtract(alone[n], together[n])).max() for n in ("val_loss", "val_accuracy")]
    judged = [
        np.abs(scores(single, photos) - scores(double, photos, batch_size=size)).max() for size in (32, 1, 7)
    ]
    told, card = trained(folder, target)
    rows, runs = Path(f"{target}.csv").read_text().splitlines(), [*Path(f"{target}.board").iterdir()]
    outcome = {
        "train": len(photos.split.train),
        "test": len(photos.split.test),
        "plain Keras": [apart(single, double), *map(float, validated)],
        "judged": [*map(float, judged)],
        "command": [told["files"], card["devices"], card["precision"]],
        "logs": [len(rows), len(runs)],
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])

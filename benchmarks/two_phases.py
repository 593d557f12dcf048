"""Transfer on photographs: tfxfer's two phases, the plain Keras guide, and training from scratch.

    python benchmarks/two_phases.py FOLDER [--backbone mobilenet_v2_035] [--seeds 3]

The same pictures, split, decoded pixels and ImageNet weights for all three. The guide is that of
https://keras.io/guides/transfer_learning as people copy it: flips and small rotations, ten epochs of
the head with Adam, then ten with the whole base unfrozen at 1e-5. Prints a Markdown table: test
accuracy as mean and range over the seeds, and seconds as mean and as a ratio to the guide's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import keras

import tfxfer
from tfxfer import Photos, training

ALPHAS = {"mobilenet_v2_035": 0.35, "mobilenet_v2": 1.0}
SIZE = 224


def plain_guide(photos: Photos, backbone: str, seed: int) -> keras.Model:
    """Do as the guide does."""
    keras.utils.set_random_seed(seed)
    base = keras.applications.MobileNetV2(
        include_top=False, alpha=ALPHAS[backbone], input_shape=(SIZE, SIZE, 3)
    )
    base.trainable = False
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomRotation(0.1)(x)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(image, keras.layers.Dense(len(photos.classes), activation="softmax")(x))
    training, validation = (photos.batches(p, image_size=SIZE) for p in ("train", "validation"))
    for rate in (1e-3, 1e-5):
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        model.fit(training, validation_data=validation, epochs=10, verbose=0, shuffle=False)
        base.trainable = True
    return model


def two_phases(photos: Photos, backbone: str, seed: int) -> keras.Model:
    """Do as tfxfer does by default."""
    model = tfxfer.build(photos, backbone=backbone, seed=seed)
    tfxfer.fit(model, photos, seed=seed, progress=False)
    return model


def from_scratch(photos: Photos, backbone: str, seed: int) -> keras.Model:
    """Train the same network without pretrained weights."""
    model = tfxfer.build(photos, backbone=backbone, weights=None, seed=seed)
    phases = training.from_scratch()
    tfxfer.fit(model, photos, phases=phases, seed=seed, progress=False)
    return model


WAYS: dict[str, Callable[[Photos, str, int], keras.Model]] = {
    "plain Keras guide": plain_guide,
    "tfxfer, two phases": two_phases,
    "from scratch": from_scratch,
}


def main() -> None:
    """Run every way with every seed, in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--backbone", default="mobilenet_v2_035", choices=ALPHAS)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    accuracy: dict[str, list[float]] = {way: [] for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for seed in range(arguments.seeds):
        photos = tfxfer.from_folder(arguments.folder, seed=seed)
        for way, train in WAYS.items():
            started = time.perf_counter()
            model = train(photos, arguments.backbone, seed)
            seconds[way].append(time.perf_counter() - started)
            accuracy[way].append(tfxfer.evaluate(model, photos).accuracy)
    guide = sum(seconds["plain Keras guide"])
    print("| way | test accuracy, mean (range) | seconds | time against the guide |\n|---|---|---|---|")
    for way in WAYS:
        scores, mean = accuracy[way], sum(seconds[way]) / arguments.seeds
        print(
            f"| {way} | {sum(scores) / len(scores):.3f} ({min(scores):.3f} to {max(scores):.3f}) "
            f"| {mean:.0f} | {sum(seconds[way]) / guide:.2f} |"
        )


if __name__ == "__main__":
    main()

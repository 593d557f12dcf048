"""How fast pictures reach training: tfxfer's pipeline, Keras's own, and plain albumentations.

    python -m benchmarks.pipeline FOLDER [--image-size 224] [--rounds 3]

FOLDER holds class folders. Every way gives the same pictures, shuffled, in batches of 32, with the
augmentation of the policy ``medium`` or what comes nearest to it in Keras layers. The ways take turns; a
row is the best round of each, in pictures a second and as a ratio to Keras. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tfxfer import Photos
from tfxfer.contracts import Split

BATCH = 32
KERAS = "image_dataset_from_directory + Keras layers"

Make = Callable[[], tf.data.Dataset]


def everything(folder: Path) -> Photos:
    """Read a folder, all of it to learn from."""
    photos = tfxfer.from_folder(folder)
    split = Split(train=tuple(range(len(photos))), validation=(), test=(), seed=0)
    return replace(photos, split=split)


def keras_layers(folder: Path, size: int) -> Make:
    """Do as the Keras guides do, the augmentation on whole batches, which is its faster way."""
    layers = [
        keras.layers.RandomZoom((-0.4, 0.0), data_format="channels_last"),
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(10 / 360),
        keras.layers.RandomBrightness(0.2),
        keras.layers.RandomContrast(0.2),
        keras.layers.RandomSaturation((0.4, 0.6)),
    ]

    def augment(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for layer in layers:
            images = layer(images, training=True)
        return images, labels

    def make() -> tf.data.Dataset:
        read = keras.utils.image_dataset_from_directory(
            folder, image_size=(size, size), batch_size=BATCH, seed=0, verbose=False
        )
        return read.map(augment, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    return make


def plain_albumentations(photos: Photos, size: int) -> Make:
    """Do as examples of albumentations do: TensorFlow decodes, ``tf.py_function`` changes each picture."""
    augment = tfxfer.augmentation("medium")
    paths, labels = [str(path) for path in photos.paths("train")], photos.labels("train")

    def change(image: tf.Tensor) -> np.ndarray:
        return augment(image.numpy(), int(np.random.default_rng().integers(2**31)))

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image = tf.cast(tf.image.resize(image, (size, size)), tf.uint8)
        image = tf.py_function(change, [image], tf.uint8)
        return tf.ensure_shape(image, (size, size, 3)), label

    def make() -> tf.data.Dataset:
        files = tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(len(paths))
        return files.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)

    return make


def rate(dataset: tf.data.Dataset) -> float:
    """Go through a data set once; return pictures a second, from the first batch asked for."""
    started = time.perf_counter()
    count = sum(len(labels) for _, labels in dataset)
    return count / (time.perf_counter() - started)


def main() -> None:
    """Measure every way in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    photos, size = everything(options.folder), options.image_size
    medium = tfxfer.augmentation("medium")

    def ours(**settings: object) -> tf.data.Dataset:
        return photos.batches("train", image_size=size, batch_size=BATCH, **settings)

    kept, kept_plain = ours(augment=medium, cache="memory"), ours(cache="memory")
    ways: dict[str, Make] = {
        KERAS: keras_layers(options.folder, size),
        "TensorFlow decoding + our augmentation in tf.py_function": plain_albumentations(photos, size),
        "tfxfer, decoding alone": lambda: ours(cache="none"),
        "tfxfer, medium, every picture decoded": lambda: ours(augment=medium, cache="none"),
        "tfxfer, medium, decoded pictures kept": lambda: kept,
        "tfxfer, no augmentation, decoded pictures kept": lambda: kept_plain,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds + 1):
        for name, make in ways.items():
            rates[name].append(rate(make()))
    # The first round warms up: libraries are loaded, functions traced, decoded pictures put by.
    best = {name: max(measured[1:]) for name, measured in rates.items()}
    print(f"{len(photos)} pictures, {size} x {size}, best of {options.rounds} rounds\n")
    print("| way | pictures a second | ratio |\n|---|---|---|")
    for name, pictures in best.items():
        print(f"| {name} | {pictures:,.0f} | {pictures / best[KERAS]:.2f} |")


if __name__ == "__main__":
    main()

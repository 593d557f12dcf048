"""Extraction of features: images a second through LiteRT on all cores, against keras.Model.predict.

    python -m benchmarks.extract [BACKBONE ...] [--images 128] [--rounds 3]

The backbone with global pooling behind it, random weights, pictures of noise in memory, nothing decoded: the
network alone. Both in turn, best of the rounds. The floor is what the multiply-adds would take at the rate
that a product of two 2048 x 2048 matrices reaches through TensorFlow in the same run. Prints a Markdown
table.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from tfxfer import BACKBONES
from tfxfer.backbones import build_backbone
from tfxfer.features import choose_engine

USUAL = ("mobilenet_v2_035", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_075", "efficientnet_v2_b0")


def seconds_of(work: Callable[[], object], rounds: int) -> float:
    """Return the seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def multiply_adds_a_second() -> float:
    """Return how many multiply-adds a second a large matrix product does."""
    matrix = tf.random.normal((2048, 2048))
    tf.linalg.matmul(matrix, matrix).numpy()
    return 2048**3 / seconds_of(lambda: tf.linalg.matmul(matrix, matrix).numpy(), 5)


def main() -> None:
    """Measure each backbone and print its row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backbones", nargs="*", default=list(USUAL))
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    rate = multiply_adds_a_second()
    print(f"{os.cpu_count()} cores, {rate / 1e9:.0f} G multiply-adds a second in a matrix product\n")
    print("| backbone | predict | engine | images/s | times as fast | share of the floor |")
    print("|---|---|---|---|---|---|")
    for name in chosen.backbones:
        spec = BACKBONES[name]
        body = build_backbone(spec, weights=None)
        prefix = keras.Model(body.inputs[0], keras.layers.GlobalAveragePooling2D()(body.outputs[0]))
        engine, _ = choose_engine(prefix)
        images = np.random.default_rng(0).integers(0, 256, (chosen.images, *prefix.input_shape[1:]), np.uint8)
        step = engine.batch
        chunks = [images[start : start + step] for start in range(0, len(images), step)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(engine, chunks[:8]))
            prefix.predict(images[:64], verbose=0)
            ours = seconds_of(lambda: list(pool.map(engine, chunks)), chosen.rounds)  # noqa: B023
            theirs = seconds_of(lambda: prefix.predict(images, verbose=0), chosen.rounds)  # noqa: B023
        floor = len(images) * spec.macs / rate
        print(
            f"| {name} | {len(images) / theirs:.0f} | {engine.name} | {len(images) / ours:.0f} "
            f"| {theirs / ours:.2f} | {floor / ours:.0%} |",
            flush=True,
        )
        keras.backend.clear_session()


if __name__ == "__main__":
    main()

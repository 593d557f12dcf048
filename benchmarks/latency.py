"""How fast the catalogue's backbones are in each TFLite form, on this machine, and what they take.

    python -m benchmarks.latency [--backbones mobilenet_v2_035 …] [--threads 1 2] [--runs 50]

Each backbone at its own size, with a head of ten classes and random weights, which take as long as trained
ones; whole, with no operation left in float32. Each file is timed in a process of its own, as
``tfxfer benchmark`` does. Prints a Markdown table: of each form its megabytes; for each number of threads
the median of the latency and the ninth decile, in milliseconds; and the most megabytes that a process took.

int16x8 has no fast kernels in LiteRT for desktop processors: a backbone of more than a billion
multiply-adds takes minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

import tfxfer
from benchmarks.processes import apart
from tfxfer.backbones import BACKBONES
from tfxfer.exports.quantizing.converter import converted
from tfxfer.exports.quantizing.halving import halved
from tfxfer.exports.quantizing.quantizer import Quantizer
from tfxfer.exports.timing import timed

PICKED = (
    "micro",
    "mobilenet_v2_035",
    "mobilenet_075",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "resnet50_v2",
    "convnext_tiny",
)
FORMS = ("float32", "float16", "dynamic", "int8", "int16x8")


def settled(name: str, images: npt.NDArray[np.uint8]) -> keras.Model:
    """Return a model with random weights, whose BatchNorm keeps what is deep in it from fading away."""
    model = tfxfer.build(classes=10, backbone=name, weights=None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable, layer.momentum = True, 0.0
    model(images, training=True)
    return model


def files(model: keras.Model, images: npt.NDArray[np.uint8], folder: Path) -> Iterator[Path]:
    """Write the forms, and yield each."""
    saved = folder / "saved_model"
    model.export(saved, format="tf_saved_model", verbose=False)
    float32 = converted(saved, "float32")
    contents = {
        "model.tflite": float32,
        "model-float16.tflite": halved(float32),
        "model-dynamic.tflite": converted(saved, "dynamic"),
        "model-int8.tflite": Quantizer(float32, images).quantized(),
        "model-int16x8.tflite": Quantizer(float32, images, "int16x8").quantized(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        yield folder / name


def run(name: str, threads: list[int], runs: int) -> dict[str, Any]:
    """Time every form of one backbone."""
    size = BACKBONES[name].input.height
    images = np.random.default_rng(0).integers(0, 256, (8, size, size, 3)).astype(np.uint8)
    images[0, 0, :2] = [[0] * 3, [255] * 3]
    model = settled(name, images)
    with tempfile.TemporaryDirectory() as folder:
        cells = [cell(file, threads, runs) for file in files(model, images, Path(folder))]
    return {"pixels": size, "cells": cells}


def cell(file: Path, threads: list[int], runs: int) -> str:
    """Measure one form, and write what came of it."""
    try:
        timings = [timed(file, count, runs) for count in threads]
    except tfxfer.BundleError as error:
        print(error, file=sys.stderr)
        return "does not run"
    speeds = ", ".join(f"{1000 * each.median:.1f} ({1000 * each.p90:.1f}) ms" for each in timings)
    return f"{timings[0].size / 1e6:.2f} MB; {speeds}; {max(each.memory for each in timings) / 1e6:.0f} MB"


def main() -> None:
    """Time every backbone, in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="+", default=PICKED)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(run(chosen.backbones[0], chosen.threads, chosen.runs)))
        return
    counts = [str(each) for each in chosen.threads]
    print(f"| backbone | pixels | {' | '.join(FORMS)} |")
    print(f"|---|---|{'---|' * len(FORMS)}")
    for name in chosen.backbones:
        about = ["--backbones", name, "--threads", *counts, "--runs", str(chosen.runs)]
        found: dict[str, Any] = apart("benchmarks.latency", "--one", *about)
        print(f"| `{name}` | {found['pixels']} | {' | '.join(found['cells'])} |", flush=True)


if __name__ == "__main__":
    main()

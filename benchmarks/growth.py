"""Extraction from files as data sets grow: seconds and memory, beside what no way could do without.

    python -m benchmarks.growth FOLDER [--pictures 500 5000 50000] [--backbone mobilenet_v2_035]

FOLDER holds class folders. So many of its pictures, evenly over the classes, are read, decoded, brought to
224 x 224, run through the backbone (ImageNet weights) with global pooling behind it, and kept, each number
of them in a process of its own that finds nothing kept. The floor is decoding alone, on all cores, and then
the multiply-adds at the rate that a large matrix product reaches in the same process: whoever does one after
the other is no faster. Seconds are those of extraction, once the backbone is converted, and memory what the
process came to hold above what it held before. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import tfxfer
from benchmarks.extract import multiply_adds_a_second, seconds_of
from benchmarks.processes import apart
from benchmarks.streaming_memory import peak, resident
from tfxfer import runtime
from tfxfer.data.pixels.decode import read_image
from tfxfer.features import choose_engine, open_features
from tfxfer.features.pooled import pooled_prefix

SIZE = 224


def decode(path: Path) -> None:
    """Read one picture as extraction does."""
    read_image(path, height=SIZE, width=SIZE)


def measure(folder: Path, backbone: str, count: int) -> dict[str, float]:
    """Extract from so many pictures, in this process."""
    rate = multiply_adds_a_second()
    photos = tfxfer.from_folder(folder)
    chosen = np.linspace(0, len(photos) - 1, min(count, len(photos))).astype(int).tolist()
    model = tfxfer.build(photos, backbone=backbone, image_size=SIZE)
    prefix = pooled_prefix(model)
    before, started = resident(), time.perf_counter()
    extraction = open_features(prefix, photos, chosen)
    engine, _ = choose_engine(prefix)
    ready = time.perf_counter()
    extraction.compute(extraction.missing(dict.fromkeys(chosen, 1)), engine, advance=lambda _: None)
    ended = time.perf_counter()
    few = [photos.root / photos.records[index].path for index in chosen[:: max(1, len(chosen) // 500)]]
    with ThreadPoolExecutor(runtime.cores()) as pool:
        decoding = seconds_of(lambda: list(pool.map(decode, few)), 3) / len(few)
    arithmetic = tfxfer.BACKBONES[backbone].macs / rate
    return {
        "pictures": len(chosen),
        "ready": ready - started,
        "seconds": ended - ready,
        "memory": peak() - before,
        "floor": len(chosen) * (decoding + arithmetic),
    }


def main() -> None:
    """Extract from more and more pictures and print a row of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, nargs="+", default=[500, 5_000, 50_000])
    parser.add_argument("--backbone", default="mobilenet_v2_035", choices=tfxfer.BACKBONES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.folder, options.backbone, options.one)))
        return
    print("| pictures | getting ready, s | extraction, s | images/s | share of the floor | MB |")
    print("|---|---|---|---|---|---|")
    for count in options.pictures:
        found = apart(
            "benchmarks.growth", str(options.folder), "--backbone", options.backbone, "--one", str(count)
        )
        print(
            f"| {found['pictures']:,.0f} | {found['ready']:.1f} | {found['seconds']:.1f} "
            f"| {found['pictures'] / found['seconds']:.0f} | {found['floor'] / found['seconds']:.0%} "
            f"| {found['memory']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""How much memory a pass over many pictures takes, and whether it grows on the way.

    python -m benchmarks.streaming_memory FOLDER [--image-size 96] [--epochs 2] [--cache none]

FOLDER holds class folders. Goes through all of it, shuffled, decoded, augmented with the policy ``light`` and
batched, and prints the resident memory of the process as it goes, and its peak.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import psutil

import tfxfer
from benchmarks.pipeline import everything
from tfxfer.data.pixels.cache import CACHES

MEGABYTE = 1e6


def resident() -> float:
    """Return what the process holds in memory now, in megabytes."""
    return psutil.Process().memory_info().rss / MEGABYTE


def peak() -> float:
    """Return the most it ever held, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def main() -> None:
    """Go through the pictures and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--cache", choices=CACHES, default="none")
    options = parser.parse_args()
    photos = everything(options.folder)
    dataset = photos.batches(
        "train",
        image_size=options.image_size,
        augment=tfxfer.augmentation("light"),
        cache=options.cache,
    )
    print(f"{len(photos):,} pictures listed: {resident():,.0f} MB")
    for epoch in range(1, options.epochs + 1):
        started, seen = time.perf_counter(), 0
        for _, labels in dataset:
            before, seen = seen, seen + len(labels)
            if seen // 10_000 > before // 10_000:
                print(f"epoch {epoch}, {seen:,} pictures: {resident():,.0f} MB")
        print(f"epoch {epoch}: {seen / (time.perf_counter() - started):,.0f} pictures a second")
    print(f"peak: {peak():,.0f} MB")


if __name__ == "__main__":
    main()

"""How many labels that were changed at random are among those that are doubted, and what that costs.

    python -m benchmarks.label_errors FOLDER... [--backbone mobilenet_v2_035] [--changed 0.05]

Each FOLDER holds class folders. Labels are doubted as they are, and then with a share of them changed.
Prints a line for each: how many are doubted; how many of those, and of the first 24 that a report shows, were
changed; and the processor's seconds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import keras
import numpy as np

import tfxfer

SHOWN = 24


def main() -> None:
    """Read the options, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--backbone", default="mobilenet_v2_035")
    parser.add_argument("--changed", type=float, default=0.05)
    options = parser.parse_args()
    for folder in options.folders:
        photos = tfxfer.from_folder(folder)
        model = tfxfer.build(photos, backbone=options.backbone)
        for share in (0.0, options.changed):
            tell(model, photos, share)


def tell(model: keras.Model, photos: tfxfer.Photos, share: float) -> None:
    """Change labels, and say how many are found."""
    generator, classes = np.random.default_rng(0), len(photos.classes)
    chosen = generator.choice(len(photos), int(share * len(photos)), replace=False)
    steps = dict(zip(chosen, generator.integers(1, classes, len(chosen)), strict=True))
    records = tuple(
        replace(record, label=(record.label + int(steps.get(index, 0))) % classes)
        for index, record in enumerate(photos.records)
    )
    changed = {str(photos.root / photos.records[index].path) for index in chosen}
    started = time.process_time()
    found = tfxfer.likely_label_errors(model, replace(photos, records=records), progress=False)
    seconds = time.process_time() - started
    hits = sum(each.file in changed for each in found)
    first = sum(each.file in changed for each in found[:SHOWN])
    print(
        f"{photos.root.name}, {len(changed)} of {len(photos)} changed: {len(found)} doubted, {hits} of the "
        f"changed among them, {first} among the first {SHOWN}; {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()

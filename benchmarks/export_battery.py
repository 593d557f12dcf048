"""Every exported form of many backbones: does it load, and what does it lose?

    python -m benchmarks.export_battery [--backbones micro …] [--measured FILE]

Scanned digits of scikit-learn: 400 to learn from, 100 to choose by, 100 to judge by. Those of ``REAL`` begin
with their pretrained weights, which KERAS_HOME has or Keras fetches, at 64 pixels; the others with random
ones, so that nothing is fetched, at 32, or what they need at least. Each learns as ``tfxfer.fit`` has it by
default, so that labels mean something: from scratch that is everything. ``hub`` is MobileNetV2 0.35 with
ImageNet weights, as a module of TensorFlow Hub.

Each backbone in a process of its own; --measured keeps each in a file, one JSON object a line, and does not
do again what stands there. Prints a Markdown table: what the model gets right, then of each form its
megabytes, on how many of the 100 pictures it says the same, and the points of accuracy it gains; and the
seconds of the processor that all of it took.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import tfxfer
from benchmarks.hub_against_applications import write_module
from benchmarks.processes import apart
from tfxfer import Photos
from tfxfer.backbones import BACKBONES
from tfxfer.exports import FORMATS

REAL = ("micro", "mobilenet_v2_035", "mobilenet_v2", "mobilenet_075")
RANDOM = (
    "mobilenet_025",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "resnet50_v2",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "convnext_tiny",
    "densenet121",
)
FORMS = [form.name for form in FORMATS if not form.packages]
PICTURES = {"train": 400, "val": 100, "test": 100}


def digits() -> Photos:
    """Return scanned digits, each pixel four by four."""
    found = load_digits()
    images = np.kron((found.images * (255 / 16)).round().astype(np.uint8), np.ones((4, 4), np.uint8))
    order = np.random.default_rng(0).permutation(len(images))[: sum(PICTURES.values())]
    places = np.split(order, np.cumsum(list(PICTURES.values()))[:-1])
    parts = dict(zip(PICTURES, places, strict=True))
    return tfxfer.from_arrays(
        {part: images[own] for part, own in parts.items()},
        {part: found.target[own] for part, own in parts.items()},
    )


def run(name: str, folder: Path) -> dict[str, Any]:
    """Train a head on one backbone, export every form, and return what came of each."""
    photos, started = digits(), time.process_time()
    settings: dict[str, Any] = {"weights": "pretrained" if name in REAL else None}
    backbone, size = name, 64
    if name == "hub":
        backbone, settings = f"hub:{write_module(folder / 'module', size=size)}", {"pixel_range": (0, 1)}
    elif name in RANDOM:
        size = max(32, BACKBONES[name].minimum)
    model = tfxfer.build(photos, backbone=backbone, image_size=size, **settings)
    tfxfer.fit(model, photos, guard=False, progress=False)
    with warnings.catch_warnings(action="ignore", category=tfxfer.TfxferWarning):
        made = tfxfer.export(model, folder / "bundle", photos, formats=FORMS)
    forms = {each.format: each.to_dict() | {"file": each.path.name} for each in made}
    return {"size": size, "seconds": time.process_time() - started, "forms": forms}


def measured(kept: Path | None, name: str) -> dict[str, Any]:
    """Do one backbone in a process of its own, or return what a file says of it."""
    if kept is not None and kept.exists():
        for line in kept.read_text().splitlines():
            known = json.loads(line)
            if known["cell"] == name:
                return dict(known["found"])
    found: dict[str, Any] = apart("benchmarks.export_battery", "--one", name)
    if kept is not None:
        with kept.open("a") as lines:
            print(json.dumps({"cell": name, "found": found}), file=lines)
    return found


def row(name: str, found: dict[str, Any]) -> str:
    """Write one row of the table."""
    forms = found["forms"]
    cells = [f"`{name}`{'' if name in RANDOM else ', pretrained'}", f"{found['size']}"]
    cells.append(f"{forms['keras']['accuracy']:.0%}")
    cells += [cell(each) for each in forms.values()]
    return f"| {' | '.join(cells)} | {found['seconds']:.0f} |"


def cell(form: dict[str, Any]) -> str:
    """Write what came of one form."""
    if form["agreement"] is None:
        return f"{form['bytes'] / 1e6:.2f} MB, does not run"
    return (
        f"{form['bytes'] / 1e6:.2f} MB, {form['agreement']:.0%}, {100 * form['accuracy_change']:+.0f}"
        f"{', refused' * (not form['passed'])}"
    )


def main() -> None:
    """Run every backbone, in turn, and print the table."""
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(run(sys.argv[2], Path(folder))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = [*REAL, "hub", *RANDOM]
    parser.add_argument("--backbones", nargs="+", default=every, choices=every)
    parser.add_argument("--measured", type=Path, help="keeps what was measured")
    chosen = parser.parse_args()
    rows = []
    for name in chosen.backbones:
        rows.append(row(name, measured(chosen.measured, name)))
        print(rows[-1], file=sys.stderr, flush=True)
    print(f"| backbone | pixels | right | {' | '.join(FORMS)} | seconds |")
    print(f"|---|---|---|{'---|' * len(FORMS)}---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()

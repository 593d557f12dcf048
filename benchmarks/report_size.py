"""How large a report is, and how long it takes, of many test pictures of many classes.

python -m benchmarks.report_size

Pictures are noise on a colour a class; how good the model is does not matter here.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

import tfxfer
from tfxfer.reporting import REPORT_FILES, add_report

CLASSES, TESTED, LEARNT = 100, 10_000, 20
SIDE = 96


def main() -> None:
    """Measure it, and print what it took."""
    generator = np.random.default_rng(0)
    colours = generator.integers(0, 256, (CLASSES, 3))
    counts = {"train": LEARNT, "validation": LEARNT // 4, "test": TESTED // CLASSES}
    labels = {part: np.tile(np.arange(CLASSES), count) for part, count in counts.items()}
    images = {
        part: np.stack([_picture(colours[label], generator) for label in own]) for part, own in labels.items()
    }
    photos = tfxfer.from_arrays(images, labels)
    model = tfxfer.build(photos, backbone="micro", image_size=SIDE)
    log = tfxfer.fit(model, photos, plan=[tfxfer.Phase("head", epochs=10, rate=3e-3)], progress=False)
    started = time.process_time()
    report = tfxfer.evaluate(model, photos)
    judged = time.process_time()
    spent = []

    def timed(folder: Path, artifacts: tuple[tfxfer.Artifact, ...]) -> None:
        begun = time.process_time()
        add_report(model, photos, report, folder, artifacts)
        spent.append(time.process_time() - begun)

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        tfxfer.export(model, target, photos, report=report, log=log, formats=("keras",), beside=timed)
        sizes = {name: (target / name).stat().st_size for name in REPORT_FILES}
    print(f"accuracy {report.accuracy:.1%} on {TESTED:,} pictures of {CLASSES} classes")
    print(f"processor: judged in {judged - started:.1f} s; report written in {spent[0]:.1f} s")
    for name, size in sizes.items():
        print(f"{name}  {size / 1e6:.2f} MB")


def _picture(colour: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return np.clip(colour + generator.normal(0, 60, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()

"""Step by step: each step returns a plain value that the next one takes.

python examples/step_by_step.py FOLDER DIR
"""

import sys

import tfxfer
from tfxfer import Phase


def main(folder: str, target: str) -> None:
    photos = tfxfer.from_folder(folder, seed=7)
    print(photos)
    model = tfxfer.build(photos, backbone="micro", image_size=64)
    phases = [
        Phase("head", train="head", epochs=10, rate=3e-3),
        Phase("top", train=-2, epochs=5, rate=1e-4, warmup=0.1),
    ]
    log = tfxfer.fit(model, photos, plan=phases)
    print(f"kept phase {log.kept!r}, validation accuracy {log.validation_accuracy:.1%}")
    report = tfxfer.evaluate(model, photos)
    print(report)
    for artifact in tfxfer.export(model, target, photos, report=report, log=log):
        print(f"{artifact.path}: {artifact.size:,} bytes, {artifact.comparison.disagreements} labels differ")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Cross-validation: how far the figure moves with the pictures that happen to judge.

python examples/cross_validation.py FOLDER DIR
"""

import statistics
import sys

import tfxfer
from tfxfer import Phase


def main(folder: str, target: str) -> None:
    photos = tfxfer.clean(tfxfer.from_folder(folder))  # near duplicates stay in one fold
    figures = []
    for fold in photos.folds(3):
        model = tfxfer.build(fold, backbone="micro", image_size=32)
        log = tfxfer.fit(model, fold, plan=[Phase("head", epochs=5, rate=3e-3)])
        figures.append(log.validation_accuracy)
    print(f"accuracy {statistics.mean(figures):.3f}, from {min(figures):.3f} to {max(figures):.3f} by fold")
    tfxfer.export(model, target, photos)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Augmentation of one's own, rare classes that count, and bad pictures left out.

python examples/own_augmentation.py FOLDER DIR
"""

import sys

import albumentations as A

import tfxfer
from tfxfer import Phase


def main(folder: str, target: str) -> None:
    photos = tfxfer.clean(tfxfer.from_folder(folder))
    own = A.Compose([A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast(p=0.5), A.GaussNoise(p=0.2)])
    model = tfxfer.build(photos, backbone="micro", image_size=64)
    phases = [Phase("head", epochs=5, rate=3e-3), Phase("top", train=-2, epochs=3, rate=1e-4)]
    # In place of "own": the name of a policy, such as "medium", or a function of pixels.
    log = tfxfer.fit(model, photos, plan=phases, augment=own, balance="auto")
    report = tfxfer.evaluate(model, photos)
    print(report)
    tfxfer.export(model, target, photos, report=report, log=log)


if __name__ == "__main__":
    main(*sys.argv[1:])

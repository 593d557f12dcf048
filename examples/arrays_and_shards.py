"""Pictures from NumPy arrays, written as TFRecord shards and read from there.

python examples/arrays_and_shards.py FOLDER DIR
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import tfxfer


def main(folder: str, target: str) -> None:
    files = sorted(Path(folder).rglob("*.png"))
    images = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    photos = tfxfer.from_arrays(images, [file.parent.name for file in files])
    with tempfile.TemporaryDirectory() as place:
        tfxfer.write_shards(photos, f"{place}/shards", pictures_per_shard=16)
        run = tfxfer.transfer(f"{place}/shards", to=target, backbone="micro", image_size=32)
    print(run.report)


if __name__ == "__main__":
    main(*sys.argv[1:])

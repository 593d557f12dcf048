"""Two hops: what a model learnt on one job is where the next job starts, at another size.

python examples/second_hop.py FOLDER DIR
"""

import sys
import tempfile
from pathlib import Path

import tfxfer


def main(folder: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        first = Path(place, "first")  # in earnest: a job with many pictures, trained some time ago
        quick = {"head_epochs": 3, "top_epochs": 3}
        tfxfer.transfer(folder, to=first, backbone="micro", image_size=32, formats=("keras",), **quick)
        run = tfxfer.transfer(folder, to=target, backbone=f"file:{first}", image_size=48, **quick)
    print(run.report)


if __name__ == "__main__":
    main(*sys.argv[1:])

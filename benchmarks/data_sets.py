"""Three data sets as class folders, for ``benchmarks.transfer``, from the archives as their makers give them.

    python -m benchmarks.data_sets DATA TO

DATA holds ``hymenoptera/`` (ants and bees, in ``train/`` and ``val/``), ``cifar10/train.zip`` (pictures in
class folders) and ``magnetic_tiles/`` (Huang et al. 2018, ``MT_Free`` and five kinds of defect). TO gets
``hymenoptera/``, ``cifar10/`` (the first 200 pictures of each class) and ``magnetic_tiles/`` (without the
masks). None of it may be redistributed.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections import Counter
from pathlib import Path

EACH = 200


def cifar10(archive: Path, to: Path) -> None:
    """Unpack the first pictures of each class."""
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as pictures:
        for name in sorted(pictures.namelist()):
            label = Path(name).parent.name
            if name.endswith(".jpg") and seen[label] < EACH:
                seen[label] += 1
                (to / label).mkdir(parents=True, exist_ok=True)
                (to / label / Path(name).name).write_bytes(pictures.read(name))


def magnetic_tiles(folder: Path, to: Path) -> None:
    """Copy the pictures of each kind; what lies beside them as ``.png`` are masks."""
    for path in sorted(folder.rglob("*.jpg")):
        kind = path.relative_to(folder).parts[0]
        (to / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to / kind)


def main() -> None:
    """Write all three."""
    data, to = map(Path, sys.argv[1:])
    shutil.copytree(data / "hymenoptera", to / "hymenoptera")
    cifar10(data / "cifar10" / "train.zip", to / "cifar10")
    magnetic_tiles(data / "magnetic_tiles", to / "magnetic_tiles")


if __name__ == "__main__":
    main()

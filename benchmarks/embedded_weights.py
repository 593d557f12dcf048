"""Measures what the embedded backbone's weights are worth on data sets they never saw.

    python benchmarks/embedded_weights.py [--seeds 10]

A logistic regression on frozen, globally averaged features of 10 pictures a class; balanced accuracy on the
others, against the same network with random weights (new ones for each seed). Digits come with scikit-learn;
the others are looked for in the folder that TFXFER_TEST_DATA names, and left out where absent. Prints a
Markdown table: mean and standard deviation over the seeds, and on how many of them the embedded weights win.
"""

import argparse
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfxfer.backbones.embedded import micro

Pictures = NDArray[np.uint8]
Labels = NDArray[np.int64]

WEIGHTS = Path(__file__).parents[1] / "saved_models" / "micro" / "micro.weights.h5"
SHOTS = 10
MOST = 2000  # pictures tested


def main() -> None:
    """Prints the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    print("| data set | classes | random | embedded | wins |\n|---|---|---|---|---|")
    for name, pictures, labels in _data():
        random = [_probed(pictures, labels, None, seed) for seed in range(options.seeds)]
        embedded = [_probed(pictures, labels, options.weights, seed) for seed in range(options.seeds)]
        wins = sum(ours > theirs for ours, theirs in zip(embedded, random, strict=True))
        cells = [name, str(len(np.unique(labels))), _spread(random), _spread(embedded)]
        print(f"| {' | '.join(cells)} | {wins}/{options.seeds} |", flush=True)


def _spread(scores: list[float]) -> str:
    return f"{100 * np.mean(scores):.1f} ± {100 * np.std(scores, ddof=1):.1f}"


def _backbone(shape: tuple[int, ...], weights: Path | None, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    backbone = micro(layers.Rescaling(1 / 127.5, -1)(keras.Input(shape)))
    if weights:
        backbone.load_weights(weights)
    return backbone


def _split(labels: Labels, seed: int) -> tuple[Labels, Labels]:
    """Indices of SHOTS training pictures a class, and of at most MOST of the others."""
    order = np.random.default_rng(seed).permutation(len(labels))
    train = np.concatenate([order[labels[order] == one][:SHOTS] for one in np.unique(labels)])
    return train, order[~np.isin(order, train)][:MOST]


def _balanced(answers: Labels, labels: Labels) -> float:
    """Accuracy, every class counting alike."""
    return float(np.mean([(answers[labels == one] == one).mean() for one in np.unique(labels)]))


def _probed(pictures: Pictures, labels: Labels, weights: Path | None, seed: int) -> float:
    """A linear probe on standardised, globally averaged features."""
    backbone = _backbone(pictures.shape[1:], weights, seed)
    pooled = layers.GlobalAveragePooling2D()(backbone.output)
    train, test = _split(labels, seed)
    model = keras.Model(backbone.input, pooled)
    features = [model.predict(pictures[some], batch_size=250, verbose=0) for some in (train, test)]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return _balanced(probe.fit(features[0], labels[train]).predict(features[1]), labels[test])


def _data() -> Iterator[tuple[str, Pictures, Labels]]:
    """Yields name, pictures (count, size, size, 3) and labels of every data set that is there."""
    scans = load_digits()
    grey = np.asarray(scans.images / 16 * 255, np.uint8)
    yield "digits (32 px)", _ready(grey, 32), np.asarray(scans.target, np.int64)
    root = Path(os.environ.get("TFXFER_TEST_DATA", "data"))
    for name, (place, load) in LOADERS.items():
        if (root / place).exists():
            yield name, *load(root / place)
        else:
            print(f"{name}: no {root / place}, left out", file=sys.stderr)


def _ready(pictures: list[Pictures] | Pictures, size: int = 64) -> Pictures:
    """Resizes to squares and makes three channels."""
    squares = []
    for one in pictures:
        colour = one if one.ndim == 3 else np.repeat(one[..., None], 3, 2)
        how = cv2.INTER_AREA if colour.shape[0] > size else cv2.INTER_LINEAR
        squares.append(cv2.resize(colour, (size, size), interpolation=how))
    return np.stack(squares)


def _decoded(raw: bytes) -> Pictures:
    return np.asarray(cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB))


def _folders(classes: list[list[Path]]) -> tuple[Pictures, Labels]:
    pictures = [_decoded(path.read_bytes()) for paths in classes for path in paths]
    return _ready(pictures), np.repeat(np.arange(len(classes)), [len(paths) for paths in classes])


def _hymenoptera(root: Path) -> tuple[Pictures, Labels]:
    return _folders([sorted(root.glob(f"*/{kind}/*.jp*g")) for kind in ("ants", "bees")])


def _tiles(root: Path) -> tuple[Pictures, Labels]:
    kinds = ("MT_Free", "MT_Blowhole", "MT_Break", "MT_Crack", "MT_Fray", "MT_Uneven")
    return _folders([sorted(root.rglob(f"{kind}/**/*.jpg")) for kind in kinds])


def _tiles_defect(root: Path) -> tuple[Pictures, Labels]:
    pictures, labels = _tiles(root)
    return pictures, (labels > 0).astype(np.int64)


def _xrays(path: Path) -> tuple[Pictures, Labels]:
    arrays = np.load(path)
    parts = ("train", "val", "test")
    pictures = np.concatenate([arrays[f"{part}_images"] for part in parts])
    labels = np.concatenate([arrays[f"{part}_labels"] for part in parts])
    return _ready(pictures), labels.reshape(-1).astype(np.int64)


def _zipped(path: Path, prefix: str, most: int) -> tuple[Pictures, Labels]:
    """Reads at most `most` pictures of each folder of a zip whose names start with `prefix`."""
    folders: dict[str, list[Pictures]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if prefix in name and name.endswith((".png", ".jpg")):
                kept = folders.setdefault(name.rsplit("/", 1)[0], [])
                if len(kept) < most:
                    kept.append(_decoded(archive.read(name)))
    counts = [len(kept) for kept in folders.values()]
    pictures = [one for kept in folders.values() for one in kept]
    return _ready(pictures), np.repeat(np.arange(len(counts)), counts)


Loader = Callable[[Path], tuple[Pictures, Labels]]
LOADERS: dict[str, tuple[str, Loader]] = {
    "hymenoptera": ("hymenoptera", _hymenoptera),
    "magnetic tiles, 6 kinds": ("magnetic_tiles", _tiles),
    "magnetic tiles, free or defect": ("magnetic_tiles", _tiles_defect),
    "pneumoniamnist": ("pneumoniamnist/pneumoniamnist.npz", _xrays),
    "omniglot, Greek": ("omniglot/images_background_small1.zip", lambda path: _zipped(path, "Greek", 20)),
    "omniglot, Korean": ("omniglot/images_background_small1.zip", lambda path: _zipped(path, "Korean", 20)),
    "cifar10": ("cifar10/test.zip", lambda path: _zipped(path, "", 400)),
}


if __name__ == "__main__":
    main()

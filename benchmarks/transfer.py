"""From a folder to a finished model: the Keras guide, also with BatchNorm frozen; tfxfer; from scratch.

    python -m benchmarks.transfer FOLDER [--backbones mobilenet_v2_035 mobilenet_075] [--seeds 3]
        [--ways guide still off default gradual full l2-sp co-tuning soup scratch views=1 …] [--augment light]
        [--few COUNT] [--guide-epochs 10] [--measured FILE]

- guide: https://keras.io/guides/transfer_learning as people copy it: flips and small rotations, ten epochs of
  the head with Adam, then ten with the whole base unfrozen at 1e-5. It calls the base with training=False,
  which up to Keras 3.15 does not keep BatchNorm still once the base is unfrozen.
- still: the same with every BatchNorm layer frozen.
- off: tfxfer.fit with features="off". default: tfxfer.fit as it comes, with nothing kept before.
- views=1, 2, 4, 8, 16: tfxfer.fit on so many kept views of each training picture, where --augment names a
  policy; off is then what it is to draw a new view in every epoch.
- gradual, full: tfxfer.fit by these plans. l2-sp: the default's two phases, the second under L2-SP with its
  strengths of 0.1 and 0.01. soup: the default's, each with the soup of its five best epochs.
  co-tuning: the default's, the second under Co-Tuning with a strength of 2.3; KERAS_HOME must have, or Keras
  fetch, the weights with the classification layer.
- scratch: the same network without pretrained weights, as tfxfer trains such: everything, for 30 epochs.

The same pictures, split, decoded pixels and ImageNet weights for all, each way and seed in a process of its
own, one after the other. Seconds are from the folder to the finished model, once the libraries are imported
(the same for all); the model is judged afterwards. Processor seconds are those of all cores in that time:
what to go by where other work shares the machine. All of it takes hours; --measured keeps each run in a
file, one JSON object a line, and does not do again what stands there: a folder goes by its own name.

--few keeps so many training pictures of each class.

Prints a Markdown table a backbone: test accuracy as mean and range over the seeds, seconds as means, how many
times as fast as the first way by both, and the highest memory of the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

import tfxfer
from benchmarks.processes import apart
from tfxfer import L2SP, Phase, Photos
from tfxfer.contracts import PLANS, FeatureUse, Plan
from tfxfer.models import Anatomy
from tfxfer.training import choose_phases, two_phases

SIZE = 224
BASES: dict[str, Callable[[], keras.Model]] = {
    "mobilenet_v2_035": lambda: keras.applications.MobileNetV2(
        include_top=False, alpha=0.35, input_shape=(SIZE, SIZE, 3)
    ),
    "mobilenet_v2": lambda: keras.applications.MobileNetV2(include_top=False, input_shape=(SIZE, SIZE, 3)),
    "mobilenet_075": lambda: keras.applications.MobileNet(
        include_top=False, alpha=0.75, input_shape=(SIZE, SIZE, 3)
    ),
}


def guide(photos: Photos, backbone: str, seed: int, *, epochs: int, still: bool = False) -> keras.Model:
    """Do as the guide does, so many epochs in each of its two phases."""
    keras.utils.set_random_seed(seed)
    base = BASES[backbone]()
    base.trainable = False
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomRotation(0.1)(x)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(image, keras.layers.Dense(len(photos.classes), activation="softmax")(x))
    training, validation = (photos.batches(part, image_size=SIZE) for part in ("train", "validation"))
    for rate in (1e-3, 1e-5):
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        model.fit(training, validation_data=validation, epochs=epochs, verbose=0, shuffle=False)
        base.trainable = True
        for layer in base.layers:
            if still and isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    return model


def fitted(photos: Photos, backbone: str, seed: int, *, way: str, augment: str) -> keras.Model:
    """Do as tfxfer does by default, on so many views, with its features off, or from scratch."""
    weights = None if way == "scratch" else "pretrained"
    model = tfxfer.build(photos, backbone=backbone, weights=weights, seed=seed)
    kind, _, views = way.partition("=")
    features: FeatureUse = "off" if way == "off" else "cache" if kind == "views" else "auto"
    settings: dict[str, Any] = {"features": features, "augment": augment}
    settings["views"] = int(views) if views else None
    log = tfxfer.fit(model, photos, plan=planned(way, model), seed=seed, **settings)
    print(f"features {log.features} ({log.extraction_seconds:.1f} s), kept {log.kept!r}", file=sys.stderr)
    return model


def planned(way: str, model: keras.Model) -> Plan | Sequence[Phase] | None:
    """Return the plan of a way; None is the default."""
    if way == "l2-sp":
        head, top = two_phases(stages=len(Anatomy.of(model).stages))
        return head, replace(top, anchor=L2SP())
    if way == "co-tuning":
        head, top = two_phases(stages=len(Anatomy.of(model).stages))
        return head, replace(top, co_tuning=2.3)
    if way == "soup":
        return choose_phases(None, stages=len(Anatomy.of(model).stages), soup=5)
    return way if way in PLANS else None


def run(
    way: str, folder: str, backbone: str, seed: int, augment: str, epochs: int, few: int = 0
) -> dict[str, float]:
    """Go one way, in this process."""
    started, worked = time.perf_counter(), time.process_time()
    photos = tfxfer.from_folder(folder, seed=seed)
    photos = photos.few(few, seed=seed) if few else photos
    if way in ("guide", "still"):
        model = guide(photos, backbone, seed, epochs=epochs, still=way == "still")
    else:
        model = fitted(photos, backbone, seed, way=way, augment=augment)
    spent = {"seconds": time.perf_counter() - started, "processor": time.process_time() - worked}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return spent | {"memory": memory, "accuracy": tfxfer.evaluate(model, photos).accuracy}


def measured(kept: Path | None, way: str, folder: str, *settings: str) -> dict[str, float]:
    """Go one way in a process of its own, or return what a file says that it gave."""
    cell = [way, Path(folder).name, *settings]
    if kept is not None and kept.exists():
        for line in kept.read_text().splitlines():
            known = json.loads(line)
            if known["cell"] == cell:
                return dict(known["found"])
    found = apart("benchmarks.transfer", "--one", way, folder, *settings)
    if kept is not None:
        with kept.open("a") as lines:
            print(json.dumps({"cell": cell, "found": found}), file=lines)
    return found


def main() -> None:
    """Run every way with every seed, in turn, and print the tables."""
    if sys.argv[1:2] == ["--one"]:
        way, folder, backbone, seed, augment, epochs, *few = sys.argv[2:]
        print(json.dumps(run(way, folder, backbone, int(seed), augment, int(epochs), *map(int, few))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--backbones", nargs="+", default=["mobilenet_v2_035"], choices=BASES)
    parser.add_argument("--seeds", type=int, default=3)
    ways = ["guide", "still", "off", "default"]
    more = ["gradual", "full", "l2-sp", "co-tuning", "soup", "scratch"]
    views = [f"views={count}" for count in (1, 2, 4, 8, 16)]
    parser.add_argument("--ways", nargs="+", default=ways, choices=ways + more + views)
    parser.add_argument("--augment", default="none", help="for tfxfer: a policy's name")
    parser.add_argument("--few", type=int, help="training pictures of each class; all if not given")
    parser.add_argument("--guide-epochs", type=int, default=10, help="of each of the guide's two phases")
    parser.add_argument("--measured", type=Path, help="keeps what was measured")
    chosen = parser.parse_args()
    settings = (chosen.augment, str(chosen.guide_epochs), *([str(chosen.few)] if chosen.few else []))
    for backbone in chosen.backbones:
        found: dict[str, list[dict[str, float]]] = {way: [] for way in chosen.ways}
        for seed in range(chosen.seeds):
            for way in chosen.ways:
                found[way].append(
                    measured(chosen.measured, way, chosen.folder, backbone, str(seed), *settings)
                )
                print(backbone, seed, way, found[way][-1], file=sys.stderr, flush=True)
        print(f"\n{backbone}\n\n| way | accuracy, mean (range) | seconds | processor | times as fast | MB |")
        print("|---|---|---|---|---|---|")
        for way, runs in found.items():
            print(row(way, runs, found[chosen.ways[0]]))


def row(way: str, runs: list[dict[str, float]], first: list[dict[str, float]]) -> str:
    """Write one row of the table."""
    scores = [each["accuracy"] for each in runs]
    spent = {name: sum(each[name] for each in runs) / len(runs) for name in ("seconds", "processor")}
    faster = [sum(each[name] for each in first) / len(first) / spent[name] for name in spent]
    return (
        f"| {way} | {sum(scores) / len(scores):.3f} ({min(scores):.3f} to {max(scores):.3f}) "
        f"| {spent['seconds']:.1f} | {spent['processor']:.1f} | {faster[0]:.1f}, {faster[1]:.1f} "
        f"| {max(each['memory'] for each in runs):.0f} |"
    )


if __name__ == "__main__":
    main()

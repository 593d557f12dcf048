"""From a folder to a finished model: the Keras guide, fastai, Model Maker; tfxfer; from scratch.

    python -m benchmarks.transfer FOLDER [--backbones mobilenet_v2_035 mobilenet_075] [--seeds 3]
        [--ways guide still fastai model-maker off default gradual full l2-sp co-tuning soup scratch views=1
        …] [--augment light] [--few COUNT] [--guide-epochs 10] [--measured FILE]

- guide, still, fastai, model-maker: what ``benchmarks.recipes`` says, in plain Keras; still is the guide with
  every BatchNorm layer frozen.
- off: tfxfer.fit with features="off". default: tfxfer.fit as it comes, with nothing kept before.
- views=1, 2, 4, 8, 16: tfxfer.fit on so many kept views of each training picture, where --augment names a
  policy; off is then what it is to draw a new view in every epoch.
- gradual, full: tfxfer.fit by these plans. l2-sp: the default's two phases, the second under L2-SP with its
  strengths of 0.1 and 0.01. soup: the default's, each with the soup of its five best epochs.
  co-tuning: the default's, the second under Co-Tuning with a strength of 2.3; KERAS_HOME must have, or Keras
  fetch, the weights with the classification layer, which a bundle (--backbones file:DIR) has.
- scratch: the same network without pretrained weights, as tfxfer trains such: everything, for 30 epochs.

The same pictures, split, decoded pixels and ImageNet weights for all, each way and seed in a process of its
own, one after the other. The split keeps near duplicates together, as ``tfxfer train`` does: else those of
one tile of the magnetic tiles learn and judge. It is cut before the clock starts. Seconds are from the
folder to the finished model, once the libraries are imported (the same for all); the model is judged
afterwards. Processor seconds are those of all cores in that time: what to go by where other work shares the
machine. All of it takes hours; --measured keeps each run in a file, one JSON object a line, and does not do
again what stands there: a folder goes by its own name.

--few keeps so many training pictures of each class, and a quarter as many for validation, at least 1: whoever
has ten to learn from has no hundreds to choose epochs by. A class that has fewer gives all. The test part
stays whole.

Prints a Markdown table a backbone: test accuracy as mean and range over the seeds, the mean of the accuracies
on each class alike, seconds as means, how many times as fast as the first way by both, and the highest memory
of the process.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

import tfxfer
from benchmarks.processes import apart
from benchmarks.recipes import BASES, RECIPES
from tfxfer import L2SP, Phase, Photos
from tfxfer.contracts import PLANS, FeatureUse, Part, Plan
from tfxfer.data.splits.cutting import in_drawn_order
from tfxfer.models import Anatomy
from tfxfer.training import phases_for


def fitted(photos: Photos, backbone: str, seed: int, *, way: str, augment: str) -> keras.Model:
    """Do as tfxfer does by default, on so many views, with its features off, or from scratch."""
    weights = None if way == "scratch" else "pretrained"
    model = tfxfer.build(photos, backbone=backbone, weights=weights, seed=seed)
    kind, _, views = way.partition("=")
    features: FeatureUse = "off" if way == "off" else "cache" if kind == "views" else "auto"
    settings: dict[str, Any] = {"features": features, "augment": augment}
    settings["views"] = int(views) if views else None
    log = tfxfer.fit(model, photos, plan=planned(way, model, photos), seed=seed, **settings)
    print(f"features {log.features} ({log.extraction_seconds:.1f} s), kept {log.kept!r}", file=sys.stderr)
    return model


def planned(way: str, model: keras.Model, photos: Photos) -> Plan | Sequence[Phase] | None:
    """Return the plan of a way; None is the default."""
    changes: dict[str, dict[str, Any]] = {"l2-sp": {"anchor": L2SP()}, "co-tuning": {"co_tuning": 2.3}}
    counts: dict[str, Any] = {"images": len(photos.split.train), "stages": len(Anatomy.of(model).stages)}
    counts["solved"] = True  # as ``fit`` has it
    if way == "soup":
        return phases_for(None, **counts, soup=5)[0]
    if way in changes:
        (head, top), _ = phases_for(None, **counts)
        return head, replace(top, **changes[way])
    return way if way in PLANS else None


def run(
    way: str, folder: str, backbone: str, seed: int, augment: str, epochs: int, few: int = 0
) -> dict[str, float]:
    """Go one way, in this process."""
    split = tfxfer.clean(tfxfer.from_folder(folder, seed=seed), progress=False).split
    _ = tfxfer.build, tfxfer.fit  # imports, which are the same for every job
    started, worked = time.perf_counter(), time.process_time()
    photos = replace(tfxfer.from_folder(folder, seed=seed), split=split)
    photos = fewer(photos, few, seed=seed) if few else photos
    if way in RECIPES:
        model = RECIPES[way](photos, backbone, seed, epochs=epochs)
    else:
        model = fitted(photos, backbone, seed, way=way, augment=augment)
    spent = {"seconds": time.perf_counter() - started, "processor": time.process_time() - worked}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    report = tfxfer.evaluate(model, photos)
    recalls = [score.recall for score in report.per_class if score.images]
    return spent | {"memory": memory, "accuracy": report.accuracy, "balanced": sum(recalls) / len(recalls)}


def fewer(photos: Photos, count: int, *, seed: int) -> Photos:
    """Keep so many training pictures of each class, and a quarter as many for validation."""

    def kept(part: Part, most: int) -> tuple[int, ...]:
        own: list[list[int]] = [[] for _ in photos.classes]
        for index in photos.split[part]:
            own[photos.records[index].label].append(index)
        return tuple(sorted(i for each in own for i in in_drawn_order(each, photos.records, seed)[:most]))

    train, validation = kept("train", count), kept("validation", max(1, count // 4))
    return replace(photos, split=replace(photos.split, train=train, validation=validation))


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
    parser.add_argument("--backbones", nargs="+", default=["mobilenet_v2_035"], help="also file:BUNDLE")
    parser.add_argument("--seeds", type=int, default=3)
    ways = ["guide", "still", "off", "default"]
    more = ["fastai", "model-maker", "gradual", "full", "l2-sp", "co-tuning", "soup", "scratch"]
    views = [f"views={count}" for count in (1, 2, 4, 8, 16)]
    parser.add_argument("--ways", nargs="+", default=ways, choices=ways + more + views)
    parser.add_argument("--augment", default="none", help="for tfxfer: a policy's name")
    parser.add_argument("--few", type=int, help="training pictures of each class; all if not given")
    parser.add_argument(
        "--guide-epochs", type=int, default=10, help="of each phase of the guide; of fastai's second"
    )
    parser.add_argument("--measured", type=Path, help="keeps what was measured")
    chosen = parser.parse_args()
    if RECIPES.keys() & set(chosen.ways) and (others := set(chosen.backbones) - BASES.keys()):
        parser.error(f"{', '.join(RECIPES)} are no ways for {', '.join(others)}; leave them out of --ways")
    settings = (chosen.augment, str(chosen.guide_epochs), *([str(chosen.few)] if chosen.few else []))
    for backbone in chosen.backbones:
        found: dict[str, list[dict[str, float]]] = {way: [] for way in chosen.ways}
        for seed in range(chosen.seeds):
            for way in chosen.ways:
                found[way].append(
                    measured(chosen.measured, way, chosen.folder, backbone, str(seed), *settings)
                )
                print(backbone, seed, way, found[way][-1], file=sys.stderr, flush=True)
        columns = "| way | accuracy, mean (range) | balanced | seconds | processor | times as fast | MB |"
        print(f"\n{backbone}\n\n{columns}")
        print("|---|---|---|---|---|---|---|")
        for way, runs in found.items():
            print(row(way, runs, found[chosen.ways[0]]))


def row(way: str, runs: list[dict[str, float]], first: list[dict[str, float]]) -> str:
    """Write one row of the table."""
    scores = [each["accuracy"] for each in runs]
    balanced = sum(each.get("balanced", math.nan) for each in runs) / len(runs)
    spent = {name: sum(each[name] for each in runs) / len(runs) for name in ("seconds", "processor")}
    faster = [sum(each[name] for each in first) / len(first) / spent[name] for name in spent]
    cells = (
        f"{sum(scores) / len(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})",
        f"{balanced:.3f}",
        *(f"{each:.1f}" for each in spent.values()),
        f"{faster[0]:.1f}, {faster[1]:.1f}",
        f"{max(each['memory'] for each in runs):.0f}",
    )
    return f"| {way} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

"""Which backbone suits these pictures: candidates compared by frozen features, and by what they cost."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits

from tfxfer.backbones import BackboneSpec, catalogued, find_backbones
from tfxfer.contracts import Task
from tfxfer.data import Photos
from tfxfer.errors import DataError, SettingError, WeightsError
from tfxfer.features.columns import Columns, mean_average_precision, neighbour_scores, probe_scores
from tfxfer.features.engines import LiteRTEngine, choose_engine
from tfxfer.features.pooled import kept_features, pooled_prefix
from tfxfer.features.standings import Estimate, RankedBackbone, Ranking
from tfxfer.features.transferability import (
    Features,
    Targets,
    accuracy_interval,
    h_score,
    log_me,
    nearest_neighbours,
    probed,
    score_margin,
)
from tfxfer.models import build

__all__ = ["CANDIDATES", "rank"]

CANDIDATES = (
    "mobilenet_v2_035",
    "mobilenet_v2",
    "mobilenet_075",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "densenet121",
    "resnet50_v2",
    "convnext_tiny",
)
"""What is compared where nobody says: the small ones, and one of each large family."""

_WORTH: dict[Task, Callable[[Features, Targets], float]] = {
    "multi_label": mean_average_precision,
    "regression": lambda scores, numbers: float(r2_score(numbers, scores)),
}
"""What scores in columns are worth."""

_TIMED = 15
_WARM = 3


def rank(
    photos: Photos,
    backbones: Sequence[str] | None = None,
    *,
    max_parameters: int | str | None = None,
    max_macs: int | str | None = None,
    weights: str | None = "pretrained",
    image_size: int | None = None,
    images: int = 2000,
    seed: int = 0,
    progress: bool = True,
    console: Console | None = None,
) -> Ranking:
    """Compare backbones on somebody's pictures by their frozen features, within minutes.

    Each candidate runs once over training pictures, of which the validation and test parts are none; what
    comes out of it is kept, as ``fit`` keeps it, and scored without training a network: four ways, or of
    several labels and of numbers three, since the H-score is of one class a picture.

    Args:
        photos: Data set.
        backbones: Names from the catalogue; None takes those of ``CANDIDATES`` within the limits, or
            all of the catalogue within them where there are limits.
        max_parameters: Most parameters, as in ``find_backbones``.
        max_macs: Most multiply-adds, as in ``find_backbones``.
        weights: As in ``build``; None compares random ones.
        image_size: Side of the square that pictures are brought to, in pixels; None takes each one's own.
        images: Pictures at most, where they show one class each as many of each as its share; at least 10.
        seed: Seed of which they are, and of the folds.
        progress: Whether to show how far it is, on standard error.
        console: Where; None is standard error.

    Returns:
        The candidates, best first. One whose weights cannot be had is left out and told.

    Raises:
        SettingError: No such backbone, nothing within the limits, or too few pictures asked for.
        DataError: A class with a single training picture, or a picture that cannot be read.
        WeightsError: No candidate's weights can be had.

    Source:
        LogME: You et al. 2021, https://arxiv.org/abs/2102.11005, which has it for classes and for numbers.
        H-score: Bao et al. 2019, with the shrinkage of https://arxiv.org/abs/2110.06893.
    """
    if images < 10:
        raise SettingError(f"images must be at least 10, got {images}; 500 to 2000 tell backbones apart.")
    specs = _candidates(backbones, max_parameters, max_macs)
    indices, targets = _sample(photos, images, seed)
    entries: list[RankedBackbone] = []
    left_out: dict[str, str] = {}
    console = console or Console(stderr=True)
    for spec in specs:
        try:
            model = build(photos, backbone=spec.name, weights=weights, image_size=image_size)
        except WeightsError as error:
            left_out[spec.name] = str(error)
            continue
        outcome = _run(model, photos, indices, console=console if progress else None)
        with threadpool_limits(1):  # small products: threads would take longer to meet than to work
            entries.append(_scored(spec, outcome, photos.task, targets, seed))
    if not entries:
        raise WeightsError(next(iter(left_out.values())))
    return Ranking(_in_order(entries), len(indices), left_out, photos.task)


def _candidates(
    names: Sequence[str] | None, max_parameters: int | str | None, max_macs: int | str | None
) -> list[BackboneSpec]:
    limited = max_parameters is not None or max_macs is not None
    within = find_backbones(max_parameters=max_parameters, max_macs=max_macs)
    wanted = [catalogued(name).name for name in names or ([] if limited else CANDIDATES)]
    found = [spec for spec in within if spec.name in wanted or not wanted]
    if not found:
        raise SettingError("no backbone is within these limits; loosen them, or name others.")
    return found


def _sample(photos: Photos, images: int, seed: int) -> tuple[list[int], Targets]:
    """Choose training pictures; where they show one class each, of each its share."""
    train, targets = np.asarray(photos.split.train), photos.targets("train")
    order = np.random.default_rng(seed).permutation(len(train))
    if photos.task == "single_label":
        order = _shared_out(order, targets, photos.label_names)
    chosen = np.sort(order[:images])
    return train[chosen].tolist(), targets[chosen]


def _shared_out(
    order: npt.NDArray[np.int64], labels: npt.NDArray[Any], names: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Have each beginning of an order hold its share of every class."""
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        name = names[classes[counts.argmin()]]
        raise DataError(f"class {name!r} has 1 training picture, and a comparison needs 2; add some.")
    place = np.empty(len(order))
    for member in range(len(classes)):
        mine = order[members[order] == member]
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        place[mine[:2]] = 0.0  # whatever its share, a class is there twice
    return np.argsort(place, kind="stable")


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What running a backbone gave.

    Attributes:
        features: Pooled, shape (pictures, features).
        size: Bytes of the file that LiteRT runs; None where it cannot.
        latency: Seconds a picture; None likewise.
    """

    features: npt.NDArray[np.float32]
    size: int | None
    latency: float | None


def _run(model: keras.Model, photos: Photos, indices: Sequence[int], *, console: Console | None) -> _Outcome:
    """Run a backbone over pictures, or find what was kept of it."""
    prefix = pooled_prefix(model)
    engine, why = choose_engine(prefix)
    if console:
        line = f"{model.name} by {engine.name}{f', since {why}' if why else ''}:"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    watching: dict[str, Any] = {"progress": console is not None, "console": console}
    features = kept_features(prefix, photos, indices, engine=engine, **watching)
    if not isinstance(engine, LiteRTEngine):
        return _Outcome(features, None, None)
    return _Outcome(features, len(engine.content), _latency(engine, model.input_shape[1:]))


def _scored(spec: BackboneSpec, outcome: _Outcome, task: Task, targets: Targets, seed: int) -> RankedBackbone:
    features = outcome.features
    told: dict[str, Any]
    if task == "single_label":
        told = {
            "probe": _share(probed(features, targets, seed=seed)),
            "neighbours": _share(nearest_neighbours(features, targets)),
            "h_score": _score(h_score, features, targets, seed),
        }
    else:
        probe = probe_scores(features, targets, task=task, seed=seed)
        told = {
            "probe": _worth(task, probe, targets, seed),
            "neighbours": _worth(task, neighbour_scores(features, targets), targets, seed),
            "h_score": None,
        }
    return RankedBackbone(
        spec.name,
        **told,
        log_me=_score(log_me, features, targets, seed),
        parameters=spec.parameters,
        macs=spec.macs,
        size=outcome.size,
        latency=outcome.latency,
    )


def _share(right: npt.NDArray[np.bool_]) -> Estimate:
    return Estimate(float(right.mean()), *accuracy_interval(right))


def _worth(task: Task, scores: Columns, targets: Targets, seed: int) -> Estimate:
    found = _score(_WORTH[task], scores, targets, seed)
    least = 0.0 if task == "multi_label" else -math.inf
    return found._replace(low=max(found.low, least), high=min(found.high, 1.0))


def _score(
    score: Callable[[Features, Targets], float], features: Features, targets: Targets, seed: int
) -> Estimate:
    value, margin = score(features, targets), score_margin(score, features, targets, seed=seed)
    return Estimate(value, value - margin, value + margin)


def _latency(engine: LiteRTEngine, shape: tuple[int, ...]) -> float:
    """Time one picture after the other, and take the middle."""
    picture = np.zeros((1, *shape), np.uint8)
    seconds = []
    for _ in range(_WARM + _TIMED):
        started = time.perf_counter()
        engine(picture)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[_WARM:])


def _in_order(entries: Sequence[RankedBackbone]) -> tuple[RankedBackbone, ...]:
    """Sort by the probe, and mark what nothing beats."""
    timed = [entry for entry in entries if entry.latency is not None]
    front = set()
    best = -math.inf
    for entry in sorted(timed, key=lambda entry: (entry.latency, -entry.probe.value)):
        if entry.probe.value > best:
            front.add(entry.name)
            best = entry.probe.value
    ordered = sorted(entries, key=lambda entry: -entry.probe.value)
    return tuple(replace(entry, on_front=entry.name in front) for entry in ordered)

"""Which backbone suits these pictures: candidates compared by frozen features, and by what they cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from threadpoolctl import threadpool_limits

from tfxfer.backbones import BackboneSpec, catalogued, find_backbones
from tfxfer.data import Photos
from tfxfer.errors import DataError, SettingError, WeightsError
from tfxfer.features.engines import LiteRTEngine, choose_engine
from tfxfer.features.pooled import kept_features, pooled_prefix
from tfxfer.features.standings import Estimate, RankedBackbone, Ranking
from tfxfer.features.transferability import (
    Features,
    Labels,
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
    comes out of it is kept, as ``fit`` keeps it, and scored four ways without training a network.

    Args:
        photos: Data set of one label a picture.
        backbones: Names from the catalogue; None takes those of ``CANDIDATES`` within the limits, or
            all of the catalogue within them where there are limits.
        max_parameters: Most parameters, as in ``find_backbones``.
        max_macs: Most multiply-adds, as in ``find_backbones``.
        weights: As in ``build``; None compares random ones.
        image_size: Side of the square that pictures are brought to, in pixels; None takes each one's own.
        images: Pictures at most, as many of each class as its share; at least 10.
        seed: Seed of which they are, and of the folds.
        progress: Whether to show how far it is, on standard error.
        console: Where; None is standard error.

    Returns:
        The candidates, best first. One whose weights cannot be had is left out and told.

    Raises:
        SettingError: No such backbone, nothing within the limits, several labels or numbers a picture, or
            too few pictures asked for.
        DataError: A class with a single training picture, or a picture that cannot be read.
        WeightsError: No candidate's weights can be had.

    Source:
        LogME: You et al. 2021, https://arxiv.org/abs/2102.11005. H-score: Bao et al. 2019, with the
        shrinkage of https://arxiv.org/abs/2110.06893.
    """
    _check(photos, images)
    specs = _candidates(backbones, max_parameters, max_macs)
    indices, labels = _sample(photos, images, seed)
    entries: list[RankedBackbone] = []
    left_out: dict[str, str] = {}
    console = console or Console(stderr=True)
    for spec in specs:
        try:
            model = build(
                classes=len(photos.classes), backbone=spec.name, weights=weights, image_size=image_size
            )
        except WeightsError as error:
            left_out[spec.name] = str(error)
            continue
        outcome = _run(model, photos, indices, console=console if progress else None)
        with threadpool_limits(1):  # small products: threads would take longer to meet than to work
            entries.append(_scored(spec, outcome, labels, seed))
    if not entries:
        raise WeightsError(next(iter(left_out.values())))
    return Ranking(_in_order(entries), len(indices), left_out)


def _check(photos: Photos, images: int) -> None:
    if photos.task != "single_label":
        raise SettingError(
            f"rank compares by pictures of one label each, and these are for {photos.task}; compare a few "
            "with fit and evaluate."
        )
    if images < 10:
        raise SettingError(f"images must be at least 10, got {images}; 500 to 2000 tell backbones apart.")


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


def _sample(photos: Photos, images: int, seed: int) -> tuple[list[int], npt.NDArray[np.int64]]:
    """Choose training pictures, of each class its share."""
    train = np.asarray(photos.split.train)
    labels = np.asarray(photos.labels("train"), np.int64)
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        name = photos.label_names[classes[counts.argmin()]]
        raise DataError(f"class {name!r} has 1 training picture, and a comparison needs 2; add some.")
    order = np.random.default_rng(seed).permutation(len(train))
    place = np.empty(len(train))
    for member in range(len(classes)):
        mine = order[members[order] == member]
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        place[mine[:2]] = 0.0  # whatever its share, a class is there twice
    chosen = np.sort(np.argsort(place, kind="stable")[:images])
    return train[chosen].tolist(), labels[chosen]


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
    engine, _ = choose_engine(prefix)
    if console:
        line = f"{model.name} by {engine.name}:"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    watching: dict[str, Any] = {"progress": console is not None, "console": console}
    features = kept_features(prefix, photos, indices, engine=engine, **watching)
    if not isinstance(engine, LiteRTEngine):
        return _Outcome(features, None, None)
    return _Outcome(features, len(engine.content), _latency(engine, model.input_shape[1:]))


def _scored(
    spec: BackboneSpec, outcome: _Outcome, labels: npt.NDArray[np.int64], seed: int
) -> RankedBackbone:
    return RankedBackbone(
        spec.name,
        probe=_share(probed(outcome.features, labels, seed=seed)),
        neighbours=_share(nearest_neighbours(outcome.features, labels)),
        log_me=_score(log_me, outcome.features, labels, seed),
        h_score=_score(h_score, outcome.features, labels, seed),
        parameters=spec.parameters,
        macs=spec.macs,
        size=outcome.size,
        latency=outcome.latency,
    )


def _share(right: npt.NDArray[np.bool_]) -> Estimate:
    return Estimate(float(right.mean()), *accuracy_interval(right))


def _score(
    score: Callable[[Features, Labels], float], features: Features, labels: Labels, seed: int
) -> Estimate:
    value, margin = score(features, labels), score_margin(score, features, labels, seed=seed)
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
    best = -1.0
    for entry in sorted(timed, key=lambda entry: (entry.latency, -entry.probe.value)):
        if entry.probe.value > best:
            front.add(entry.name)
            best = entry.probe.value
    ordered = sorted(entries, key=lambda entry: -entry.probe.value)
    return tuple(replace(entry, on_front=entry.name in front) for entry in ordered)

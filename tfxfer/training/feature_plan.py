"""Which phases train on kept features: what is possible, what there is room for, and what pays."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import keras
import numpy as np

from tfxfer import augment as room
from tfxfer.backbones import HubUnit
from tfxfer.contracts import FEATURE_USES, FeatureUse
from tfxfer.data import Photos
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.features import Cut, affordable_views, find_cut, joint_prefix, kept_bytes
from tfxfer.models import Anatomy, Piece, choose_layers
from tfxfer.training.phases import Phase

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, Mixing

__all__ = ["DEFAULT_VIEWS", "FeaturePlan", "check_features", "plan_features"]

DEFAULT_VIEWS = 4
"""Views of a training picture, where pictures are augmented."""

_TIMED = 16
"""Pictures that the frozen part is timed on."""
_CHANGE = 2e-3
"""Seconds that an augmentation takes for a picture."""
_CONVERSION = 2.0, 0.02
"""Seconds to convert a frozen part, and for each of its layers."""
_STOPPED_EARLY = 0.5
"""Share of its epochs that a phase is expected to run where it may stop early."""


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePlan:
    """Which phases train on kept features.

    Attributes:
        cuts: Phase name -> where it begins; none of a phase that runs the whole model.
        views: How many views of each training picture; 0 where nothing is kept.
        why: Why so, as the rest of a sentence; empty where somebody chose ``"off"``.
    """

    cuts: Mapping[str, Cut] = field(default_factory=dict)
    views: int = 0
    why: str = ""

    @property
    def name(self) -> FeatureUse:
        """``"cache"`` or ``"off"``."""
        return "cache" if self.cuts else "off"

    def __str__(self) -> str:
        return f"features: {'kept' if self.cuts else 'off'}, since {self.why}."


@dataclass(frozen=True, slots=True)
class _Work:
    """How much there is to do.

    Attributes:
        training: Training pictures.
        validation: Validation pictures.
        changed: Whether training pictures are augmented.
    """

    training: int
    validation: int
    changed: bool


def check_features(features: str, views: int | None) -> None:
    """Refuse what is no way to use features.

    Raises:
        SettingError: No such way, or a number of views that is none.
    """
    if features not in FEATURE_USES:
        hint = did_you_mean(features, FEATURE_USES) or "."
        raise SettingError(f"no features {features!r}{hint} There are {', '.join(FEATURE_USES)}.")
    if views is not None and views < 1:
        raise SettingError(f"views must be at least 1, or None to leave it to fit, got {views}.")
    if views is not None and features == "off":
        raise SettingError("views counts what is kept, and features='off' keeps nothing; leave one out.")


def plan_features(
    model: keras.Model,
    plan: Sequence[Phase],
    photos: Photos,
    *,
    features: FeatureUse,
    views: int | None,
    augment: Augmentation | DeviceAugmentation | None,
    mixing: Mixing | None,
) -> FeaturePlan:
    """Decide which phases train on kept features; change nothing.

    Args:
        model: A model from ``tfxfer.build``.
        plan: The phases.
        photos: The data set, balanced.
        features: ``"auto"`` keeps them where that is estimated to take less time, ``"cache"`` wherever
            anything is frozen, ``"off"`` never.
        views: How many views of each training picture; None is 1 where nothing changes pictures, else 4.
        augment: What training pictures go through, or None.
        mixing: What batches go through, or None.

    Returns:
        The plan.

    Raises:
        SettingError: ``"cache"`` cannot be: pictures are mixed or changed batch by batch, or there is no
            room; or more than one view is wanted of pictures that nothing changes.
    """
    check_features(features, views)
    if features == "off":
        return FeaturePlan()
    if why := _impossible(augment, mixing):
        if features == "cache":
            raise SettingError(f"features='cache' cannot be: {why}; leave that out, or give features='off'.")
        return FeaturePlan(why=why)
    if views is not None and views > 1 and augment is None:
        raise SettingError(f"views={views} would be all alike, since nothing changes pictures; give augment.")
    cuts = {phase.name: cut for phase in plan if (cut := _planned_cut(model, phase))}
    if not cuts:
        return FeaturePlan(why="nothing is frozen in front of what learns")
    train = photos.split.train
    work = _Work(len(train), len(photos.split.validation), augment is not None)
    wanted = views or (DEFAULT_VIEWS if augment else 1)
    fitting = _fitting(model, FeaturePlan(cuts, wanted), photos)
    if not fitting.cuts:
        if features == "cache":
            raise SettingError(
                f"features='cache' cannot be: {fitting.why}; clear some (tfxfer cache --clear), or give "
                "features='off'."
            )
        return fitting
    return _worthwhile(fitting, plan, work, forced=features == "cache")


def _impossible(augment: Augmentation | DeviceAugmentation | None, mixing: Mixing | None) -> str:
    if mixing is not None:
        return f"{mixing} mixes pictures anew in every step, so what is made of them is never the same"
    if isinstance(augment, room.DeviceAugmentation):
        return f"augmentation {augment} changes whole batches, not pictures one by one"
    return ""


def _planned_cut(model: keras.Model, phase: Phase) -> Cut | None:
    chosen = choose_layers(Anatomy.of(model), phase.train, batch_norm=phase.batch_norm)
    held = phase.batch_norm == "frozen"
    return find_cut(model, learning=[piece for piece in chosen if not (held and _is_batch_norm(piece))])


def _is_batch_norm(piece: Piece) -> bool:
    if isinstance(piece, HubUnit):
        return piece.is_batch_norm
    return isinstance(piece, keras.layers.BatchNormalization)


def _fitting(model: keras.Model, plan: FeaturePlan, photos: Photos) -> FeaturePlan:
    """Leave out views, and then the phases of which most would be kept, until there is room."""
    training, validation = len(set(photos.split.train)), len(photos.split.validation)
    cuts = dict(plan.cuts)
    while cuts:
        prefix = joint_prefix(model, list(cuts.values()))
        row = 2 * sum(math.prod(tensor.shape[1:]) for tensor in prefix.outputs)
        views = affordable_views(
            plan.views, training=training, validation=validation, row=row, kept=kept_bytes(prefix, photos)
        )
        if views:
            fewer = f"; {views} of {plan.views} views have room" if views < plan.views else ""
            without = [name for name in plan.cuts if name not in cuts]
            fewer += f"; those of phase {', '.join(without)} have no room" if without else ""
            size = (training * views + validation) * row
            return replace(plan, cuts=cuts, views=views, why=f"{size / 1e6:,.1f} MB{fewer}")
        largest = max(cuts, key=lambda name: cuts[name].numbers)
        need = (training + validation) * 2 * cuts.pop(largest).numbers
    return FeaturePlan(why=f"there is no room for {need / 1e6:,.1f} MB of them")


def _worthwhile(plan: FeaturePlan, phases: Sequence[Phase], work: _Work, *, forced: bool) -> FeaturePlan:
    """Keep features where that is estimated to take less time, or was asked for."""
    deepest = max(plan.cuts.values(), key=lambda cut: len(cut.prefix.layers))
    per_picture = _seconds_a_picture(deepest.prefix)
    live = sum(_live_seconds(phase, per_picture, work) for phase in phases if phase.name in plan.cuts)
    kept = _kept_seconds(len(deepest.prefix.layers), per_picture, plan.views, work)
    if not forced and kept >= live:
        why = f"running the frozen part in every epoch takes about {live:.0f} s"
        return FeaturePlan(why=f"{why}, and keeping what it makes about {kept:.0f} s")
    times = "once" if plan.views == 1 else f"for {plan.views} views"
    why = (
        f"running the frozen part {times} takes about {kept:.0f} s, and in every epoch about {live:.0f} s; "
        f"on disk {plan.why}"
    )
    return replace(plan, why=why)


def _live_seconds(phase: Phase, per_picture: float, work: _Work) -> float:
    epochs = phase.epochs * (_STOPPED_EARLY if phase.patience else 1)
    changes = work.training * _CHANGE / _cores() if work.changed else 0
    return epochs * ((work.training + work.validation) * per_picture + changes)


def _kept_seconds(layers: int, per_picture: float, views: int, work: _Work) -> float:
    """Estimate it as if LiteRT were no faster than TensorFlow, which it often is."""
    once, per_layer = _CONVERSION
    changes = work.training * (views - 1) * _CHANGE / _cores()
    return once + per_layer * layers + (work.training * views + work.validation) * per_picture + changes


def _seconds_a_picture(prefix: keras.Model) -> float:
    """Run a frozen part on some noise, as it is: small networks reach but a part of what a core can do."""
    noise = np.random.default_rng(0).uniform(0, 255, (_TIMED, *prefix.input_shape[1:])).astype(np.float32)
    prefix(noise, training=False)  # the first time there is more to do
    started = time.perf_counter()
    np.asarray(keras.tree.flatten(prefix(noise, training=False))[0])
    return (time.perf_counter() - started) / _TIMED


def _cores() -> int:
    return os.cpu_count() or 1

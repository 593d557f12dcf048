"""Which phases train on kept features: what is possible, what there is room for, and what pays."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import keras

from tfxfer import augment as room
from tfxfer.backbones import HubUnit, write_count
from tfxfer.config import Phase
from tfxfer.contracts import FEATURE_USES, FeatureUse
from tfxfer.data import Photos
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.features import (
    Cut,
    affordable_views,
    check_writable,
    find_cut,
    joint_prefix,
    kept_bytes,
    multiply_adds,
)
from tfxfer.models import Anatomy, Piece, choose_layers

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, Mixing

__all__ = ["DEFAULT_VIEWS", "FeaturePlan", "check_features", "plan_features"]

DEFAULT_VIEWS = 4
"""Views of a training picture, where pictures are augmented."""

_LEAST_SAVED = 60_000_000_000
"""Multiply-adds that must be saved: a small network takes ten seconds for them on two cores, as it runs in
``keras.Model.fit``, a large one less than one, and to convert the frozen part takes some seconds. They are
counted, and no time is taken, so that the same job is done the same way each time."""
_STOPPED_EARLY = 0.5
"""Share of its epochs that a phase is expected to run where it may stop early."""


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePlan:
    """Which phases train on kept features.

    Attributes:
        cuts: Phase name -> where it begins; none of a phase that runs the whole model.
        views: How many views of each training picture; 0 where nothing is kept.
        why: Why so, as the rest of a sentence; empty where somebody chose ``"off"``.
        forced: Whether somebody chose ``"cache"``.
    """

    cuts: Mapping[str, Cut] = field(default_factory=dict)
    views: int = 0
    why: str = ""
    forced: bool = False

    @property
    def name(self) -> FeatureUse:
        """``"cache"`` or ``"off"``."""
        return "cache" if self.cuts else "off"

    def without(self, phases: Collection[str], why: str) -> FeaturePlan:
        """Return it with some phases running the whole model."""
        cuts = {name: cut for name, cut in self.cuts.items() if name not in phases}
        return replace(self, cuts=cuts, why=f"{self.why}; {why}") if cuts else FeaturePlan(why=why)

    def __str__(self) -> str:
        return f"features: {'kept' if self.cuts else 'off'}, since {self.why}."


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
        features: ``"auto"`` keeps them where that saves enough work, ``"cache"`` wherever
            anything is frozen, ``"off"`` never.
        views: How many views of each training picture; None is 1 where nothing changes pictures, else 4.
        augment: What training pictures go through, or None.
        mixing: What batches go through, or None.

    Returns:
        The plan.

    Raises:
        SettingError: ``"cache"`` cannot be: pictures are pasted or changed batch by batch, there is no
            room, or no folder to write to; or more than one view is wanted of pictures that nothing changes.
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
    try:
        check_writable()
    except SettingError as error:
        if features == "cache":
            raise
        return FeaturePlan(why=str(error).removesuffix("."))
    wanted = views or (DEFAULT_VIEWS if augment else 1)
    fitting = _fitting(model, FeaturePlan(cuts, wanted), photos)
    if not fitting.cuts:
        if features == "cache":
            raise SettingError(
                f"features='cache' cannot be: {fitting.why}; clear some (tfxfer cache --clear), or give "
                "features='off'."
            )
        return fitting
    return _worthwhile(replace(fitting, forced=features == "cache"), plan, photos)


def _impossible(augment: Augmentation | DeviceAugmentation | None, mixing: Mixing | None) -> str:
    if mixing and not mixing.mixes_features:
        return f"{mixing} mixes pictures anew in every step, so what is made of them is never the same"
    if isinstance(augment, room.DeviceAugmentation):
        return f"augmentation {augment} changes whole batches, not pictures one by one"
    return ""


def _planned_cut(model: keras.Model, phase: Phase) -> Cut | None:
    chosen = choose_layers(Anatomy.of(model), phase.train, batch_norm=phase.while_training)
    held = phase.while_training == "frozen"
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


def _worthwhile(plan: FeaturePlan, phases: Sequence[Phase], photos: Photos) -> FeaturePlan:
    """Keep features where that saves enough, or was asked for."""
    training, validation = len(photos.split.train), len(photos.split.validation)
    deepest = max(plan.cuts.values(), key=lambda cut: len(cut.prefix.layers))
    costs = {name: multiply_adds(cut.prefix) for name, cut in plan.cuts.items()}
    epochs = {phase.name: phase.epochs * (_STOPPED_EARLY if phase.patience else 1) for phase in phases}
    live = sum(epochs[name] for name in plan.cuts) * (training + validation)
    live_work = sum(epochs[name] * cost for name, cost in costs.items()) * (training + validation)
    kept = training * plan.views + validation
    least = 1 if any(phase.solved for phase in phases) else _LEAST_SAVED  # to solve it, it is run anyway
    if not plan.forced and live_work - kept * multiply_adds(deepest.prefix) < least:
        work = write_count(round(live_work))
        return FeaturePlan(why=f"the frozen part has little to do: {live:,.0f} runs, {work} multiply-adds")
    asked = "it is asked for, though " if kept >= live else ""
    why = f"{asked}the frozen part runs {kept:,} times instead of {live:,.0f}; on disk {plan.why}"
    return replace(plan, why=why)

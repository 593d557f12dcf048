"""Which phases train on kept features: what is possible, what there is room for, and what pays."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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
    find_map,
    joint_prefix,
    kept_bytes,
    multiply_adds,
)
from tfxfer.models import Anatomy, Piece, choose_layers

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, FroFA, Mixing

__all__ = ["DEFAULT_VIEWS", "FeaturePlan", "check_features", "plan_features"]

DEFAULT_VIEWS = 4
"""Views of a training picture, where pictures are augmented."""
_VIEWS_OF_MAPS = 9
"""Views of one where its map is: they take no run of the network."""

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
        forced: Whether somebody chose ``"cache"``, or what kept features alone allow.
        of_maps: Whether views are of what the head gets, from one run of the frozen part.
    """

    cuts: Mapping[str, Cut] = field(default_factory=dict)
    views: int = 0
    why: str = ""
    forced: bool = False
    of_maps: bool = False

    @property
    def plain(self) -> list[str]:
        """Phases of which one view is kept, since views are of what a head that learns alone gets."""
        return [name for name, cut in self.cuts.items() if self.of_maps and not cut.for_head]

    @property
    def name(self) -> FeatureUse:
        """``"cache"`` or ``"off"``."""
        return "cache" if self.cuts else "off"

    def views_of(self, phase: str) -> int:
        """Say how many views of each training picture a phase learns from, by its name."""
        return 1 if phase in self.plain else self.views

    def without(self, phases: Collection[str], why: str) -> FeaturePlan:
        """Return it with some phases running the whole model."""
        cuts = {name: cut for name, cut in self.cuts.items() if name not in phases}
        return replace(self, cuts=cuts, why=f"{self.why}; {why}") if cuts else FeaturePlan(why=why)

    def __str__(self) -> str:
        return f"features: {'kept' if self.cuts else 'off'}, since {self.why}."


def check_features(
    features: str, views: int | None, augment: Augmentation | DeviceAugmentation | FroFA | None = None
) -> None:
    """Refuse what is no way to use features.

    Raises:
        SettingError: No such way, a number of views that is none, or features are to be changed of which
            none are kept, or none but those that stay.
    """
    if features not in FEATURE_USES:
        hint = did_you_mean(features, FEATURE_USES) or "."
        raise SettingError(f"no features {features!r}{hint} There are {', '.join(FEATURE_USES)}.")
    if views is not None and views < 1:
        raise SettingError(f"views must be at least 1, or None to leave it to fit, got {views}.")
    if views is not None and features == "off":
        raise SettingError("views counts what is kept, and features='off' keeps nothing; leave one out.")
    if not isinstance(augment, room.FroFA):
        return
    if features == "off":
        raise SettingError(
            f"augment={augment.name!r} changes kept features, and features='off' keeps none; leave one out."
        )
    if views == 1:
        raise SettingError(
            f"views=1 keeps what is made of each picture as it is, and augment={augment.name!r} changes the "
            "others; give at least 2, or leave one out."
        )


def plan_features(
    model: keras.Model,
    plan: Sequence[Phase],
    photos: Photos,
    *,
    features: FeatureUse,
    views: int | None,
    augment: Augmentation | DeviceAugmentation | FroFA | None,
    mixing: Mixing | None,
) -> FeaturePlan:
    """Decide which phases train on kept features; change nothing.

    Args:
        model: A model from ``tfxfer.build``.
        plan: The phases.
        photos: The data set, balanced.
        features: ``"auto"`` keeps them where that saves enough work, ``"cache"`` wherever
            anything is frozen, ``"off"`` never.
        views: How many views of each training picture; None is 1 where nothing changes pictures, 9 where
            what the head gets of them is changed, else 4.
        augment: What training pictures go through, or None. What changes features is for phases in which the
            head alone learns; others learn from pictures as they are.
        mixing: What batches go through, or None.

    Returns:
        The plan.

    Raises:
        SettingError: ``"cache"``, or what changes features, cannot be: pictures are pasted or changed batch
            by batch, there is no room, or no folder to write to; more than one view is wanted of pictures
            that nothing changes; or there are no features to change.
    """
    check_features(features, views, augment)
    if features == "off":
        return FeaturePlan()
    of_maps = augment.name if isinstance(augment, room.FroFA) else ""
    asked = f"augment={of_maps!r}" if of_maps else "features='cache'" if features == "cache" else ""
    instead = "another augmentation" if of_maps else "features='off'"
    if why := _impossible(augment, mixing):
        if asked:
            raise SettingError(f"{asked} cannot be: {why}; leave that out, or give {instead}.")
        return FeaturePlan(why=why)
    if views is not None and views > 1 and augment is None:
        raise SettingError(f"views={views} would be all alike, since nothing changes pictures; give augment.")
    cuts = {phase.name: cut for phase in plan if (cut := _planned_cut(model, phase))}
    if of_maps and not any(cut.for_head and find_map(cut.prefix) for cut in cuts.values()):
        raise SettingError(
            f"augment={of_maps!r} changes the map of a frozen backbone that the head pools, and there is no "
            f"such map in phase {', '.join(phase.name for phase in plan)}; give a plan in which the head "
            "learns alone and a backbone that ends in a map, or another augmentation."
        )
    if not cuts:
        return FeaturePlan(why="nothing is frozen in front of what learns")
    try:
        check_writable()
    except SettingError as error:
        why = str(error).removesuffix(".")
        if asked:
            raise SettingError(f"{why}, or give {instead}.") from error
        return FeaturePlan(why=why)
    wanted = views or (_VIEWS_OF_MAPS if of_maps else DEFAULT_VIEWS if augment else 1)
    decided: dict[str, Any] = {"forced": bool(asked), "of_maps": bool(of_maps)}
    fitting = _fitting(model, FeaturePlan(cuts, wanted, **decided), photos)
    if len(fitting.cuts) == len(fitting.plain):
        if asked:
            raise SettingError(
                f"{asked} cannot be: {fitting.why}; clear some (tfxfer cache --clear), or give {instead}."
            )
        return fitting
    return _worthwhile(fitting, plan, photos)


def _impossible(augment: Augmentation | DeviceAugmentation | FroFA | None, mixing: Mixing | None) -> str:
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
        row, kept = _row(model, [cut for name, cut in cuts.items() if name not in plan.plain], photos)
        plain, known = _row(model, [cut for name, cut in cuts.items() if name in plan.plain], photos)
        beside = (training + validation) * plain
        counts = {"training": training, "validation": validation, "row": row, "beside": beside}
        views = affordable_views(plan.views, **counts, kept=kept + known)
        if views:
            fewer = f"; {views} of {plan.views} views have room" if views < plan.views else ""
            without = [name for name in plan.cuts if name not in cuts]
            fewer += f"; those of phase {', '.join(without)} have no room" if without else ""
            size = (training * views + validation) * row + beside
            return replace(plan, cuts=cuts, views=views, why=f"{size / 1e6:,.1f} MB{fewer}")
        largest = max(cuts, key=lambda name: cuts[name].numbers)
        need = (training + validation) * 2 * cuts.pop(largest).numbers
    return FeaturePlan(why=f"there is no room for {need / 1e6:,.1f} MB of them")


def _row(model: keras.Model, cuts: Sequence[Cut], photos: Photos) -> tuple[int, int]:
    """Return how many bytes a view takes, and what is kept of the frozen part already."""
    if not cuts:
        return 0, 0
    prefix = joint_prefix(model, cuts)
    return 2 * sum(math.prod(tensor.shape[1:]) for tensor in prefix.outputs), kept_bytes(prefix, photos)


def _worthwhile(plan: FeaturePlan, phases: Sequence[Phase], photos: Photos) -> FeaturePlan:
    """Keep features where that saves enough, or was asked for."""
    training, validation = len(photos.split.train), len(photos.split.validation)
    deepest = max(plan.cuts.values(), key=lambda cut: len(cut.prefix.layers))
    costs = {name: multiply_adds(cut.prefix) for name, cut in plan.cuts.items()}
    epochs = {phase.name: phase.epochs * (_STOPPED_EARLY if phase.patience else 1) for phase in phases}
    live = sum(epochs[name] for name in plan.cuts) * (training + validation)
    live_work = sum(epochs[name] * cost for name, cost in costs.items()) * (training + validation)
    kept = (training + validation) * (2 if plan.plain else 1)
    if not plan.of_maps:
        kept = training * plan.views + validation
    least = 1 if any(phase.solved for phase in phases) else _LEAST_SAVED  # to solve it, it is run anyway
    if not plan.forced and live_work - kept * multiply_adds(deepest.prefix) < least:
        work = write_count(round(live_work))
        return FeaturePlan(why=f"the frozen part has little to do: {live:,.0f} runs, {work} multiply-adds")
    asked = "it is asked for, though " if kept >= live else ""
    why = f"{asked}the frozen part runs {kept:,} times instead of {live:,.0f}; on disk {plan.why}"
    return replace(plan, why=why)

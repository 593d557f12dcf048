"""Chosen settings become the recipe of a trial; what cannot go together is refused before."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tfxfer.augment import choose_feature_augmentation
from tfxfer.config import L2SP, Phase, Recipe
from tfxfer.contracts import FeatureUse, Plan, Task
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.searching.ranges import FloatRange, IntRange, Value, Varied
from tfxfer.searching.settings import SETTINGS, check_value, check_varied
from tfxfer.training import SOLVING, check_balance, check_features, may_be_solved, phases_for

__all__ = ["Space", "check_space", "default_space", "phases_of", "recipe"]

Space = Mapping[str, Varied]
"""Setting -> what it may be."""


def default_space(
    *, stages: int, task: Task = "single_label", plan: Plan | None = None, scratch: bool = False
) -> dict[str, Varied]:
    """Return what varies where nobody says.

    - The rates, an order of magnitude to either side of ``fit``'s own. The head has none where more learns
      after it, for then it is solved.
    - How many blocks learn at the top, up to a third of them: how much of what was pretrained is kept. Under
      the plan ``"full"`` all do, and under ``"gradual"`` one after the other; there it is ``layer_decay``.
    - Weight decay and dropout; smoothed labels, too, where the head alone is trained, in steps.

    Nothing in it changes pictures, so that what the frozen part makes of them is computed once for each
    number of blocks, and each further trial trains on that alone. Backbones are left to ``rank``, which needs
    no training; the number of epochs to ``fit``, which ends them early; and the batch size, since the rate
    does much of what it would.

    Args:
        stages: Number of stages of the backbone; 0 for one that cannot be trained.
        task: What is learnt; only labels of which a picture has one are smoothed.
        plan: The plan, where it is fixed.
        scratch: Whether there are no pretrained weights.

    >>> list(default_space(stages=18))
    ['top_rate', 'top_blocks', 'weight_decay', 'dropout']
    """
    held: dict[str, Varied] = {"weight_decay": FloatRange(1e-6, 1e-2, log=True)}
    held["dropout"] = FloatRange(0.0, 0.5)
    if not stages or plan == "head" or scratch:
        smoothing = {"label_smoothing": FloatRange(0.0, 0.2)} if task == "single_label" else {}
        return {"head_rate": FloatRange(3e-4, 3e-2, log=True), **held, **smoothing}
    space: dict[str, Varied] = {"top_rate": FloatRange(1e-5, 1e-3, log=True)}
    if plan in ("gradual", "full"):
        space["layer_decay"] = FloatRange(0.3, 1.0)
    elif stages >= 6:
        space["top_blocks"] = IntRange(1, stages // 3)
    return space | held


def recipe(
    settings: Mapping[str, Value], *, stages: int, base: Recipe | None = None, images: int = 1
) -> Recipe:
    """Turn settings into what a run is told, all phases spelled out.

    What the frozen part makes of pictures is kept wherever that can be, unless somebody says how it is to be,
    since the next trial takes it up.

    Args:
        settings: Setting -> value, as ``SETTINGS`` knows them.
        stages: Number of stages of the backbone.
        base: What is told beside.
        images: Training pictures; how many blocks learn where nobody says depends on that.

    Raises:
        SettingError: They do not go together.

    >>> [phase.rate for phase in recipe({"head_rate": 1e-3, "top_rate": 1e-5}, stages=4).training.plan]
    [0.001, 1e-05]
    """
    base = base or Recipe()
    placed = {
        place: {name: value for name, value in settings.items() if SETTINGS[name].place == place}
        for place in ("build", "fit", "depth", "phase", "anchor")
    }
    depth: dict[str, Any] = placed["depth"]
    counts: dict[str, Any] = {"images": images, "stages": stages, "scratch": base.model.weights is None}
    made = base.with_settings(**placed["build"], **placed["fit"])
    counts["batch_norm"] = placed["phase"].get("batch_norm")
    plan, others = depth.pop("plan", None), {**depth, **base.pick("soup")}
    solved = may_be_solved(**made.pick(*SOLVING)) and not any(
        name.startswith("head_") for name in placed["phase"]
    )
    phases, _ = phases_for(plan, **counts, **others, solved=solved)
    if len(phases) == 1 and (plan == "head" or placed["phase"]):
        # All that is tried is of the head, which is trained in steps then.
        phases, _ = phases_for(plan, **counts, **others)
    later = [name for name in placed["phase"] if name.startswith("top_")]
    if len(phases) == 1 and later:
        raise SettingError(f"{later[0]} is of phases after the first, and there is one alone; leave it out.")
    anchor = {name.removeprefix("anchor_"): value for name, value in placed["anchor"].items()}
    if anchor and all(phase.train == "head" for phase in phases):
        raise SettingError(
            f"anchor_{next(iter(anchor))} holds back what is pretrained, and none of it learns; leave it out."
        )
    made = made.with_settings(plan=tuple(_set(phases, placed["phase"], anchor)))
    keeps = made.training.features == "auto" and made.training.mix != "cutmix"
    return made.with_settings(features="cache") if keeps else made


def phases_of(recipe: Recipe) -> tuple[Phase, ...]:
    """Return the phases that a trial's recipe spells out."""
    plan = recipe.training.plan
    assert isinstance(plan, tuple)  # as ``recipe`` makes it
    return plan


def _set(phases: Sequence[Phase], settings: Mapping[str, Any], anchor: Mapping[str, Any]) -> Iterator[Phase]:
    """Give each phase that is trained in steps what is of all phases, and then what is its own."""
    fields = {name for name in SETTINGS if not name.startswith(("head_", "top_"))}
    for number, phase in enumerate(phases):
        if phase.solved:
            yield phase
            continue
        own = "top_" if number else "head_"
        changes = {name: value for name, value in settings.items() if name in fields}
        changes |= {name.removeprefix(own): value for name, value in settings.items() if name.startswith(own)}
        if anchor and phase.train != "head":
            changes["anchor"] = L2SP(**anchor)
        yield replace(phase, **changes)


def check_space(
    space: Space,
    fixed: Mapping[str, Value],
    *,
    photos: Photos | None = None,
    stages_of: Callable[[str], int] | None = None,
    scratch: bool = False,
    features: FeatureUse = "auto",
) -> None:
    """Refuse a space that has in it what cannot be.

    Args:
        space: What varies.
        fixed: What does not.
        photos: The data set, where it is there already.
        stages_of: Tells the number of stages of a backbone, where that is known already.
        scratch: Whether there are no pretrained weights.
        features: As in ``fit``.

    Raises:
        SettingError: A setting is not known, is named twice, or is out of its range; or some
            of what it may be does not go with some other.
    """
    for name, varied in space.items():
        check_varied(name, varied)
    for name, value in fixed.items():
        check_value(name, value)
        if name in space:
            raise SettingError(f"{name} is fixed to {value!r} and varies over {space[name]}; leave one out.")
    for chosen in _corners(space, fixed, "balance", "mix", "label_smoothing"):
        smoothing = chosen.get("label_smoothing", 0.0)
        check_balance(chosen.get("balance"), photos, mixed=chosen.get("mix") is not None, smoothing=smoothing)
    for chosen in _corners(space, fixed, "augment", "views"):
        check_features(features, chosen.get("views"), choose_feature_augmentation(chosen.get("augment")))
        if (chosen.get("views") or 1) > 1 and chosen.get("augment", "none") == "none":
            raise SettingError(
                f"views={chosen['views']} would be all alike, since nothing changes pictures; give augment."
            )
    if stages_of:
        highest = {name: varied.ends[-1] for name, varied in space.items()} | dict(fixed)
        depth = [name for name, setting in SETTINGS.items() if setting.place == "depth"]
        base = Recipe().with_settings(**{"weights": None} if scratch else {})
        for chosen in _corners(space, fixed, "backbone", *depth):
            recipe(highest | chosen, stages=stages_of(chosen["backbone"]), base=base)


def _corners(space: Space, fixed: Mapping[str, Value], *names: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost combinations of some settings, of those that are given at all."""
    ends = {name: space[name].ends if name in space else (fixed[name],) for name in {**space, **fixed}}
    mine = [name for name in names if name in ends]
    for values in itertools.product(*(ends[name] for name in mine)):
        yield dict(zip(mine, values, strict=True))

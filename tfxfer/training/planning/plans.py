"""The order in which a network learns: the plans that have names, and what they are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tfxfer.config import L2SP, OPTIMIZERS, SCHEDULES, SOLVER, BatchNorm, Phase
from tfxfer.contracts import PLANS, Plan
from tfxfer.errors import SettingError, did_you_mean

__all__ = [
    "L2SP",
    "OPTIMIZERS",
    "SCHEDULES",
    "Phase",
    "bit_hyperrule",
    "check_plan",
    "choose_phases",
    "from_scratch",
    "full",
    "gradual",
    "two_phases",
]

_BIT = (
    (20_000, (500, 100, (200, 300, 400))),
    (500_000, (10_000, 500, (3_000, 6_000, 9_000))),
    (math.inf, (20_000, 500, (6_000, 12_000, 18_000))),
)
"""Fewer pictures than so many -> steps in all, steps that rise, and steps after which the rate falls."""


def two_phases(
    *,
    stages: int,
    head_epochs: int | None = 20,
    top_epochs: int = 10,
    top_blocks: int | None = None,
) -> tuple[Phase, ...]:
    """Plan the usual transfer: the head alone, then the top of the backbone with it, gently.

    Args:
        stages: Number of stages of the backbone; 0 for one that cannot be trained.
        head_epochs: Epochs for the head alone; None solves it, as ``Phase(optimizer="lbfgs")`` says.
        top_epochs: Epochs with the top blocks unfrozen; 0 leaves this phase out.
        top_blocks: How many stages are unfrozen, from the top; None takes a fifth of them.

    Returns:
        One or two phases.

    Source:
        Head first, then a few top blocks at a tenth of the rate or less:
        https://keras.io/guides/transfer_learning; from the head's optimum on, what is pretrained is distorted
        least: Kumar et al. 2022, https://arxiv.org/abs/2202.10054.

    >>> [phase.train for phase in two_phases(stages=18)]
    ['head', -3]
    """
    head = _head(head_epochs)
    if top_epochs == 0 or (stages == 0 and top_blocks is None):
        return (head,)
    blocks = _blocks(top_blocks, stages, share=5)
    return (head, Phase("top", train=-blocks, epochs=top_epochs, rate=1e-4, warmup=0.1))


def from_scratch(*, epochs: int = 30) -> tuple[Phase, ...]:
    """Plan the training of a model without pretrained weights: everything learns at once."""
    return (
        Phase(
            "all",
            train="all",
            epochs=epochs,
            rate=1e-3,
            warmup=0.1,
            patience=10,
            batch_norm="train",
        ),
    )


def gradual(
    *,
    stages: int,
    head_epochs: int | None = 10,
    top_epochs: int = 12,
    top_blocks: int | None = None,
) -> tuple[Phase, ...]:
    """Plan gradual unfreezing: the head alone, then one stage more in each phase, from the top.

    Args:
        stages: Number of stages of the backbone, at least 1.
        head_epochs: Epochs for the head alone; None solves it.
        top_epochs: Epochs of all phases after it, in equal parts of at least 1.
        top_blocks: How many stages are unfrozen in the end; None takes a third of them.

    Returns:
        One phase more than there are blocks.

    Raises:
        SettingError: More blocks than stages, or none.

    Source:
        Howard & Ruder 2018, https://arxiv.org/abs/1801.06146, each stage at 1 / 2.6 of the rate of the next.

    >>> [phase.train for phase in gradual(stages=9)]
    ['head', -1, -2, -3]
    """
    blocks = _blocks(top_blocks, stages, share=3)
    epochs = max(1, top_epochs // blocks)
    return (
        _head(head_epochs),
        *(
            Phase(f"top-{count}", train=-count, epochs=epochs, rate=3e-4, warmup=0.1, layer_decay=1 / 2.6)
            for count in range(1, blocks + 1)
        ),
    )


def full(*, head_epochs: int | None = 10, top_epochs: int = 20) -> tuple[Phase, ...]:
    """Plan fine-tuning of the whole network: the head alone, then everything, slower towards the pixels.

    Args:
        head_epochs: Epochs for the head alone; None solves it.
        top_epochs: Epochs for everything.

    Returns:
        Two phases.

    >>> [phase.train for phase in full()]
    ['head', 'all']
    """
    return (
        _head(head_epochs),
        Phase("all", train="all", epochs=top_epochs, rate=3e-4, warmup=0.1, layer_decay=0.8),
    )


def bit_hyperrule(*, images: int, batch_size: int = 32) -> tuple[Phase, ...]:
    """Plan as BiT-HyperRule does: everything by SGD, for so many steps as the number of pictures wants.

    BiT has GroupNorm; here BatchNorm stands still. Its MixUp, from 20,000 pictures on with an alpha of 0.1,
    is ``fit(mix=MixUp(0.1))``.

    Args:
        images: Training pictures, at least 1.
        batch_size: Pictures a step; the rate of 0.003 is for 512, and goes by this in proportion.

    Returns:
        One phase.

    Source:
        Kolesnikov et al. 2020, https://arxiv.org/abs/1912.11370, section 3.3.

    >>> (phase,) = bit_hyperrule(images=1400, batch_size=512)
    >>> phase.epochs, phase.rate, phase.drops
    (167, 0.003, (0.4, 0.6, 0.8))
    """
    steps, warmup, drops = next(rule for most, rule in _BIT if images < most)
    return (
        Phase(
            "all",
            train="all",
            epochs=math.ceil(steps / math.ceil(images / batch_size)),
            rate=0.003 * batch_size / 512,
            warmup=warmup / steps,
            schedule="step",
            drops=tuple(drop / steps for drop in drops),
            patience=None,
            optimizer="sgd",
            weight_decay=0.0,
        ),
    )


def choose_phases(
    plan: Plan | Sequence[Phase] | None,
    *,
    stages: int,
    scratch: bool = False,
    solved: bool = False,
    find_rate: bool = False,
    soup: int | None = None,
    batch_norm: BatchNorm | None = None,
    head_epochs: int | None = None,
    top_epochs: int | None = None,
    top_blocks: int | None = None,
) -> tuple[Phase, ...]:
    """Return the phases of a plan, for a backbone.

    Args:
        plan: A name, phases, or None for two phases, or for one where nothing is worth freezing.
        stages: Number of stages of the backbone; 0 for one that cannot be trained.
        scratch: Whether it has no pretrained weights.
        solved: Whether the head of a plan with a name is solved, and trained in no epochs.
        find_rate: Whether each phase begins with a search for its rate.
        soup: Of how many of its best epochs each phase may average the weights; None leaves it to the phases.
        batch_norm: What the backbone's BatchNorm layers do in each phase; None likewise.
        head_epochs: Epochs for the head alone; None leaves it to the plan.
        top_epochs: Epochs of what comes after that, 0 for none; None likewise.
        top_blocks: How many stages are unfrozen in the end; None likewise.

    Raises:
        SettingError: No such plan; it takes no such setting, or has no stages that it could train.

    >>> [phase.name for phase in choose_phases("full", stages=18)]
    ['head', 'all']
    """
    depth = {"head_epochs": head_epochs, "top_epochs": top_epochs, "top_blocks": top_blocks}
    check_plan(plan, **depth)
    settings: dict[str, Any] = {setting: value for setting, value in depth.items() if value is not None}
    if solved:
        settings["head_epochs"] = None
    if plan is None and scratch:
        phases = from_scratch(epochs=settings.get("head_epochs", 20) + settings.get("top_epochs", 10))
    elif plan is None or isinstance(plan, str):
        phases = _named(plan or "two-phase", stages, settings)
    else:
        phases = tuple(plan)
    every = {"rate": "find" if find_rate else None, "soup": soup, "batch_norm": batch_norm}
    changes: dict[str, Any] = {name: value for name, value in every.items() if value is not None}
    return tuple(replace(phase, **changes) for phase in phases)


def _head(epochs: int | None) -> Phase:
    if epochs is None:
        return Phase("head", epochs=1, optimizer=SOLVER)
    return Phase("head", epochs=epochs, rate=3e-3)


def check_plan(plan: Plan | Sequence[Phase] | None, **settings: int | None) -> None:
    """Refuse what is no plan, or a setting that it does not take.

    Args:
        plan: As in ``choose_phases``.
        **settings: As there; None for what is not given.

    Raises:
        SettingError: It is so.
    """
    given = [name for name, value in settings.items() if value is not None]
    if isinstance(plan, str):
        if plan not in PLANS:
            hint = did_you_mean(plan, PLANS) or "."
            raise SettingError(f"no plan {plan!r}{hint} There are {', '.join(PLANS)}, or phases of your own.")
        refused = {"head": ("top_epochs", "top_blocks"), "full": ("top_blocks",)}.get(plan, ())
        if wrong := [name for name in given if name in refused]:
            raise SettingError(f"plan {plan!r} takes no {wrong[0]}, got {settings[wrong[0]]}; leave it out.")
    elif plan is not None:
        if isinstance(plan, Phase) or not all(isinstance(phase, Phase) for phase in plan):
            raise SettingError(f"plan must be a name or a list of phases, got {plan!r}.")
        names = [phase.name for phase in plan]
        if not names or len(set(names)) != len(names):
            raise SettingError(
                f"plan must be at least one phase, each with a name of its own, got {names or 'none'}."
            )
        if given:
            raise SettingError(
                f"plan holds phases that say all, got {given[0]}={settings[given[0]]} beside; leave it out."
            )


def _named(name: Plan, stages: int, settings: dict[str, Any]) -> tuple[Phase, ...]:
    if name == "head" or settings.get("top_epochs") == 0:
        return two_phases(stages=stages, **settings | {"top_epochs": 0})
    if name == "two-phase":
        return two_phases(stages=stages, **settings)
    if stages == 0:
        raise SettingError(f"plan {name!r} trains the backbone, and this one cannot be; take 'head'.")
    return gradual(stages=stages, **settings) if name == "gradual" else full(**settings)


def _blocks(wanted: int | None, stages: int, *, share: int) -> int:
    """Say how many stages are unfrozen: one in so many where nobody says."""
    blocks = max(1, stages // share) if wanted is None else wanted
    if not 1 <= blocks <= stages:
        raise SettingError(
            f"top_blocks must be between 1 and {stages} for this backbone, got {blocks}; "
            "plan='head' leaves the backbone frozen."
        )
    return blocks

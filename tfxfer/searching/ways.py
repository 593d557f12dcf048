"""How a search goes: what draws the next settings, what ends a trial early, and what judges it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from tfxfer.errors import SettingError, did_you_mean

__all__ = ["JUDGES", "PRUNERS", "SAMPLERS", "Judge", "Pruner", "Sampler", "check_ways"]

Sampler = Literal["tpe", "random", "grid"]
"""What draws the next settings.

- ``tpe``: ten at random, then where trials did well: a tree-structured Parzen estimator.
- ``random``: at random.
- ``grid``: some points of each range, in all combinations, in an order drawn once; then it is over.
"""
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)

Pruner = Literal["median", "hyperband", "none"]
"""What ends a trial early.

- ``median``: after an epoch at which it is worse than half of the complete trials were.
- ``hyperband``: at the border of a round, of which few go on to the next.
- ``none``: nothing.
"""
PRUNERS: tuple[Pruner, ...] = get_args(Pruner)

Judge = Literal["loss", "metric"]
"""What a trial is judged by, on the validation part.

- ``loss``: plain cross-entropy; of numbers, squared error in standard deviations.
- ``metric``: accuracy; of several labels, that of each; of numbers, their mean absolute error.
"""
JUDGES: tuple[Judge, ...] = get_args(Judge)


def check_ways(*, sampler: str, pruner: str, by: str, trials: int, timeout: float | None) -> None:
    """Refuse what is no way to search.

    Raises:
        SettingError: There is no such sampler, pruner or judge; no trial is asked for, or no time given.
    """
    known: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("sampler", sampler, SAMPLERS),
        ("pruner", pruner, PRUNERS),
        ("by", by, JUDGES),
    )
    for name, value, allowed in known:
        if value not in allowed:
            hint = did_you_mean(value, allowed) or "."
            raise SettingError(f"no {name} {value!r}{hint} There are {', '.join(allowed)}.")
    if trials < 1:
        raise SettingError(f"trials must be at least 1, got {trials}.")
    if timeout is not None and not timeout > 0:
        raise SettingError(f"timeout must be above 0 seconds, or None, got {timeout:g}.")

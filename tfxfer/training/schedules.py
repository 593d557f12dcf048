"""How the learning rate moves over the steps of a phase."""

from __future__ import annotations

from typing import Literal

import keras

__all__ = ["rate_schedule"]


def rate_schedule(
    kind: Literal["cosine", "constant"], *, peak: float, steps: int, warmup: float
) -> keras.optimizers.schedules.CosineDecay:
    """Rise to the peak in a line, then fall to 0 along half a cosine, or stay.

    The first step has a rate already: a step that moves nothing would be a wasted one.

    Args:
        kind: ``"cosine"`` falls to 0 at the last step; ``"constant"`` stays at the peak.
        peak: Highest rate, above 0.
        steps: Optimizer steps in all, at least 1.
        warmup: Share of the steps that rise, in [0, 1).

    Returns:
        A Keras schedule.

    Source:
        Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983; the rise from Goyal et al. 2017,
        https://arxiv.org/abs/1706.02677.

    >>> schedule = rate_schedule("cosine", peak=1.0, steps=10, warmup=0.2)
    >>> [round(float(schedule(step)), 2) for step in (0, 1, 2, 6, 10)]
    [0.33, 0.67, 1.0, 0.5, 0.0]
    """
    floor = 1.0 if kind == "constant" else 0.0
    rising = round(warmup * steps)
    if not rising:
        return keras.optimizers.schedules.CosineDecay(peak, decay_steps=steps, alpha=floor)
    return keras.optimizers.schedules.CosineDecay(
        peak / (rising + 1), max(1, steps - rising), alpha=floor, warmup_target=peak, warmup_steps=rising
    )

"""How the learning rate moves over the steps of a phase."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfxfer.config import Phase

__all__ = ["InTurns", "OneCycle", "Warmed", "rate_schedule"]


def rate_schedule(phase: Phase, *, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Make the schedule of a phase: a rise to the peak in a line, then what its name says.

    - ``"cosine"``: down to 0 along half a cosine.
    - ``"constant"``: it stays.
    - ``"step"``: a tenth of it after each of the phase's ``drops``, by default 40, 60 and 80 % of all steps.
    - ``"one-cycle"``: up along half a cosine from a 25th, then down along another to a 100,000th.

    The first step has a rate already: a step that moves nothing would be a wasted one.

    Args:
        phase: Whose ``rate``, a number, is the peak, and ``warmup`` the share of the steps that rise.
        steps: Optimizer steps in all, at least 1.

    Returns:
        A Keras schedule.

    Source:
        Cosine: Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983. The rise: Goyal et al. 2017,
        https://arxiv.org/abs/1706.02677. Step: Kolesnikov et al. 2020, https://arxiv.org/abs/1912.11370.
        One-cycle: Smith & Topin 2018, https://arxiv.org/abs/1708.07120, in fastai's form.

    >>> from tfxfer.training import Phase
    >>> def rates(at, **settings):
    ...     schedule = rate_schedule(Phase("p", rate=1.0, **settings), steps=10)
    ...     return [round(float(schedule(step)), 2) for step in at]
    >>> rates((0, 1, 2, 6, 10), warmup=0.2)
    [0.33, 0.67, 1.0, 0.5, 0.0]
    >>> rates((0, 3, 4, 5, 6, 8), schedule="step")
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.0]
    >>> rates((0, 1, 2, 3, 6, 9), schedule="one-cycle", warmup=0.3)
    [0.04, 0.28, 0.76, 1.0, 0.5, 0.0]
    """
    peak, rising = float(phase.rate), round(phase.warmup * steps)
    if phase.schedule == "one-cycle":
        return OneCycle(peak, steps=steps, rising=max(1, rising))
    if phase.schedule == "step":
        boundaries = [round(share * steps) - 1 for share in phase.drops]
        values = [peak / 10**times for times in range(len(boundaries) + 1)]
        return Warmed(keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values), rising=rising)
    floor = 1.0 if phase.schedule == "constant" else 0.0
    if not rising:
        return keras.optimizers.schedules.CosineDecay(peak, decay_steps=steps, alpha=floor)
    return keras.optimizers.schedules.CosineDecay(
        peak / (rising + 1),
        max(1, steps - rising),
        alpha=floor,
        warmup_target=peak,
        warmup_steps=rising,
    )


@keras.saving.register_keras_serializable("tfxfer")
class Warmed(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, behind a rise in a line to where it begins.

    Args:
        behind: The other one, which counts the steps of the rise too.
        rising: Steps of the rise; 0 for none.
    """

    def __init__(self, behind: keras.optimizers.schedules.LearningRateSchedule, *, rising: int) -> None:
        super().__init__()
        self.behind, self.rising = behind, rising

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0."""
        rise = ops.minimum((ops.cast(step, "float32") + 1) / (self.rising + 1), 1.0)
        return rise * self.behind(step)

    def get_config(self) -> dict[str, Any]:
        """Return what it is made of, as Keras saves it."""
        return {"behind": keras.saving.serialize_keras_object(self.behind), "rising": self.rising}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Warmed:
        """Make it again."""
        return cls(keras.saving.deserialize_keras_object(config["behind"]), rising=config["rising"])


@keras.saving.register_keras_serializable("tfxfer")
class InTurns(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, for an optimizer that accumulates gradients over some turns before each step.

    Keras asks for the rate by turns, and not by steps; checked on 3.15.1.

    Args:
        behind: The other one, which counts steps.
        turns: Turns a step, at least 1.

    >>> from tfxfer.training import Phase
    >>> schedule = InTurns(rate_schedule(Phase("p", rate=1.0), steps=2), turns=2)
    >>> [round(float(schedule(turn)), 2) for turn in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.0]
    """

    def __init__(self, behind: keras.optimizers.schedules.LearningRateSchedule, *, turns: int) -> None:
        super().__init__()
        self.behind, self.turns = behind, turns

    def __call__(self, step: Any) -> Any:
        """Return the rate of a turn, counted from 0."""
        return self.behind(ops.floor_divide(step, self.turns))

    def get_config(self) -> dict[str, Any]:
        """Return what it is made of, as Keras saves it."""
        return {"behind": keras.saving.serialize_keras_object(self.behind), "turns": self.turns}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InTurns:
        """Make it again."""
        return cls(keras.saving.deserialize_keras_object(config["behind"]), turns=config["turns"])


@keras.saving.register_keras_serializable("tfxfer")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up along half a cosine, and down along another, far below where it began.

    Args:
        peak: Highest rate, above 0.
        steps: Optimizer steps in all, at least 1.
        rising: Of these, how many rise, at least 1.
        start: How many times the peak is the first rate.
        end: How many times the peak is the last rate.
    """

    def __init__(
        self, peak: float, *, steps: int, rising: int, start: float = 25.0, end: float = 1e5
    ) -> None:
        super().__init__()
        self.peak, self.steps, self.rising, self.start, self.end = peak, steps, rising, start, end

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        up = _between(self.peak / self.start, self.peak, step / self.rising)
        falling = max(1, self.steps - 1 - self.rising)
        down = _between(self.peak, self.peak / self.end, (step - self.rising) / falling)
        return ops.where(step < self.rising, up, down)

    def get_config(self) -> dict[str, Any]:
        """Return what it is made of, as Keras saves it."""
        return {name: getattr(self, name) for name in ("peak", "steps", "rising", "start", "end")}


def _between(first: float, last: float, share: Any) -> Any:
    """Go from one rate to another along half a cosine."""
    share = ops.clip(share, 0.0, 1.0)
    return last + (first - last) * (1 + ops.cos(math.pi * share)) / 2

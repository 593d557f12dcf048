"""The learning rate finder: rates from small to large, and the one at which the loss falls best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tfxfer.contracts import RateSearch
from tfxfer.errors import DivergedError
from tfxfer.training.material.lessons import Lesson

__all__ = ["RISE", "search_rates", "valley"]

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100
"""The rates that are tried, equally far apart in their logarithms, as fastai tries them."""
_SMOOTHING = 0.98
_LOST = 4.0
"""Where the loss is so many times the least one, no higher rate is tried."""
_AT_FIRST, _AT_LAST = STEPS // 10, 5
"""So many rates at either end say nothing."""


@keras.saving.register_keras_serializable("tfxfer")
class _Rise(keras.optimizers.schedules.LearningRateSchedule):
    """From the lowest rate to the highest, by the same factor in each step."""

    def __call__(self, step: Any) -> Any:
        share = keras.ops.cast(step, "float32") / (STEPS - 1)
        return LOWEST * (HIGHEST / LOWEST) ** share

    def get_config(self) -> dict[str, Any]:
        """It has no settings."""
        return {}


RISE = _Rise()


def search_rates(lesson: Lesson, *, turns: int = 1) -> RateSearch:
    """Train with rates that rise in each step, and put all back.

    Args:
        lesson: What is trained, compiled with an optimizer whose rate is ``RISE``; its variables are as they
            were afterwards, and its optimizer is not to be used again.
        turns: Over how many batches gradients are accumulated before each step.

    Returns:
        The curve, and the rate that it suggests.

    Raises:
        DivergedError: The loss is no number after fewer than ten rates.
    """
    model = lesson.model
    before = [(variable, np.array(variable)) for variable in model.variables]
    sweep = _Sweep(turns)
    try:
        # Each pass over the data is an epoch of at least one batch.
        model.fit(
            lesson.training,
            class_weight=lesson.class_weight,
            epochs=STEPS * turns,
            shuffle=False,
            verbose=0,
            callbacks=[sweep],
        )
    finally:
        for variable, value in before:
            variable.assign(value)
    rates, losses = sweep.rates, sweep.losses
    if len(losses) < _AT_FIRST + _AT_LAST + 2:
        raise DivergedError(
            f"the loss is no number at a rate of {float(RISE(len(losses))):.1e}, before any could be told to "
            "be good; look at the pictures and the weights."
        )
    chosen = slice(_AT_FIRST, -_AT_LAST)
    return RateSearch(tuple(rates), tuple(losses), rates[chosen][valley(losses[chosen])])


class _Sweep(keras.callbacks.Callback):
    """Note down the loss at each rate, smoothed, until it is lost or all were tried."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._turns, self._turn, self._running = turns, 0, 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Measure each step by itself."""
        if self._turn == 0:
            self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Look at the loss of a whole step."""
        loss = float((logs or {})["loss"])
        self._turn = (self._turn + 1) % self._turns
        if not math.isfinite(loss):
            self.model.stop_training = True
        elif self._turn == 0:
            step = len(self.losses)
            self._running = _SMOOTHING * self._running + (1 - _SMOOTHING) * loss
            self.rates.append(float(RISE(step)))
            self.losses.append(self._running / (1 - _SMOOTHING ** (step + 1)))
            lost = step > _AT_FIRST and self.losses[-1] > _LOST * min(self.losses)
            self.model.stop_training = lost or step + 1 == STEPS


def valley(losses: Sequence[float]) -> int:
    """Find a rate in the middle of the longest fall.

    The fall is the longest sequence of losses, not all next to each other, of which each is lower than the
    one before. Of its stretch, from the first to the last, the point half into the second third is taken:
    before the loss is at its lowest, and well behind where it begins to fall.

    Args:
        losses: In the order of the rates, at least one.

    Returns:
        The place of the rate.

    Source:
        fastai's default, ``valley``, https://docs.fast.ai/callback.schedule.html.

    >>> valley([5.0, 5.1, 4.0, 3.0, 2.0, 1.0, 0.5, 2.0, 9.0])
    3
    """
    lengths, firsts = [1] * len(losses), list(range(len(losses)))
    for place, loss in enumerate(losses):
        for earlier in range(place):
            if losses[earlier] > loss and lengths[earlier] + 1 > lengths[place]:
                lengths[place], firsts[place] = lengths[earlier] + 1, firsts[earlier]
    last = max(range(len(losses)), key=lambda place: lengths[place])
    third = (last - firsts[last]) / 3
    return firsts[last] + int(third) + int(third / 2)

"""The optimizer of a phase: how fast each part of the network learns, and what decays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from tfxfer.models import Anatomy
from tfxfer.training.phases import Phase

if TYPE_CHECKING:
    from keras.optimizers import Optimizer as _Beside  # what the mixin is always put before
else:
    _Beside = object

__all__ = ["make_optimizer", "rate_factors"]


def make_optimizer(
    model: keras.Model,
    phase: Phase,
    *,
    rate: keras.optimizers.schedules.LearningRateSchedule,
    beside: Sequence[keras.Variable] = (),
) -> keras.optimizers.Optimizer:
    """Make the optimizer of a phase for what learns now.

    Decay pulls kernels towards 0, in every part as fast as it learns; a bias or a normalization's scale has
    no reason to go there.

    Args:
        model: A model from ``tfxfer.build``, after ``set_trainable``.
        phase: The phase.
        rate: How fast the head learns, step by step.
        beside: What learns that is no part of the model; as fast as the stage below the head.

    Returns:
        A new one, of the kind that the phase names or of the kind of the one that it holds.
    """
    prototype = _prototype(phase)
    settings = prototype.get_config() | {"learning_rate": rate}
    if phase.ema is not None:
        settings |= {"use_ema": True, "ema_momentum": phase.ema}
    kind = type(prototype)
    if phase.layer_decay != 1:
        factors = rate_factors(model, phase.layer_decay)
        factors |= {id(variable): phase.layer_decay for variable in beside}
        kind = type(
            f"Layerwise{kind.__name__}", (_Layerwise, kind), {"factors": staticmethod(lambda: factors)}
        )
    optimizer: keras.optimizers.Optimizer = kind.from_config(settings)
    optimizer.exclude_from_weight_decay(
        var_list=[each for each in (*model.trainable_variables, *beside) if len(each.shape) < 2]
    )
    return optimizer


def rate_factors(model: keras.Model, decay: float) -> dict[int, float]:
    """Say how fast each variable learns: the head at the full rate, each stage below it slower by a factor.

    Args:
        model: A model from ``tfxfer.build``.
        decay: The factor from one stage to the next towards the pixels, in (0, 1].

    Returns:
        ``id`` of each variable that learns -> its share of the rate.

    Source:
        Howard & Ruder 2018, https://arxiv.org/abs/1801.06146; by powers, as in Clark et al. 2020,
        https://arxiv.org/abs/2003.10555.

    >>> from tfxfer.models import build
    >>> model = build(classes=3, backbone="micro", image_size=32, weights=None)
    >>> sorted(set(rate_factors(model, 0.5).values()), reverse=True)
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """
    parts = reversed(Anatomy.of(model).parts.values())
    return {
        id(variable): decay**depth
        for depth, pieces in enumerate(parts)
        for piece in pieces
        for variable in piece.trainable_variables
    }


def _prototype(phase: Phase) -> keras.optimizers.Optimizer:
    decay = 0.0 if phase.anchor else phase.weight_decay
    if phase.optimizer == "adamw":
        return keras.optimizers.AdamW(weight_decay=decay)
    if phase.optimizer == "sgd":
        return keras.optimizers.SGD(momentum=0.9, weight_decay=decay or None)
    return phase.optimizer


class _Layerwise(_Beside):
    """What makes any of Keras's optimizers take a share of its rate for each variable.

    Each step's rate is shared out as it is, whoever set it: ratios hold under every schedule and callback.
    ``keras.optimizers.MultiOptimizer`` loses them under a callback; checked on Keras 3.15.1.
    """

    factors: Any
    weight_decay: float | None

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Look up the share of each; one without is a fault of ours."""
        factors: Mapping[int, float] = self.factors()
        self._shares = [factors[id(variable)] for variable in variables]
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Take one step for one variable."""
        share = self._shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * share)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        """Decay each by its share too: Keras multiplies by the rate itself; checked on 3.15.1."""
        whole = self.weight_decay
        if whole is None:
            return
        try:
            for variable in variables:
                self.weight_decay = whole * self._shares[self._get_variable_index(variable)]
                super()._apply_weight_decay([variable])
        finally:
            self.weight_decay = whole

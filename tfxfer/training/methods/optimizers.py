"""The optimizer of a phase: how fast each part of the network learns, and what decays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tfxfer.config import Phase
from tfxfer.contracts import Precision
from tfxfer.models import Anatomy
from tfxfer.runtime import strategy_of
from tfxfer.training.methods.schedules import InTurns

if TYPE_CHECKING:
    from keras.optimizers import Optimizer as _Beside  # what the mixin is always put before
else:
    _Beside = object

__all__ = ["make_optimizer", "own_turns", "rate_factors"]


def make_optimizer(
    model: keras.Model,
    phase: Phase,
    *,
    rate: keras.optimizers.schedules.LearningRateSchedule,
    turns: int = 1,
    precision: Precision = "float32",
    beside: Sequence[keras.Variable] = (),
) -> keras.optimizers.Optimizer:
    """Make the optimizer of a phase for what learns now.

    Decay pulls kernels towards 0, in every part as fast as it learns; a bias or a normalization's scale has
    no reason to go there.

    Args:
        model: A model from ``tfxfer.build``, after ``set_trainable``.
        phase: The phase.
        rate: How fast the head learns, step by step.
        turns: Over how many batches gradients are accumulated, beside what the phase's own optimizer does.
        precision: What the model computes in; where that is mixed float16, losses are scaled.
        beside: What learns that is no part of the model; as fast as the stage below the head.

    Returns:
        A new one, of the kind that the phase names or of the kind of the one that it holds.
    """
    prototype = _prototype(phase)
    settings = prototype.get_config() | {"learning_rate": rate}
    if phase.ema is not None:
        settings |= {"use_ema": True, "ema_momentum": phase.ema}
    turns *= own_turns(phase)
    if turns > 1:
        settings |= {"gradient_accumulation_steps": turns, "learning_rate": InTurns(rate, turns=turns)}
    kind = type(prototype)
    if turns > 1 and prototype.use_ema | (phase.ema is not None):
        kind = type(f"InTurns{kind.__name__}", (_InTurns, kind), {})
    several = strategy_of(model).num_replicas_in_sync > 1
    if several:
        kind = type(f"Mirrored{kind.__name__}", (_Mirrored, kind), {})
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
    # Elsewhere Keras itself scales losses, by the precision of the model that it compiles.
    return _AgreedLossScale(optimizer) if several and precision == "mixed_float16" else optimizer


def own_turns(phase: Phase) -> int:
    """Say over how many batches a phase's own optimizer accumulates gradients."""
    return getattr(phase.optimizer, "gradient_accumulation_steps", None) or 1


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


class _InTurns(_Beside):
    """What makes an optimizer that accumulates gradients average weights once a step.

    Keras averages in every turn, as if each had been a step; checked on 3.15.1.
    """

    gradient_accumulation_steps: int
    _iterations: Any

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[Any]) -> None:
        average = super()._update_model_variables_moving_average
        last = (self._iterations + 1) % self.gradient_accumulation_steps == 0
        keras.ops.cond(last, lambda: average(trainable_variables), lambda: None)


class _Mirrored(_Beside):
    """What makes an optimizer on several devices clip the gradients of the whole batch.

    Keras clips those of each device, and sums them then; checked on 3.15.1.
    """

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        known = [gradient for gradient in grads if gradient is not None]
        summed = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, known))
        whole = [each if each is None else next(summed) for each in grads]
        clipped: list[Any] = super()._clip_gradients(whole)
        return clipped

    def _all_reduce_sum_gradients(self, grads_and_vars: Iterable[Any]) -> list[Any]:
        return list(grads_and_vars)  # they are summed already


class _AgreedLossScale(keras.optimizers.LossScaleOptimizer):
    """A scale of losses on which all devices agree.

    Keras asks the first device alone whether gradients are numbers; checked on 3.15.1.
    """

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Say whether the gradients of all devices are numbers."""
        lost = tf.cast(tf.logical_not(super().check_finite(grads)), tf.float32)
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, lost) == 0

"""Penalties that hold a network back while it learns: near 0, or near where it began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tfxfer.config import Phase
from tfxfer.models import HEAD, Anatomy

__all__ = ["PlainLosses", "Start", "penalized", "start_of"]

Start = Mapping[int, npt.NDArray[np.floating[Any]]]
"""``id`` of each variable of the backbone -> its values where the fit began."""


def start_of(model: keras.Model) -> Start:
    """Note down where the backbone begins; the head has no beginning that is worth keeping.

    Args:
        model: A model from ``tfxfer.build``.
    """
    return {
        id(variable): np.array(variable) for piece in Anatomy.of(model).backbone for variable in piece.weights
    }


@contextmanager
def penalized(model: keras.Model, phase: Phase, start: Start) -> Iterator[None]:
    """Have what learns penalized as a phase says, in this model and in any other that has its layers.

    Args:
        model: A model from ``tfxfer.build``, after ``set_trainable``.
        phase: The phase.
        start: From ``start_of``, before the first phase.
    """
    penalties = _penalties(model, phase, start)
    before = [(variable, variable.regularizer) for variable, _ in penalties]
    for variable, penalty in penalties:
        variable.regularizer = penalty
    try:
        yield
    finally:
        for variable, penalty in before:
            variable.regularizer = penalty


def _penalties(
    model: keras.Model, phase: Phase, start: Start
) -> list[tuple[keras.Variable, keras.regularizers.Regularizer]]:
    found: list[tuple[keras.Variable, keras.regularizers.Regularizer]] = []
    for name, pieces in Anatomy.of(model).parts.items():
        for variable in (variable for piece in pieces for variable in piece.trainable_variables):
            if phase.anchor and name == HEAD:
                found.append((variable, keras.regularizers.L2(phase.anchor.beta / 2)))
            elif phase.anchor:
                found.append((variable, _Near(start[id(variable)], phase.anchor.alpha / 2)))
            elif (phase.l1 or phase.l2) and len(variable.shape) > 1:
                found.append((variable, keras.regularizers.L1L2(phase.l1, phase.l2)))
    return found


class _Near(keras.regularizers.Regularizer):
    """A strength times the squared distance from somewhere."""

    def __init__(self, start: npt.NDArray[np.floating[Any]], strength: float) -> None:
        # A variable: as a constant it would be copied into each graph that is traced.
        self.start = keras.Variable(start, trainable=False)
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        return self.strength * ops.sum(ops.square(x - self.start))


class PlainLosses(keras.callbacks.Callback):
    """Take penalties on weights out of ``val_loss`` for all callbacks after it, and for the log.

    Keras adds them to the loss of every part; phases under other penalties are then no longer comparable.
    What they come to is under ``penalty``.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Weights stand still while Keras validates: it is one number for all batches."""
        # Not model.losses: what layers add by themselves is a tensor of some graph by now.
        penalized = [variable for variable in self.model.trainable_variables if variable.regularizer]
        if logs is not None and penalized:
            logs["penalty"] = sum(float(variable.regularizer(variable)) for variable in penalized)
            logs["val_loss"] -= logs["penalty"]

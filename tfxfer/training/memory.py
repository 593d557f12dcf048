"""A phase for which the memory is too small begins again, with as many smaller batches as it takes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

from tfxfer.errors import OutOfMemoryError
from tfxfer.training.material.lessons import Lessons

__all__ = ["within_memory"]

_Outcome = TypeVar("_Outcome")


def within_memory(
    attempt: Callable[[], _Outcome],
    *,
    variables: Sequence[keras.Variable],
    lessons: Lessons,
    name: str,
    tell: Callable[[str], None],
) -> _Outcome:
    """Try something, and where the memory is too small, try it again with half the batch.

    Gradients are then accumulated over twice as many turns before each step: steps, rates and schedule are
    what they were, and so is the outcome, but for BatchNorm that learns, whose statistics are those of
    smaller batches. What comes later stays at the smaller ones.

    Args:
        attempt: What is tried, anew each time; variables are put back before.
        variables: What may move.
        lessons: What it learns from.
        name: What it is called.
        tell: Told what is changed.

    Returns:
        What came of it.

    Raises:
        OutOfMemoryError: There is no room for a batch of one picture, or several devices share batches, on
            which Keras cannot accumulate.
    """
    before = [(variable, np.array(variable)) for variable in variables]
    while True:
        try:
            return attempt()
        except tf.errors.ResourceExhaustedError as error:
            size, devices = lessons.turn_size, lessons.devices.num_replicas_in_sync
            if devices > 1:
                raise OutOfMemoryError(
                    f"{name} finds no memory for batches of {size} pictures on {devices} devices, where "
                    "Keras cannot accumulate gradients; give a smaller batch_size (and rate), image_size "
                    "or backbone."
                ) from error
            if size == 1:
                raise OutOfMemoryError(
                    f"{name} finds no memory for a single picture; give a smaller image_size or backbone, "
                    "or let less of it learn."
                ) from error
        # Out of the handler, which holds on to all that the attempt had.
        for variable, value in before:
            variable.assign(value)
        gc.collect()
        lessons.halve()
        tell(
            f"{name}: no memory for {size} pictures at once; begun again with {lessons.turn_size}, and "
            f"gradients accumulated over {lessons.turns} turns."
        )

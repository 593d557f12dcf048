"""A phase is taken up where it was left, and noted after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tfxfer.runtime import Epochs
from tfxfer.training.methods.soups import Soup
from tfxfer.training.resuming.course import Course, Stretch

__all__ = ["Noting"]


class Noting(keras.callbacks.Callback):
    """Take up a phase where it was left, and note after each epoch how far it is; to be the last callback.

    Args:
        course: Where the fit is.
        stretch: How far the phase is.
        others: All callbacks before it.
        epochs: What is to be told before each which it is.
        first: The number that the phase's first has for them: phases before may have stopped early.
    """

    def __init__(
        self,
        course: Course,
        stretch: Stretch,
        others: Sequence[keras.callbacks.Callback],
        *,
        epochs: Epochs,
        first: int,
    ) -> None:
        super().__init__()
        self.course, self.stretch, self.others = course, stretch, others
        self.epochs, self.first = epochs, first
        self._started = time.perf_counter() - stretch.seconds

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Put back what callbacks and the optimizer held; each has begun anew before."""
        del logs
        optimizer, stretch = self.model.optimizer, self.stretch
        for place, other in enumerate(self.others):
            held = dict(stretch.callbacks.get(_name(other, place), {}))
            ingredients = held.pop("ingredients", [])
            vars(other).update(held)
            if isinstance(other, keras.callbacks.EarlyStopping) and stretch.best:
                own = self._places()
                other.best_weights = [
                    stretch.best.get(own[place], value)
                    for place, value in enumerate(self.model.get_weights())
                ]
            if isinstance(other, Soup):
                other.take_up(ingredients, stretch.soup)
        if stretch.optimizer:
            if not optimizer.built:
                optimizer.build(self.model.trainable_variables)
            for variable, value in zip(optimizer.variables, stretch.optimizer, strict=True):
                variable.assign(value)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Say which epoch it is, to what is new in each; Keras opens the data set after this."""
        del epoch, logs
        self.epochs.now = self.first + self.stretch.epochs

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note down where everything is."""
        del epoch
        stretch = self.stretch
        stretch.add(logs or {})
        stretch.stopped = bool(self.model.stop_training)
        stretch.seconds = time.perf_counter() - self._started
        if self.course.checkpoints is None or not math.isfinite((logs or {}).get("loss", math.nan)):
            return
        stretch.optimizer = [np.array(variable) for variable in self.model.optimizer.variables]
        stretch.callbacks = {_name(other, place): _scalars(other) for place, other in enumerate(self.others)}
        own = self._places()
        for place, other in enumerate(self.others):
            if isinstance(other, Soup):
                stretch.callbacks[_name(other, place)]["ingredients"], stretch.soup = other.ingredients
            if isinstance(other, keras.callbacks.EarlyStopping) and other.best_weights:
                stretch.best = {
                    place: value
                    for place, value in zip(own, other.best_weights, strict=True)
                    if place in self.course.touched
                }
        self.course.note()

    def _places(self) -> list[int]:
        """Return where each weight of what learns is in the whole model."""
        places = {id(variable): place for place, variable in enumerate(self.course.variables)}
        return [places[id(variable)] for variable in self.model.weights]


def _name(callback: keras.callbacks.Callback, place: int) -> str:
    return f"{place} {type(callback).__name__}"


def _scalars(callback: keras.callbacks.Callback) -> dict[str, Any]:
    found = {}
    for name, value in vars(callback).items():
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, bool | int | float | str):
            found[name] = plain
    return found

"""The weights of a phase's best epochs, averaged as far as validation bears it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

__all__ = ["Soup"]


@dataclass(frozen=True, slots=True, eq=False)
class _Ingredient:
    loss: float
    epoch: int
    weights: Sequence[npt.NDArray[Any]]


class Soup(keras.callbacks.Callback):
    """Keep the weights of the best epochs while a phase runs, and average them when it is over.

    It goes behind whatever changes ``val_loss`` or puts averages in the place of weights.

    Args:
        variables: What may move in the phase, of any numbers.
        most: How many epochs are kept at most.
        first: The number of the phase's first epoch, counted from 0 over all phases.

    Source:
        Wortsman et al. 2022, https://arxiv.org/abs/2203.05482, the greedy soup, of epochs in place of runs
        and by validation loss in place of accuracy.
    """

    def __init__(self, variables: Sequence[keras.Variable], *, most: int, first: int = 0) -> None:
        super().__init__()
        self.epochs: tuple[int, ...] = ()
        self.figures: Mapping[str, float] = {}
        self._variables = variables
        self._most = most
        self._first = first
        self._kept: list[_Ingredient] = []

    def __str__(self) -> str:
        if not self.epochs:
            return "no average of its best epochs is as good as the best of them"
        return f"the average of epochs {', '.join(map(str, sorted(self.epochs)))}"

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep this epoch's weights, and let go of the worst where there are too many."""
        loss = (logs or {})["val_loss"]
        worst = self._kept[-1].loss if len(self._kept) == self._most else math.inf
        if not loss < worst:  # nor is NaN
            return
        weights = [np.array(variable) for variable in self._variables]
        self._kept.append(_Ingredient(loss, epoch + 1 - self._first, weights))
        self._kept.sort(key=lambda each: (each.loss, each.epoch))
        del self._kept[self._most :]

    @property
    def ingredients(self) -> tuple[list[tuple[float, int]], list[npt.NDArray[Any]]]:
        """What is kept so far: loss and epoch of each, the best first, and all their weights."""
        return [(each.loss, each.epoch) for each in self._kept], [
            value for each in self._kept for value in each.weights
        ]

    def take_up(self, figures: Sequence[tuple[float, int]], weights: Sequence[npt.NDArray[Any]]) -> None:
        """Go on with what ``ingredients`` gave in another process."""
        size = len(self._variables)
        self._kept = [
            _Ingredient(loss, epoch, weights[number * size : (number + 1) * size])
            for number, (loss, epoch) in enumerate(figures)
        ]

    def cook(self, judge: Callable[[], Mapping[str, float]]) -> None:
        """Begin with the best epoch, and take in each next one by which validation does not get worse.

        The variables are then those of the average; ``epochs`` says whose it is, the best first, and
        ``figures`` what it reaches; none where no average was as good as the best epoch.

        Args:
            judge: Gives what the variables reach now on validation, ``val_loss`` among it.
        """
        chosen = self._kept[:1]
        figures: dict[str, float] = {}
        for each in self._kept[1:]:
            self._pour([*chosen, each])
            found = judge()
            if found["val_loss"] <= figures.get("val_loss", chosen[0].loss):
                chosen, figures = [*chosen, each], dict(found)
        if chosen:
            self._pour(chosen)
        self.epochs = tuple(each.epoch for each in chosen) if figures else ()
        self.figures = figures
        self._kept = []

    def _pour(self, ingredients: Sequence[_Ingredient]) -> None:
        for variable, *values in zip(self._variables, *(each.weights for each in ingredients), strict=True):
            # In float64: what did not move is the same to the bit.
            variable.assign(np.mean(values, axis=0, dtype=np.float64).astype(values[0].dtype))

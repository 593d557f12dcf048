"""Numbers rather than classes: one or several a picture, in their own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from tfxfer.errors import SettingError
from tfxfer.heads.outputs import check_dropout, dense_outputs

__all__ = ["Regression"]


@dataclass(frozen=True, slots=True)
class Regression:
    """The head of a model that reads numbers off a picture.

    The dense layer learns each number as so many deviations from its mean, whatever its unit; the last layer
    brings it back to its own.

    Attributes:
        means: Mean of each number over the training pictures, at least one.
        deviations: Standard deviation of each, above 0.
        dropout: Share of features switched off in training, in [0, 1).

    Raises:
        SettingError: A number out of range, or not as many deviations as means.
    """

    means: tuple[float, ...] = (0.0,)
    deviations: tuple[float, ...] = (1.0,)
    dropout: float = 0.2

    metrics: ClassVar[tuple[str, ...]] = ("mean_absolute_error",)

    def __post_init__(self) -> None:
        if not self.means or len(self.means) != len(self.deviations):
            raise SettingError(
                "regression needs one mean and one deviation a number, got "
                f"{len(self.means)} and {len(self.deviations)}."
            )
        if min(self.deviations) <= 0:
            raise SettingError(f"deviations must be above 0, got {min(self.deviations):g}.")
        check_dropout(self.dropout)

    @property
    def loss(self) -> Callable[..., Any]:
        """Mean squared error in deviations, so that no number outweighs another by its unit."""
        scale = np.asarray(self.deviations, np.float32)

        def standardised_squared_error(truth: Any, said: Any) -> Any:
            return keras.ops.mean(keras.ops.square((truth - said) / scale), axis=-1)

        return standardised_squared_error

    def apply(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Put the head on a feature map, or on features that are pooled already.

        Args:
            features: Shape (batch, height, width, channels) or (batch, channels).

        Returns:
            Numbers in their own units, shape (batch, numbers), float32.
        """
        # From zero, so that the first guess is the mean: a random one is many deviations off.
        x = dense_outputs(features, outputs=len(self.means), dropout=self.dropout, start="zeros")
        return keras.layers.Rescaling(
            list(self.deviations), offset=list(self.means), dtype="float32", name="head_scores"
        )(x)

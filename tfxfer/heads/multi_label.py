"""Any number of classes a picture: one probability each, whatever the others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras

from tfxfer.errors import SettingError
from tfxfer.heads.outputs import check_dropout, dense_outputs

__all__ = ["MultiLabel"]


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """The head of a model whose pictures each show none, one or several of its classes.

    It learns from vectors of 0 and 1, shape (batch, classes), float32.

    Attributes:
        classes: Number of classes, at least 1.
        dropout: Share of features switched off in training, in [0, 1).

    Raises:
        SettingError: A number out of range.
    """

    classes: int
    dropout: float = 0.2

    loss: ClassVar[str] = "binary_crossentropy"
    metrics: ClassVar[tuple[str, ...]] = ("binary_accuracy",)

    def __post_init__(self) -> None:
        if self.classes < 1:
            raise SettingError(f"classes must be at least 1, got {self.classes}.")
        check_dropout(self.dropout)

    def apply(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Put the head on a feature map, or on features that are pooled already.

        Args:
            features: Shape (batch, height, width, channels) or (batch, channels).

        Returns:
            Probabilities, shape (batch, classes), float32; the layer before holds the logits.
        """
        logits = dense_outputs(features, outputs=self.classes, dropout=self.dropout)
        return keras.layers.Activation("sigmoid", dtype="float32", name="head_scores")(logits)

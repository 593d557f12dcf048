"""One class a picture: probabilities that sum to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras

from tfxfer.errors import SettingError
from tfxfer.heads.outputs import check_dropout, dense_outputs

__all__ = ["SingleLabel"]


@dataclass(frozen=True, slots=True)
class SingleLabel:
    """The head of a classifier whose pictures each show one class.

    Attributes:
        classes: Number of classes, at least 2.
        dropout: Share of features switched off in training, in [0, 1).
        loss: For class indices, in nats.
        soft_loss: The same for shares of classes, which mixed pictures have.
        metrics: What is counted beside it, of indices and of shares alike.

    Raises:
        SettingError: A number out of range.
    """

    classes: int
    dropout: float = 0.2

    loss: ClassVar[str] = "sparse_categorical_crossentropy"
    soft_loss: ClassVar[str] = "categorical_crossentropy"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise SettingError(f"classes must be at least 2, got {self.classes}.")
        check_dropout(self.dropout)

    def apply(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Put the head on a feature map, or on features that are pooled already.

        Args:
            features: Shape (batch, height, width, channels) or (batch, channels).

        Returns:
            Probabilities, shape (batch, classes), float32; the layer before holds the logits.
        """
        logits = dense_outputs(features, outputs=self.classes, dropout=self.dropout)
        return keras.layers.Softmax(dtype="float32", name="head_scores")(logits)

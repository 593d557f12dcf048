"""Focal loss for class indices: what is already right counts for less."""

from __future__ import annotations

from typing import Any

import keras

from tfxfer.errors import SettingError

__all__ = ["SparseFocalCrossentropy"]


class SparseFocalCrossentropy(keras.losses.Loss):
    """Cross-entropy of the true class, times (1 - p) ** gamma: p is the probability that it is given.

    Keras has it for one-hot labels; this is the same for class indices, without a weight of classes (alpha).

    Args:
        gamma: How much less a picture counts that is nearly right; at least 0, where 0 is cross-entropy.
        **settings: ``reduction``, ``name`` and ``dtype``, as of ``keras.losses.Loss``.

    Raises:
        SettingError: ``gamma`` is below 0.

    Source:
        Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 4; gamma = 2 worked best there.

    >>> scores = keras.ops.array([[0.1, 0.9], [0.1, 0.9]])
    >>> round(float(SparseFocalCrossentropy()([1, 0], scores)), 4)  # (0.01 * 0.1054 + 0.81 * 2.3026) / 2
    0.9331
    """

    def __init__(self, gamma: float = 2.0, **settings: Any) -> None:
        if gamma < 0:
            raise SettingError(f"gamma must be at least 0, got {gamma:g}; 0 is plain cross-entropy.")
        super().__init__(**{"name": "sparse_focal_crossentropy", **settings})
        self.gamma = gamma

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a picture.

        Args:
            y_true: Class indices, shape (batch,) or (batch, 1).
            y_pred: Probabilities, shape (batch, classes).

        Returns:
            Losses, shape (batch,).
        """
        indices = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,))
        return keras.losses.categorical_focal_crossentropy(
            keras.ops.one_hot(indices, y_pred.shape[-1]), y_pred, alpha=1.0, gamma=self.gamma
        )

    def get_config(self) -> dict[str, Any]:
        """Return what it can be made again from."""
        return {**super().get_config(), "gamma": self.gamma}

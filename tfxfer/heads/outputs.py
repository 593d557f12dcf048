"""What every head begins with: one vector a picture, and a dense layer on it."""

from __future__ import annotations

import keras

from tfxfer.errors import SettingError

__all__ = ["check_dropout", "dense_outputs"]


def dense_outputs(
    features: keras.KerasTensor, *, outputs: int, dropout: float, start: str = "glorot_uniform"
) -> keras.KerasTensor:
    """Pool a feature map, or take features that are pooled already, and weigh them.

    Args:
        features: Shape (batch, height, width, channels) or (batch, channels).
        outputs: How many numbers a picture gets.
        dropout: Share of features switched off in training, in [0, 1).
        start: What the kernel begins with, as Keras's initializers are called.

    Returns:
        Logits, shape (batch, outputs).
    """
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(name="head_pool")(features)
    x = keras.layers.Dropout(dropout, name="head_dropout")(features)
    return keras.layers.Dense(outputs, kernel_initializer=start, name="head_logits")(x)


def check_dropout(dropout: float) -> None:
    """Refuse a share that leaves nothing.

    Raises:
        SettingError: It is not in [0, 1).
    """
    if not 0 <= dropout < 1:
        raise SettingError(f"dropout must be in [0, 1), got {dropout:g}.")

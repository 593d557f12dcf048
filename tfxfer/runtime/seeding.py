"""One seed for everything that draws lots."""

from __future__ import annotations

import keras

from tfxfer.errors import SettingError

__all__ = ["set_seed"]


def set_seed(seed: int) -> None:
    """Seed Python's ``random``, NumPy and TensorFlow, for the whole process.

    Args:
        seed: In 0..2**32 - 1.

    Raises:
        SettingError: Out of that range.
    """
    if not 0 <= seed < 2**32:
        raise SettingError(f"seed must be between 0 and {2**32 - 1}, got {seed}.")
    keras.utils.set_random_seed(seed)

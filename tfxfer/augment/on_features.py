"""What changes what a network made of a picture, instead of the picture: feature augmentation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tfxfer.config import check_types
from tfxfer.errors import SettingError

__all__ = ["FroFA", "choose_feature_augmentation"]


@dataclass(frozen=True, slots=True)
class FroFA:
    """Change by chance how bright each channel of a feature map is: frozen feature augmentation.

    Each channel of the map that a frozen backbone makes of a picture is brought to 0..1 by its own smallest
    and largest number, is made brighter or darker by a number of its own, held within 0..1, and brought back
    (brightness by the paper's c²FroFA). A head that learns alone learns from such maps beside the map as it
    is; to make one takes no run of the backbone. To change what top blocks get as well gave no more accuracy
    on two data sets, and no more did to mirror, shift and blur it by noise, as LOFF-TA does.

    Attributes:
        strength: The most that a channel gets brighter or darker, as a share of its range, above 0 and at
            most 1.

    Raises:
        SettingError: The strength is out of range, or no number.

    Source:
        Bär et al. 2024, https://arxiv.org/abs/2403.10519. LOFF-TA: Konuk et al. 2024,
        https://arxiv.org/abs/2410.02527.

    >>> FroFA().changed(np.ones((2, 2, 3), np.float32), seed=0).shape
    (2, 2, 3)
    """

    strength: float = 0.3

    name: ClassVar[str] = "frofa"

    def __post_init__(self) -> None:
        check_types(self, " of FroFA")
        if not 0 < self.strength <= 1:
            raise SettingError(f"strength of FroFA must be above 0 and at most 1, got {self.strength:g}.")

    def __str__(self) -> str:
        return f"{self.name}(strength={self.strength:g})"

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what it does."""
        return hashlib.sha256(f"{self}, 1".encode()).hexdigest()

    def changed(self, features: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
        """Change a map.

        Args:
            features: Shape (height, width, channels).
            seed: What chance is drawn from, at least 0.

        Returns:
            The changed map, of the same shape; each channel keeps to its range.
        """
        low, high = features.min((0, 1)), features.max((0, 1))
        most = self.strength * (high - low)
        lots = np.random.default_rng(seed).uniform(-1, 1, (features.shape[-1],))
        return np.asarray(np.clip(features + lots * most, low, high), np.float32)


def choose_feature_augmentation(augment: Any) -> FroFA | None:
    """Return the feature augmentation that is meant, if one is.

    Args:
        augment: Its name, it, or as a recipe's file has it: its ``"name"`` and its ``"strength"``; or
            anything else that training pictures go through.

    Returns:
        It; None for anything else.

    Raises:
        SettingError: A table that is none of a feature augmentation's.

    >>> choose_feature_augmentation("frofa"), choose_feature_augmentation("light")
    (FroFA(strength=0.3), None)
    """
    if isinstance(augment, FroFA):
        return augment
    if augment == FroFA.name:
        return FroFA()
    if not isinstance(augment, Mapping):
        return None
    if set(augment) != {"name", "strength"} or augment["name"] != FroFA.name:
        raise SettingError(f"augment as a table has the name 'frofa' and a strength, got {dict(augment)}.")
    return FroFA(augment["strength"])

"""How far an exported file may be from its model in what it knows and what is none of the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tfxfer.exports.parity import PARITY_BOUND

__all__ = ["KnownYardstick"]


@dataclass(frozen=True, slots=True, eq=False)
class KnownYardstick:
    """What a model says of pictures, from 0 on that they show one of its classes.

    Attributes:
        expected: The model's own, shape (pictures,), float32.
        spread: What a difference is measured in: the standard deviation over validation pictures.
    """

    expected: npt.NDArray[np.float32]
    spread: float

    def complaint(self, said: npt.NDArray[np.float32]) -> str:
        """Say what of a file is past the bound; nothing where it is within it.

        Args:
            said: What the file says of the same pictures.
        """
        scale = self.spread or 1.0
        largest = float((np.abs(said.astype(np.float64) - self.expected) / scale).max())
        decided = np.abs(self.expected) / scale > PARITY_BOUND
        others = int(np.sum(((said >= 0) != (self.expected >= 0)) & decided))
        # Written so that NaN, which compares with nothing, is refused.
        if not others and largest <= PARITY_BOUND:
            return ""
        return (
            f"disagrees with the model on whether {others} of {len(said)} pictures show any of the classes "
            f"(largest difference {largest:.2g} standard deviations, bound {PARITY_BOUND:g})"
        )

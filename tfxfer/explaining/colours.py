"""Colours that tell how much, to colour-blind eyes and in grey print too."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["viridis"]


def viridis(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Colour numbers from dark violet over green to yellow; lighter is more.

    Args:
        values: Any shape of two axes, in 0..1.

    Returns:
        RGB, one axis more, uint8.

    >>> viridis(np.array([[0, 1]], np.float32)).tolist()
    [[[68, 1, 84], [253, 231, 37]]]
    """
    levels = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1], np.uint8)

"""What the colours of pictures tell, without looking at what they show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import Part
from tfxfer.data import Photos

__all__ = ["colour_histograms", "histogram"]

_BINS = 8
_SIDE = 64


def colour_histograms(photos: Photos, part: Part) -> npt.NDArray[np.float32]:
    """Return how much of each colour the pictures of a part have, in the order of its records.

    Args:
        photos: The data set; each picture is decoded once.
        part: Which part.

    Returns:
        Shape (pictures, 24): of each channel, which share of the pixels is in each eighth of 0..255.
    """
    batches = photos.batches(part, image_size=_SIDE, shuffle=False, cache="none")
    return np.concatenate([histogram(pixels) for pixels, _ in batches.as_numpy_iterator()])


def histogram(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Count colours, channel by channel.

    Args:
        pixels: Shape (pictures, height, width, 3), 0..255.

    Returns:
        Shares, shape (pictures, 24), each eight of which sum to 1.

    >>> histogram(np.zeros((1, 2, 2, 3), np.uint8))[0, ::8].tolist()
    [1.0, 1.0, 1.0]
    """
    bins = pixels.reshape(len(pixels), -1, 3) // (256 // _BINS)
    shares = [(bins == place).mean(axis=1) for place in range(_BINS)]
    return np.stack(shares, axis=-1).reshape(len(pixels), -1).astype(np.float32)

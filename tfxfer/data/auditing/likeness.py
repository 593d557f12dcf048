"""Which of many pictures look alike, by their perceptual hashes and by what they are in small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["AGREEMENT", "near_groups"]

AGREEMENT = 0.95
"""Correlation, in small, that pictures need beside near hashes: X-rays, or letters, all hash alike."""

_PAIRS_AT_ONCE = 1 << 22


def near_groups(
    looks: Sequence[int], small: Sequence[npt.NDArray[np.uint8]], *, bits: int
) -> list[list[int]]:
    """Group pictures that are linked by near pairs.

    A pair is near where the hashes differ in at most ``bits`` bits, and the pictures in small correlate
    by 0.95 or more. Every pair's hashes are compared, by XOR and a count of ones, in blocks: n²/2
    comparisons of 8 bytes, with memory that does not grow with n²; the pictures only where the
    hashes are near. A group is all that a chain of near pairs connects.

    Args:
        looks: Hashes of 64 bits.
        small: As many small grey pictures, flat, all of one size.
        bits: How many bits may differ in a pair, in 0..64.

    Returns:
        Groups of at least two indices into ``looks``, ascending, each index in at most one.

    >>> slope = np.arange(256, dtype=np.uint8)
    >>> near_groups([0b0000, 0b0001, 0b0111, 0b1111], [slope] * 4, bits=1)
    [[0, 1], [2, 3]]
    >>> near_groups([0b0000, 0b0001], [slope, slope[::-1]], bits=1)
    []
    """
    members: dict[int, list[int]] = {}
    if len(looks) > 1:
        for index, name in enumerate(_linked(np.asarray(looks, np.uint64), _unit(small), bits).tolist()):
            members.setdefault(name, []).append(index)
    return [indices for indices in members.values() if len(indices) > 1]


def _unit(small: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Bring pictures to mean 0 and length 1, so that products are correlations; even grey stays 0."""
    pixels = np.asarray(small, np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    length = np.linalg.norm(pixels, axis=1, keepdims=True)
    return (pixels / np.where(length > 0, length, 1)).astype(np.float32)


def _linked(looks: npt.NDArray[np.uint64], unit: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int64]:
    """Name each picture's group by its smallest index."""
    names = np.arange(len(looks))
    rows = max(1, _PAIRS_AT_ONCE // len(looks))
    for start in range(0, len(looks), rows):
        block = looks[start : start + rows]
        # Of the square, only what lies before the block and the block itself.
        near = np.bitwise_count(block[:, None] ^ looks[None, : start + len(block)]) <= bits
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            others = np.flatnonzero(near[row])
            agreeing = others[unit[others] @ unit[start + row] >= AGREEMENT]
            joined = np.unique(np.append(names[agreeing], names[start + row]))
            if len(joined) > 1:
                names[np.isin(names, joined)] = joined[0]
    return names

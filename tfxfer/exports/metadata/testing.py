"""A .tflite file is tested by what it carries: does it say here what it said where it was made?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfxfer.errors import BundleError
from tfxfer.exports.litert import LiteRTModel
from tfxfer.exports.metadata.golden import from_png
from tfxfer.exports.metadata.read import read_metadata

__all__ = ["self_test"]


def self_test(path: str | Path) -> float:
    """Run a .tflite file on the golden pictures in it, with LiteRT, and compare with the scores in it.

    Args:
        path: A .tflite file that tfxfer exported.

    Returns:
        The largest difference of any score; 0 where this machine computes as the one that exported it. Of
        float32 files, rounding alone gives some 1e-6; of int8 files a step of a score is 1/256.

    Raises:
        BundleError: The file cannot be read, is not what was exported, or has no golden vectors.
    """
    golden = read_metadata(path).golden
    if not golden:
        raise BundleError(f"{path} has no golden vectors in it; export it again.")
    model = LiteRTModel(path)
    expected = np.array([vector.scores for vector in golden], np.float32)
    return float(np.abs(np.stack([model.scores(from_png(vector.png)) for vector in golden]) - expected).max())

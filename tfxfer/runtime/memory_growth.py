"""TensorFlow is to take a GPU's memory as it needs it, and leave the rest to others."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

__all__ = ["SWITCH", "let_memory_grow"]

SWITCH = "TF_FORCE_GPU_ALLOW_GROWTH"


def let_memory_grow(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have TensorFlow take a GPU's memory bit by bit, unless somebody has said otherwise.

    TensorFlow reads it when its devices begin, which is at its first operation; whoever begins them before
    tfxfer is imported keeps what they chose. Without it, TensorFlow takes nearly the whole memory at once.

    Args:
        environment: Where it is said; ``TF_FORCE_GPU_ALLOW_GROWTH=false`` in it stays.

    Source:
        https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth

    >>> environment = {}
    >>> let_memory_grow(environment)
    >>> environment
    {'TF_FORCE_GPU_ALLOW_GROWTH': 'true'}
    """
    environment.setdefault(SWITCH, "true")

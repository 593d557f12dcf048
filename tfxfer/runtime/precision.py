"""In which numbers a model trains: what the hardware multiplies fastest and is exact enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import get_args

import tensorflow as tf

from tfxfer.contracts import PRECISIONS, Precision
from tfxfer.errors import SettingError, did_you_mean

__all__ = ["check_precision", "choose_precision", "precision_for", "whole_float32"]


def check_precision(name: str) -> None:
    """Refuse what is no precision.

    Raises:
        SettingError: It is none.
    """
    if name not in PRECISIONS:
        hint = did_you_mean(name, PRECISIONS) or "."
        raise SettingError(f"no precision {name!r}{hint} There are {', '.join(PRECISIONS)}.")


def choose_precision(name: str = "auto") -> Precision:
    """Say what to train in: ``"auto"`` goes by this machine's GPUs, anything else stays.

    Args:
        name: ``"auto"``, ``"float32"``, ``"mixed_float16"`` or ``"mixed_bfloat16"``.

    Returns:
        One of the latter three.

    Raises:
        SettingError: No such precision.

    >>> choose_precision("mixed_bfloat16")
    'mixed_bfloat16'
    """
    check_precision(name)
    if name != "auto":
        return next(each for each in get_args(Precision) if each == name)
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return precision_for([each.get("compute_capability", (0, 0)) for each in details])


def precision_for(capabilities: Sequence[tuple[int, int]]) -> Precision:
    """Say what suits GPUs of these compute capabilities, all of them together.

    From 8.0 on they multiply bfloat16, which has float32's range and needs no scaling of losses; those of 7
    multiply float16; older ones, and CPUs, gain little or nothing by either.

    Args:
        capabilities: One a GPU, such as (8, 6); none for a CPU.

    Source:
        https://docs.nvidia.com/deeplearning/performance/mixed-precision-training and, for the capabilities,
        https://www.tensorflow.org/guide/mixed_precision.

    >>> precision_for([(9, 0), (8, 0)]), precision_for([(8, 0), (7, 5)]), precision_for([])
    ('mixed_bfloat16', 'mixed_float16', 'float32')
    """
    least = min(capabilities, default=(0, 0))
    if least >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if least >= (7, 0) else "float32"


@contextmanager
def whole_float32() -> Iterator[None]:
    """Have float32 computed whole for a while: on some GPUs TensorFlow rounds factors to 10 bits (TF32)."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)

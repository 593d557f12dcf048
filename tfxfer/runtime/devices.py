"""Which devices a model trains on: one, or all of one machine together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

import tensorflow as tf

from tfxfer.contracts import STRATEGIES
from tfxfer.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    import keras

__all__ = ["check_strategy", "scope_of", "strategy", "strategy_of"]


@contextmanager
def strategy(name: str = "auto") -> Iterator[tf.distribute.Strategy]:
    """Have what is built and compiled inside train on one device, or on all GPUs of this machine.

    On several, each holds the whole model; a batch, whose size is that of all devices together, is shared
    out among them, and their gradients are summed before each step. ``tfxfer.fit`` shares an uneven last
    batch so that each picture counts as on one device; Keras's own ``fit`` does not quite, unless the
    batches go through ``tfxfer.runtime.distributed``.

    Where there is no GPU and TensorFlow was told to make several logical ones of its CPU, those are taken.

    Args:
        name: ``"auto"``, all GPUs where there are several, else one device; ``"none"``, TensorFlow's first
            device; ``"mirrored"``, all of them, as ``tf.distribute.MirroredStrategy``.

    Returns:
        A context, which gives the strategy; its ``num_replicas_in_sync`` says how many devices there are.

    Raises:
        SettingError: No such strategy, or ``"mirrored"`` where there is but one device.

    >>> with strategy("none") as devices:
    ...     devices.num_replicas_in_sync
    1
    """
    check_strategy(name)
    names = () if name == "none" else _several("GPU") or (_several("CPU") if name == "mirrored" else ())
    if not names:
        yield tf.distribute.get_strategy()
        return
    mirrored = _mirrored(names)
    with mirrored.scope():
        yield mirrored


def check_strategy(name: str) -> None:
    """Refuse what is no strategy, or cannot be on this machine.

    Raises:
        SettingError: No such strategy, or ``"mirrored"`` where there is but one device.
    """
    if name not in STRATEGIES:
        hint = did_you_mean(name, STRATEGIES) or "."
        raise SettingError(f"no strategy {name!r}{hint} There are {', '.join(STRATEGIES)}.")
    if name == "mirrored" and not (_several("GPU") or _several("CPU")):
        gpus = len(tf.config.list_logical_devices("GPU"))
        raise SettingError(
            f"strategy 'mirrored' is for several devices, and TensorFlow sees {gpus} GPU{'s' * (gpus != 1)}; "
            "leave it out, or take 'auto'."
        )


def strategy_of(model: keras.Model) -> tf.distribute.Strategy:
    """Say which strategy a model was built under, by its variables.

    Raises:
        SettingError: One that ``fit`` cannot run: over several machines, or TPUs; or another than the one in
            whose scope this is called.
    """
    here = tf.distribute.get_strategy()
    held = [getattr(variable.value, "distribute_strategy", None) for variable in model.weights]
    found = next((each for each in held if each is not None), None)
    if found is None and here.num_replicas_in_sync > 1:
        raise SettingError(
            f"the model was built on one device, and this is the scope of {type(here).__name__} over "
            f"{here.num_replicas_in_sync}; build it in that scope too."
        )
    if found is None:
        return here
    if found.num_replicas_in_sync > 1 and type(found) is not tf.distribute.MirroredStrategy:
        raise SettingError(
            f"the model was built under {type(found).__name__}, which Keras 3 cannot fit by; build it within "
            "tfxfer.strategy(), for the devices of one machine."
        )
    return found


def scope_of(devices: tf.distribute.Strategy) -> AbstractContextManager[object]:
    """Return the scope in which models for several devices are made and compiled; for one, there is none."""
    scope: AbstractContextManager[object] = (
        devices.scope() if devices.num_replicas_in_sync > 1 else nullcontext()
    )
    return scope


def _several(kind: str) -> tuple[str, ...]:
    """Name all devices of a kind, if there are at least two."""
    names = tuple(device.name for device in tf.config.list_logical_devices(kind))
    return names if len(names) > 1 else ()


@cache
def _mirrored(names: tuple[str, ...]) -> tf.distribute.Strategy:
    """Make the one strategy of this process: a second one's collectives would clash with its own."""
    if "GPU" in names[0]:
        return tf.distribute.MirroredStrategy(names)
    return tf.distribute.MirroredStrategy(names, cross_device_ops=tf.distribute.ReductionToOneDevice())

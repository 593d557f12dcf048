"""What cannot be with several devices is refused by name before anything runs; their loss is as of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import ops

from tfxfer import augment as room
from tfxfer.config import Phase
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.training.methods.optimizers import own_turns

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, DeviceAugmentation, FroFA

__all__ = ["WholeLoss", "build_ahead", "built_by", "check_devices", "shared_losses"]

_WHOLE, _SHARED = "whole_loss", "shared_loss"


def check_devices(
    devices: tf.distribute.Strategy,
    phases: Sequence[Phase],
    photos: Photos,
    *,
    batch_size: int,
    augment: Augmentation | DeviceAugmentation | FroFA | None = None,
) -> None:
    """Refuse what several devices cannot do, or too little for them to share.

    Args:
        devices: The strategy.
        phases: What is to be run.
        photos: What it learns from.
        batch_size: Pictures a step, of all devices together.
        augment: What training pictures go through, or None.

    Raises:
        SettingError: A phase accumulates gradients or is taught by Co-Tuning; Keras's layers augment; or
            there are fewer pictures in a batch, or to validate on, than devices.
    """
    count = devices.num_replicas_in_sync
    if batch_size < 1:
        raise SettingError(f"batch_size must be at least 1, got {batch_size}.")
    if count == 1:
        return
    for phase in phases:
        if (turns := own_turns(phase)) > 1:
            raise SettingError(
                f"the optimizer of phase {phase.name!r} accumulates gradients over {turns} batches, which "
                f"Keras cannot on {count} devices; leave gradient_accumulation_steps out, or give strategy "
                "'none'."
            )
        if phase.co_tuning:
            raise SettingError(
                f"co_tuning of phase {phase.name!r} cannot be on {count} devices; leave it out, or give "
                "strategy 'none'."
            )
    if isinstance(augment, room.DeviceAugmentation):
        raise SettingError(
            f"augmentation {augment} draws by Keras's layers, which cannot on {count} devices; take a "
            "policy's name, which runs on the host, or give strategy 'none'."
        )
    pictures = len(photos.split.validation)
    for what, found in (("batch_size is", batch_size), ("the pictures to validate on are", pictures)):
        if found < count:
            raise SettingError(f"{what} {found}, fewer than the {count} devices that share them; give more.")


@contextmanager
def built_by(model: keras.Model, batch: tuple[Any, ...] | None) -> Iterator[None]:
    """Have a model for several devices built by one batch, whatever Keras would build it by.

    Keras takes a first batch for that off the training data, in an iteration of its own, and the mean of the
    devices' shares of it: the order of the epochs moves on by one, and shares of different sizes fail.
    Checked on 3.15.1; where Keras no longer asks for it, this does nothing.

    Args:
        model: What is fitted.
        batch: Inputs, targets and weights, of which only shapes and kinds count; None on one device.
    """
    if batch is None:
        yield
        return
    build = model._maybe_symbolic_build
    model._maybe_symbolic_build = lambda **_: build(data_batch=batch)
    try:
        yield
    finally:
        del model._maybe_symbolic_build


def build_ahead(model: keras.Model, batches: tf.data.Dataset) -> None:
    """Make on one device the variables of a compiled model's optimizer and metrics before its first step.

    Keras makes them within it, and TensorFlow then traces the step once more without: half of what short
    fits take. Checked on 3.15.1; a fit makes what is left out here.

    Args:
        model: A functional model, compiled.
        batches: What it is to be fitted on: tuples of inputs and targets.
    """
    model.optimizer.build(model.trainable_variables)
    if (metrics := model._compile_metrics) is not None and not metrics.built:
        targets = batches.element_spec[1]
        metrics.build(keras.KerasTensor(targets.shape, targets.dtype.name), model.outputs[0])


class WholeLoss(keras.callbacks.Callback):
    """Have the training loss be the mean over pictures for all callbacks after it, and for the log.

    Each share's loss is scaled, so that the mean over shares is the batch's; Keras's own figure weighs shares
    by their pictures once more, and so counts those more that are in larger ones.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002 Keras's own
        """Replace the part of it that is of pictures; penalties are in it as they are."""
        if logs is None:
            return
        if _WHOLE in logs:  # not where weights are but validated
            logs["loss"] += logs.pop(_WHOLE) - logs.pop(_SHARED)
        for name in (_WHOLE, _SHARED):
            logs.pop(f"val_{name}", None)


def shared_losses(loss: Any, class_weight: Mapping[int, float] | None) -> list[keras.metrics.Metric]:
    """Make the weighted metrics that ``WholeLoss`` goes by.

    Args:
        loss: What is minimized, as ``compile`` takes it.
        class_weight: Class index -> weight of its pictures in it, as ``in_shares`` took it.
    """
    return [_Loss(_WHOLE, loss, class_weight, scaled=False), _Loss(_SHARED, loss, class_weight, scaled=True)]


class _Loss(keras.metrics.Mean):
    """The mean loss of pictures in shares, as it is, or as the shares' weights scale it."""

    def __init__(
        self, name: str, loss: Any, class_weight: Mapping[int, float] | None, *, scaled: bool
    ) -> None:
        super().__init__(name)
        found = keras.losses.get(loss)
        self._losses = found.call if isinstance(found, keras.losses.Loss) else found
        self._by_class = class_weight
        self._scaled = scaled

    def update_state(self, truth: Any, said: Any, sample_weight: Any = None) -> None:
        """Take in a share; its weights are 0 for what it was filled up with."""
        each = self._losses(truth, said)
        weights = ops.ones_like(each) if sample_weight is None else sample_weight
        if self._scaled:
            super().update_state(each * weights)
            return
        if self._by_class:
            labels = ops.argmax(truth, -1) if len(truth.shape) == 2 else truth
            table = [self._by_class.get(label, 1.0) for label in range(max(self._by_class) + 1)]
            each *= ops.take(ops.convert_to_tensor(table, each.dtype), ops.cast(labels, "int32"))
        super().update_state(each, sample_weight=ops.cast(weights > 0, each.dtype))

"""Which layers learn: by head, stage, number of blocks or slice; BatchNorm held layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Literal, SupportsIndex, TypeAlias, get_args

import keras

from tfxfer.backbones import HubLayer, HubUnit, layers_within
from tfxfer.errors import SettingError
from tfxfer.models.anatomy import HEAD, Anatomy, Piece

__all__ = ["BatchNorm", "Learning", "PartLearning", "What", "choose_layers", "set_trainable"]

What: TypeAlias = str | SupportsIndex | slice
BatchNorm = Literal["frozen", "train"]


@dataclass(frozen=True, slots=True)
class PartLearning:
    """How much of one part of a model learns.

    Attributes:
        name: Stage name, or ``"head"``.
        layers: Layers that hold parameters.
        learning_layers: Of these, how many learn.
        parameters: Parameters in all.
        learning_parameters: Of these, how many learn.
    """

    name: str
    layers: int
    learning_layers: int
    parameters: int
    learning_parameters: int


@dataclass(frozen=True, slots=True)
class Learning:
    """What of a model learns now; printed, it is a small table.

    Attributes:
        parts: One row a stage, from the pixels to the head, then the head.
        batch_norm: ``"frozen"`` or ``"train"``: what the backbone's BatchNorm layers do.
    """

    parts: tuple[PartLearning, ...]
    batch_norm: BatchNorm

    @property
    def parameters(self) -> int:
        """Number of parameters that learn."""
        return sum(part.learning_parameters for part in self.parts)

    @property
    def layers(self) -> int:
        """Number of layers that learn."""
        return sum(part.learning_layers for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The parts in which something learns."""
        return tuple(part.name for part in self.parts if part.learning_layers)

    def __str__(self) -> str:
        total = sum(part.parameters for part in self.parts)
        layers = sum(part.layers for part in self.parts)
        rows = [f"{'part':<20}{'layers learning':>18}{'parameters learning':>28}"]
        for part in (
            *self.parts,
            PartLearning("in all", layers, self.layers, total, self.parameters),
        ):
            share = f"{part.learning_layers} of {part.layers}"
            count = f"{part.learning_parameters:,} of {part.parameters:,}"
            rows.append(f"{part.name:<20}{share:>18}{count:>28}")
        return "\n".join([*rows, f"BatchNorm of the backbone: {self.batch_norm}"])


def set_trainable(model: keras.Model, what: What, *, batch_norm: BatchNorm = "frozen") -> Learning:
    """Say which layers of a model learn from now on; the head always does.

    The model must be compiled afterwards: Keras goes on with what was set at its last ``compile``,
    without a word, so that state is taken away and ``fit`` refuses until it is compiled again.

    Args:
        model: A model from ``tfxfer.build``.
        what: What of the backbone learns:

            - ``"head"``: nothing.
            - ``"all"``: everything.
            - ``-2``: the two top stages; any number below 0.
            - ``"block_13"``: one stage. ``"block_13:"``: it and all above. ``":block_3"``: it and all
              below. ``"block_3:block_7"``: both ends and all between.
            - ``slice(-30, None)``: a slice of the backbone's layers, from the pixels to the head.
        batch_norm: ``"frozen"`` keeps every BatchNorm layer of the backbone in inference, statistics,
            gamma and beta; ``"train"`` lets those among the learning layers learn. A module of
            TensorFlow Hub trains all of them or none, so it takes ``"train"`` with ``"all"`` alone.

    Returns:
        What learns now.

    Raises:
        SettingError: No such stage, a number that is not below 0, or a choice that could not learn.

    >>> from tfxfer.models import build
    >>> model = build(classes=3, backbone="micro", image_size=32)
    >>> set_trainable(model, "head").names
    ('head',)
    """
    if batch_norm not in get_args(BatchNorm):
        raise SettingError(f"batch_norm must be 'frozen' or 'train', got {batch_norm!r}.")
    anatomy = Anatomy.of(model)
    chosen = choose_layers(anatomy, what, batch_norm=batch_norm)
    if anatomy.hub:
        units = [unit.name for unit in chosen if isinstance(unit, HubUnit)]
        anatomy.hub.batch_norm = batch_norm if units else "frozen"
        anatomy.hub.learn(units)
    learning = {id(layer) for layer in chosen}
    model._trainable = True  # by the setter, Keras would set every layer; checked on 3.15.1
    for layer in anatomy.backbone:
        if not isinstance(layer, HubUnit):
            # One by one: what a loaded layer is made of need not agree with it, and Keras passes over an
            # attribute that is set to what it was.
            for inner in layers_within(layer):
                inner.trainable = id(layer) in learning
            if batch_norm == "frozen":
                _hold_batch_norm(layer)
    for layer in anatomy.head:
        layer.trainable = True
    _forget_compile(model)
    parts = tuple(_part_learning(name, layers) for name, layers in anatomy.parts.items())
    return Learning(parts, batch_norm)


def choose_layers(anatomy: Anatomy, what: What, *, batch_norm: BatchNorm = "frozen") -> Sequence[Piece]:
    """Return the layers of the backbone that a choice names, as in ``set_trainable``; change nothing.

    Raises:
        SettingError: The choice is none, holds nothing that could learn, or is not one that a module of
            TensorFlow Hub leaves.
    """
    if isinstance(what, str) and what == HEAD:
        return ()
    if anatomy.hub:
        _check_hub(anatomy, anatomy.hub, what, batch_norm)
    if isinstance(what, str):
        if what == "all":
            return anatomy.backbone
        names = _stage_range(anatomy, what)
        return _worth_learning([layer for name in names for layer in anatomy.stages[name]], what)
    if isinstance(what, slice):
        return _worth_learning(anatomy.backbone[what], what)
    if isinstance(what, SupportsIndex):
        return _top_stages(anatomy, index(what))
    raise SettingError(
        f"what learns must be 'head', 'all', a stage, a number below 0 or a slice, got {what!r}."
    )


def _top_stages(anatomy: Anatomy, count: int) -> Sequence[Piece]:
    names = anatomy.stage_names
    if not -len(names) <= count < 0:
        raise SettingError(
            f"a number of top blocks must be between -1 and -{len(names)} for {anatomy.name}, "
            f"got {count}; 'head' is for none of them, 'all' for all."
        )
    return [layer for name in names[count:] for layer in anatomy.stages[name]]


def _stage_range(anatomy: Anatomy, what: str) -> tuple[str, ...]:
    names = anatomy.stage_names
    first, colon, last = what.partition(":")
    start = anatomy.stage_position(first) if first or not colon else 0
    if not colon:
        return (names[start],)
    stop = anatomy.stage_position(last) if last else len(names) - 1
    return names[start : stop + 1]


def _check_hub(anatomy: Anatomy, hub: HubLayer, what: What, batch_norm: BatchNorm) -> None:
    """Hold a choice against a module: one layer to Keras, its parts told by the names of its variables."""
    hub.check_trainable()
    hub.check_batch_norm(batch_norm)
    if isinstance(what, slice):
        raise SettingError(
            f"{what!r} counts layers, and a module of TensorFlow Hub is but one; choose among its stages: "
            f"{', '.join(anatomy.stages)}, or a number of them, 'head' or 'all'."
        )
    if batch_norm == "train" and what != "all":
        raise SettingError(
            f"batch_norm='train' moves every BatchNorm layer of a module of TensorFlow Hub, and {what!r} "
            "would freeze some; take 'all', or leave batch_norm='frozen'."
        )


def _worth_learning(layers: Sequence[Piece], what: What) -> Sequence[Piece]:
    """Return the layers, unless none of them would learn: BatchNorm may be held, others have no weights."""
    if not any(_could_learn(layer) for layer in layers):
        raise SettingError(
            f"{what!r} chooses no layer of the backbone that could learn; 'head' is for training the head "
            "alone."
        )
    return layers


def _could_learn(layer: Piece) -> bool:
    variables = layer.learnable if isinstance(layer, HubUnit) else layer.weights
    return bool(variables) and not _is_batch_norm(layer)


def _is_batch_norm(layer: Piece) -> bool:
    if isinstance(layer, HubUnit):
        return layer.is_batch_norm
    return isinstance(layer, keras.layers.BatchNormalization)


def _hold_batch_norm(layer: keras.layers.Layer) -> None:
    """Freeze a BatchNorm layer, or all that are within a layer."""
    for inner in layers_within(layer):
        if _is_batch_norm(inner):
            inner.trainable = False


def _forget_compile(model: keras.Model) -> None:
    """Make ``fit`` refuse until the next ``compile``, rather than train what was set before."""
    model.compiled = False
    model.train_function = None


def _part_learning(name: str, layers: Sequence[Piece]) -> PartLearning:
    holding = [layer for layer in layers if layer.weights]
    learning = [layer for layer in holding if layer.trainable_variables]
    return PartLearning(
        name=name,
        layers=len(holding),
        learning_layers=len(learning),
        parameters=sum(layer.count_params() for layer in holding),
        learning_parameters=sum(
            math.prod(variable.shape) for layer in learning for variable in layer.trainable_variables
        ),
    )

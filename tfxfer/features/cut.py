"""Where the frozen part of a model ends: a model is cut in two that share its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras

from tfxfer.backbones import HubLayer, HubUnit, layers_within
from tfxfer.models import HEAD, Anatomy, Piece

__all__ = ["Cut", "find_cut", "find_map", "joint_prefix", "multiply_adds"]

Node: TypeAlias = Any
"""One call of an operation in Keras's graph."""

_UNKNOWN_REUSE = 196
"""How often a weight of a layer within which nothing is known is taken to be used: on a map of 14 x 14."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A model in two, between what stays as it is and what learns.

    Attributes:
        names: The operations whose outputs cross the cut.
        prefix: Pictures, RGB in 0..255 of shape (batch, height, width, 3) -> the tensors that cross,
            a list; or the one that does.
        suffix: Those tensors -> what the model gives. Its layers are the model's own, so what it learns the
            model has learnt.
    """

    names: tuple[str, ...]
    prefix: keras.Model
    suffix: keras.Model

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the tensors that cross, for one picture."""
        return tuple(tuple(tensor.shape[1:]) for tensor in self.prefix.outputs)

    @property
    def numbers(self) -> int:
        """How many numbers cross for one picture."""
        return sum(map(math.prod, self.shapes))

    @property
    def for_head(self) -> bool:
        """Whether one vector a picture crosses, and nothing but the head has weights behind it."""
        others = (layer for layer in self.suffix.layers if not layer.name.startswith(HEAD))
        return [len(shape) for shape in self.shapes] == [1] and not any(layer.weights for layer in others)


def find_cut(model: keras.Model, *, learning: Collection[Piece] | None = None) -> Cut | None:
    """Cut a model where its frozen part ends.

    The prefix is all that depends on nothing that learns. It ends where the fewest numbers cross, save that
    no layer with weights is left to the suffix for that; where several tensors cross, as within a residual
    or a dense block, they all do. The head's dropout never is in the prefix, for it goes on drawing.

    The prefix is meant for inference alone. In ``keras.Model.fit``, a frozen layer that drops (EfficientNet's
    drop-connect, a transformer's dropout) goes on doing so; in the prefix it does not, nor in ``tfxfer.fit``.

    Args:
        model: A model from ``tfxfer.build``.
        learning: What of the backbone is to learn beside the head, as ``choose_layers`` gives it, without
            what is held still; None goes by what is trainable now.

    Returns:
        The cut, or None where no layer with weights stands still in front of all that learns.

    Raises:
        SettingError: The model has no head from ``tfxfer.build``.

    >>> from tfxfer.models import build
    >>> cut = find_cut(build(classes=3, backbone="micro", image_size=32))
    >>> cut.names, cut.shapes
    (('head_pool',), ((224,),))
    """
    head = Anatomy.of(model).head
    learns = _learns if learning is None else _will_learn(learning, head)
    nodes = _nodes(model)
    still = _still(model, nodes, learns, {id(layer) for layer in head})
    if not any(_weights(node) for node in still):
        return None
    place = _best_place(model, nodes, still)
    if place is None:
        return None
    crossing = _crossing(model, nodes, still[:place])
    prefix = keras.Model(model.inputs[0], crossing, name=f"{model.name}_prefix")
    suffix = keras.Model(crossing, model.outputs[0], name=f"{model.name}_suffix")
    return Cut(tuple(tensor._keras_history.operation.name for tensor in crossing), prefix, suffix)


def find_map(prefix: keras.Model) -> keras.Model | None:
    """Return what a frozen part does before it ends by pooling a feature map, if it does.

    Args:
        prefix: Pictures -> what crosses, as ``Cut.prefix`` is.

    Returns:
        Pictures -> the map, shape (batch, height, width, channels); or None.

    >>> from tfxfer.models import build
    >>> cut = find_cut(build(classes=3, backbone="micro", image_size=32))
    >>> find_map(cut.prefix).output_shape
    (None, 2, 2, 224)
    """
    last = prefix.outputs[0]._keras_history.operation
    if len(prefix.outputs) > 1 or not isinstance(last, keras.layers.GlobalAveragePooling2D):
        return None
    return keras.Model(prefix.inputs[0], last.input, name=prefix.name)


def joint_prefix(model: keras.Model, cuts: Sequence[Cut]) -> keras.Model:
    """Make one prefix of several, so that pictures run through it once for all.

    Args:
        model: The model that was cut.
        cuts: Its cuts, at least one.

    Returns:
        Pictures -> each tensor that crosses any of them, in the order of the cuts.
    """
    tensors = {id(tensor): tensor for cut in cuts for tensor in cut.prefix.outputs}
    return keras.Model(model.inputs[0], list(tensors.values()), name=f"{model.name}_prefix")


def multiply_adds(model: keras.Model) -> int:
    """Estimate the multiply-adds of a model for one picture, by the sizes of its kernels and maps.

    Args:
        model: A functional model.

    Returns:
        The estimate; what is within a layer that holds others, or a module, counts as if it were used on a
        map of 14 x 14.
    """
    return sum(_layer_multiply_adds(layer) for layer in model.layers)


def _layer_multiply_adds(layer: keras.Layer) -> int:
    kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    sizes: int = sum(math.prod(weight.shape) for weight in kernels)
    if not sizes or len(layers_within(layer)) > 1:
        return sizes * _UNKNOWN_REUSE
    shape: tuple[int, ...] = layer.output.shape
    return sizes * (math.prod(shape[1:-1]) if len(shape) > 2 else 1)


def _nodes(model: keras.Model) -> list[Node]:
    """Return the calls of a model's operations, each after those it depends on."""
    # Keras has no public way to its nodes; checked on 3.15.1.
    depths = sorted(model._nodes_by_depth.items(), reverse=True)
    return [node for _, nodes in depths for node in nodes if not node.is_input]


def _still(
    model: keras.Model, nodes: Iterable[Node], learns: Callable[[keras.Operation], bool], head: set[int]
) -> list[Node]:
    """Return the calls that give the same for the same picture however long is trained."""
    known = {id(tensor) for tensor in model.inputs}
    still = []
    for node in nodes:
        draws = id(node.operation) in head and isinstance(node.operation, keras.layers.Dropout)
        if not draws and not learns(node.operation) and {id(each) for each in node.input_tensors} <= known:
            still.append(node)
            known.update(id(tensor) for tensor in node.output_tensors)
    return still


def _learns(operation: keras.Operation) -> bool:
    if not isinstance(operation, keras.Layer):
        return False
    if operation.trainable_variables:
        return True
    # Without scale and offset it has nothing to train, and moves nevertheless.
    normalizations = (
        layer for layer in layers_within(operation) if isinstance(layer, keras.layers.BatchNormalization)
    )
    return any(layer.trainable for layer in normalizations)


def _will_learn(
    learning: Collection[Piece], head: Sequence[keras.Layer]
) -> Callable[[keras.Operation], bool]:
    chosen = {id(piece) for piece in (*learning, *head) if piece.weights}
    module = any(isinstance(piece, HubUnit) for piece in learning)

    def learns(operation: keras.Operation) -> bool:
        if not isinstance(operation, keras.Layer):
            return False
        if module and isinstance(operation, HubLayer):
            return True
        return any(id(layer) in chosen for layer in layers_within(operation))

    return learns


def _weights(node: Node) -> Sequence[keras.Variable]:
    return node.operation.weights if isinstance(node.operation, keras.Layer) else ()


def _best_place(model: keras.Model, nodes: Sequence[Node], still: Sequence[Node]) -> int | None:
    """Say how many of the still calls are the prefix; None where pictures themselves would cross."""
    best: tuple[int, int] | None = None
    for place in range(len(still), 0, -1):
        crossing = _crossing(model, nodes, still[:place])
        if not {id(tensor) for tensor in crossing} & {id(tensor) for tensor in model.inputs}:
            numbers = sum(math.prod(tensor.shape[1:]) for tensor in crossing)
            if best is None or numbers < best[0]:
                best = (numbers, place)
        if best and _weights(still[place - 1]):
            break
    return best[1] if best and any(map(_weights, still[: best[1]])) else None


def _crossing(model: keras.Model, nodes: Iterable[Node], before: Sequence[Node]) -> list[keras.KerasTensor]:
    """Return the tensors that the calls before hand to those after, in the order they are made."""
    inside = {id(node) for node in before}
    used = {id(tensor) for node in nodes if id(node) not in inside for tensor in node.input_tensors}
    used.update(id(tensor) for tensor in model.outputs)
    made = [*model.inputs, *(tensor for node in before for tensor in node.output_tensors)]
    return [tensor for tensor in made if id(tensor) in used]

"""The stages of a backbone that the catalogue does not hold, found in its graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import keras

from tfxfer.backbones.graph import cut_points
from tfxfer.backbones.hub.stages import block_of

__all__ = ["is_body", "layers_within", "survey"]

NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.UnitNormalization,
)


def survey(model: keras.Model) -> dict[str, tuple[keras.Layer, ...]]:
    """Sort the layers of a flat model's backbone into stages.

    Where layers are named after numbered blocks, these are the stages, between a ``stem`` and a ``top``.
    Else the graph is cut wherever all paths pass through one tensor, and each piece with a kernel is a
    stage, ``block_1`` and so on. A layer that holds a row of blocks, as an encoder does, is opened,
    and so is a model that is a layer.

    Args:
        model: Flat functional model; layers whose names start with ``head_`` or ``preprocess_`` are no
            part of the backbone.

    Returns:
        Stage name -> its layers, from the pixels to the head; together all that hold weights.
    """
    pieces = [(piece, cut) for layer, cut in _body(model) for piece, cut in _opened(layer, cut)]
    layers = [piece for piece, _ in pieces]
    names = _by_names(layers) or _by_cuts(layers, [cut for _, cut in pieces])
    stages: dict[str, tuple[keras.Layer, ...]] = {}
    for name, layer in zip(names, layers, strict=True):
        stages[name] = (*stages.get(name, ()), layer)
    return stages


def is_body(layer: keras.Layer) -> bool:
    """Say whether a layer is part of a model's backbone, rather than its input, scaling or head."""
    return not (isinstance(layer, keras.layers.InputLayer) or layer.name.startswith(("head_", "preprocess_")))


def layers_within(layer: keras.Layer) -> tuple[keras.Layer, ...]:
    """Return a layer and all that it is made of."""
    # Keras has no public way to the sublayers of a layer; checked on 3.15.1.
    return tuple(layer._flatten_layers())


def _body(model: keras.Model) -> list[tuple[keras.Layer, bool]]:
    """Return the backbone's layers in order, and whether the graph can be cut between it and the next."""
    cuts = {id(operation) for operation in cut_points(model)}
    layers: list[tuple[keras.Layer, bool]] = []
    cut = False
    for operation in reversed(model.operations):
        cut = cut or id(operation) in cuts
        if isinstance(operation, keras.Layer) and is_body(operation):
            layers.append((operation, cut))
            cut = False
    return layers[::-1]


def _opened(layer: keras.Layer, cut: bool) -> Iterator[tuple[keras.Layer, bool]]:
    """Yield a layer, or the parts of one that is a model, or a row of blocks without weights of its own."""
    if isinstance(layer, keras.Model):
        for part, open_after in _body(layer):
            yield from _opened(part, open_after)
        return
    parts = _parts(layer)
    blocks = [type(part) for part in parts if _parts(part)]
    inside = {id(variable) for part in parts for variable in part.weights}
    alike = any(blocks.count(kind) > 1 for kind in blocks)
    if type(layer).__module__.startswith("keras.") or not alike or len(inside) < len(layer.weights):
        yield layer, cut
        return
    for part in parts:
        yield from _opened(part, True)


def _parts(layer: keras.Layer) -> list[keras.Layer]:
    return list(layer._flatten_layers(include_self=False, recursive=False))


def _by_names(layers: Sequence[keras.Layer]) -> list[str]:
    """Name each layer's stage by numbered names; nothing where these do not tell."""
    blocks = [block_of(layer.name) for layer in layers]
    met = [block for block, after in pairwise([*blocks, None]) if block and block != after]
    if len(set(met)) < 2:
        return []
    last = max(place for place, block in enumerate(blocks) if block)
    # A normalization alone would be little to unfreeze.
    top = "top" if any(map(_has_kernel, layers[last + 1 :])) else blocks[last]
    names, now = [], "stem"
    for place, block in enumerate(blocks):
        now = block or (now if place < last else top or "top")
        names.append(now)
    order = [name for name, after in pairwise([*names, ""]) if name != after]
    return names if len(order) == len(set(order)) else []


def _by_cuts(layers: Sequence[keras.Layer], cuts: Sequence[bool]) -> list[str]:
    """Begin a stage with each piece between cuts that has a kernel, once the one before has one."""
    names: list[str] = []
    number, filled, start = 1, False, 0
    for end, cut in enumerate(cuts, start=1):
        if not (cut or end == len(layers)):
            continue
        kernel = any(_has_kernel(layer) for layer in layers[start:end])
        number += filled and kernel
        filled = filled or kernel
        names += [f"block_{number}"] * (end - start)
        start = end
    return names


def _has_kernel(layer: keras.Layer) -> bool:
    return bool(layer.weights) and not isinstance(layer, NORMALIZATIONS)

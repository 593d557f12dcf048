"""One flat graph for each backbone, whatever the session built before and whatever its weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import count

import keras
from keras import KerasTensor

from tfxfer.backbones.preprocess import DEVIATION

__all__ = [
    "PREPROCESSING",
    "christen",
    "copy_variables",
    "cut_points",
    "flat_operations",
    "layers_below",
    "model_name",
    "needs_settling",
    "output_within",
    "replayed",
    "settled",
    "steady_names",
]

Step = Callable[..., KerasTensor]

CHAINS = (keras.Sequential, keras.layers.Pipeline)
"""Layers in a row, without a graph."""

PREPROCESSING = (keras.layers.Rescaling, keras.layers.Normalization)
"""Layers that scale pixels."""


def settled(model: keras.Model, image: KerasTensor, *, standardise: bool = False) -> keras.Model:
    """Rebuild a functional model flat, with names that do not depend on the session.

    Keras numbers layers without a name of their own by all that the session built before, so the
    same backbone has other layer names the second time. Here they are numbered within the model,
    and layers inside a model within it are layers of the model itself.

    Args:
        model: Functional model from ``image`` to one feature map.
        image: Its input.
        standardise: Divide by the root of ImageNet's deviation behind the Normalization layer,
            where nothing does so yet: Keras builds that layer into EfficientNet only when it
            loads ImageNet weights itself (https://github.com/tensorflow/tensorflow/issues/49930).

    Returns:
        A functional model of new layers with the same variables.
    """
    call = _called_standardised if standardise and not _standardises(model) else _called
    return keras.Model(image, replayed(model, image, call=call), name=model.name)


def replayed(
    model: keras.Model,
    pixels: KerasTensor,
    *,
    left_out: tuple[type, ...] = (),
    fresh: bool = False,
    call: Step | None = None,
) -> KerasTensor:
    """Do with a tensor all that a model does, by new layers that lie flat.

    Args:
        model: Functional or Sequential model with one input and one output.
        pixels: What it is done to; its size may be another than the model's.
        left_out: Kinds of layers that hand on what they get.
        fresh: Whether the new layers keep their random weights; those that scale pixels never do.
        call: Calls a layer; None just calls it.

    Returns:
        The output. The layers are named by ``steady_names``, and hold the model's variables.

    Raises:
        ValueError: A layer does not fit that size.
    """
    names = steady_names(flat_operations(model))
    clones: dict[int, tuple[keras.Operation, keras.Operation]] = {}
    called = call or _called

    def step(operation: keras.Operation, *inputs: KerasTensor, **options: object) -> KerasTensor:
        if _is_graph(operation):
            # Keras hands a mask over too, always None here.
            return _run(operation, inputs[0] if inputs else options["inputs"], step)
        if isinstance(operation, left_out):
            return inputs[0]
        if id(operation) not in clones:
            clones[id(operation)] = (operation, _renamed(operation, names[operation.name]))
        return called(clones[id(operation)][1], *inputs, **options)

    output = _run(model, pixels, step)
    for old, new in clones.values():
        if isinstance(old, keras.Layer) and (not fresh or isinstance(old, PREPROCESSING)):
            copy_variables(old, new)
    return output


def needs_settling(model: keras.Model) -> bool:
    """Say whether a model has layers with automatic names or layers within layers."""
    operations = list(flat_operations(model))
    names = steady_names(operations)
    nested = any(_is_graph(layer) for layer in model.layers)
    return nested or any(name != steady for name, steady in names.items())


def flat_operations(model: keras.Model) -> Iterator[keras.Operation]:
    """Yield the operations of a model in the order an image meets them, nested models opened."""
    operations = model.layers if isinstance(model, CHAINS) else model.operations
    for operation in operations:
        if _is_graph(operation):
            yield from flat_operations(operation)
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation


def steady_names(operations: Iterable[keras.Operation]) -> dict[str, str]:
    """Give each operation a name that depends on the model alone.

    Args:
        operations: Operations in the order an image meets them.

    Returns:
        Name -> the same name where a person chose it, else ``body_<class>_<number>``, or
        ``preprocess_<class>_<number>`` for layers that scale pixels.
    """
    seen: Counter[str] = Counter()
    return {operation.name: _steady_name(operation, seen) for operation in operations}


def christen(model: keras.Model, *, reserved: Iterable[str]) -> None:
    """Name the operations of a model as ``steady_names`` does, and no two alike however they are nested.

    Args:
        model: Anybody's model; its operations get new names where they stand.
        reserved: Names that none may have. Nor does one begin with ``head_``, nor with ``preprocess_``
            unless it scales pixels.
    """
    seen: Counter[str] = Counter()
    taken = set(reserved)
    for operation in {id(operation): operation for operation in flat_operations(model)}.values():
        name = _steady_name(operation, seen)
        scales = isinstance(operation, PREPROCESSING)
        if name.startswith("head_") or (name.startswith("preprocess_") and not scales):
            name = f"body_{name}"
        operation.name = next(each for each in _variants(name) if each not in taken)
        taken.add(operation.name)


def model_name(form: str, words: str) -> str:
    """Make a name that Keras takes, out of any words; it begins with the form of backbone."""
    return f"{form}_" + re.sub(r"\W+", "_", words).strip("_").lower()


def copy_variables(old: keras.Layer, new: keras.Layer) -> None:
    """Copy what a layer and the layers it is made of have learnt.

    Raises:
        ValueError: The layers hold variables of other numbers or shapes.
    """
    variables: dict[str, object] = {}
    old.save_own_variables(variables)
    if len(variables) == len(old.weights):
        # set_weights would leave a Normalization layer stale.
        new.load_own_variables(variables)
    else:
        new.set_weights(old.get_weights())


def cut_points(model: keras.Model) -> tuple[keras.Operation, ...]:
    """Find the operations that every path from the pixels to the output passes through.

    Args:
        model: Functional model; a model within it counts as one operation.

    Returns:
        They in the order an image meets them, the input first and the output's own operation last. What
        comes after one of them depends on its output alone; operations that are called more than once,
        or give several tensors, are none.
    """
    # Inbound and outbound nodes are private to Keras; checked on 3.15.1.
    nodes = [node for level in model._nodes_by_depth.values() for node in level]
    place = {id(operation): number for number, operation in enumerate(model.operations)}
    tensors = Counter(id(node.operation) for node in nodes for _ in node.outputs)
    edges = [
        (place[id(parent.operation)], place[id(node.operation)])
        for node in nodes
        for parent in node.parent_nodes
        if id(parent.operation) in place
    ]
    edges += [(-1, place[id(tensor._keras_history.operation)]) for tensor in model.inputs]
    edges += [(place[id(tensor._keras_history.operation)], len(place)) for tensor in model.outputs]
    passed_over: set[int] = set()
    for start, end in edges:
        # A step back, to an operation called once more, starts from neither end.
        low, high = (start + 1, end) if start < end else (end, start + 1)
        passed_over.update(range(low, high))
    return tuple(
        operation
        for operation in model.operations
        if place[id(operation)] not in passed_over and tensors[id(operation)] == 1
    )


def layers_below(model: keras.Model, name: str) -> list[keras.Layer]:
    """Find the layers that what a layer gives depends on, itself too, in the model's order."""
    nodes = [node for level in model._nodes_by_depth.values() for node in level]
    within = {id(node) for node in nodes}
    waiting = [node for node in nodes if node.operation.name == name]
    found: set[int] = set()
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in within and id(node) not in seen:
            seen.add(id(node))
            found.add(id(node.operation))
            waiting += node.parent_nodes
    return [layer for layer in model.layers if id(layer) in found]


def output_within(model: keras.Model, operation: keras.Operation) -> KerasTensor:
    """Return what an operation gives within a model; a model within it also has outputs of its own."""
    nodes = (node for level in model._nodes_by_depth.values() for node in level)
    return next(node.outputs[0] for node in nodes if node.operation is operation)


def _renamed(operation: keras.Operation, name: str) -> keras.Operation:
    """Make a new operation like another, under another name."""
    return type(operation).from_config(operation.get_config() | {"name": name})


def _steady_name(operation: keras.Operation, seen: Counter[str]) -> str:
    """Return a person's name as it is, and number an automatic one by what has been seen."""
    stem = re.sub(r"_\d+$", "", operation.name)
    if stem.replace("_", "") != type(operation).__name__.lower():
        return str(operation.name)
    part = "preprocess" if isinstance(operation, PREPROCESSING) else "body"
    seen[stem] += 1
    return f"{part}_{stem}_{seen[stem]}"


def _variants(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _is_graph(operation: keras.Operation) -> bool:
    """Say whether it is a model whose layers are known, rather than a layer or a model that runs code."""
    if type(operation).__module__.startswith("keras_hub."):
        return False  # some of its layers cannot be made again outside their backbone; checked on 0.32
    return isinstance(operation, CHAINS) or hasattr(operation, "_run_through_graph")


def _run(model: keras.Model, inputs: KerasTensor, step: Step) -> KerasTensor:
    """Take each step of a model in its order."""
    if isinstance(model, CHAINS):
        return reduce(lambda x, layer: step(layer, x), model.layers, inputs)
    # Keras's own walk; clone_model would not connect a model within a model. Checked on 3.15.1.
    output = model._run_through_graph(inputs, call_fn=step)
    return output[0] if isinstance(output, list | tuple) and len(output) == 1 else output


def _called(step: Step, *inputs: KerasTensor, **options: object) -> KerasTensor:
    return step(*inputs, **options)


def _standardises(model: keras.Model) -> bool:
    """Say whether Keras put its second Rescaling into the model."""
    return sum(isinstance(layer, keras.layers.Rescaling) for layer in model.layers) > 1


def _called_standardised(step: Step, *inputs: KerasTensor, **options: object) -> KerasTensor:
    """Call a step; behind Normalization, divide each channel by the root of its deviation."""
    output = step(*inputs, **options)
    if not isinstance(step, keras.layers.Normalization):
        return output
    scale = [deviation**-0.5 for deviation in DEVIATION]
    return keras.layers.Rescaling(scale, name="preprocess_rescaling_2")(output)

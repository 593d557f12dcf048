"""Where the layers of a weights file and those of a backbone differ, in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import h5py
import keras

from tfxfer.backbones.catalog import BACKBONES
from tfxfer.backbones.graph import flat_operations, steady_names

__all__ = ["SavedLayers", "file_layers", "misfit", "model_layout"]

Shape: TypeAlias = tuple[int, ...]
Layout: TypeAlias = dict[str, tuple[Shape, ...]]
"""Layer name -> the shapes of its variables, for layers that hold any."""

SHOWN = 3


@dataclass(frozen=True, slots=True)
class SavedLayers:
    """The layers of a file.

    Attributes:
        layout: Their names and shapes, in the file's order.
        told_by: What tells a layer: its ``"name"``, or its ``"class"`` and number, as in files of early
            Keras 3, where names are class and number.
        ordered: Whether the file's order is that of the layers.
    """

    layout: Layout
    told_by: Literal["name", "class"] = "name"
    ordered: bool = True


def model_layout(model: keras.Model) -> Layout:
    """Return the layers of a model by steady names, those of models within it too."""
    operations = list(flat_operations(model))
    names = steady_names(operations)
    return {
        names[operation.name]: tuple(tuple(variable.shape) for variable in operation.weights)
        for operation in operations
        if isinstance(operation, keras.Layer) and operation.weights
    }


def file_layers(file: Path) -> SavedLayers:
    """Return the layers of an HDF5 file of Keras 3 or Keras 2.

    Raises:
        OSError, KeyError, ValueError: The file is damaged, or is not of Keras.
    """
    with h5py.File(file, "r") as opened:
        root = opened.get("model_weights", opened)
        if any(name.startswith("layer_names") for name in root.attrs):
            return SavedLayers(dict(_legacy_layers(root)))
        groups = _groups(opened)
        if all("name" in opened[path].attrs for path in groups):
            return SavedLayers(dict(_named_layers(opened, groups)), ordered=False)
        return SavedLayers(dict(_counted_layers(opened, groups)), told_by="class", ordered=False)


def misfit(saved: SavedLayers, model: keras.Model, *, file: Path, backbone: str) -> str:
    """Say why a file's weights do not fit a backbone, and what to do.

    Args:
        saved: The layers of the file.
        model: The backbone, built.
        file: The file.
        backbone: The backbone's name.

    Returns:
        Sentences that name the first few layers that differ, and how many more do.
    """
    theirs = saved.layout
    mine = model_layout(model) if saved.told_by == "name" else _class_layout(model)
    by_order = saved.ordered and not theirs.keys() & mine.keys()
    found = list(_in_order(theirs, mine, backbone) if by_order else _by_name(theirs, mine, backbone))
    if not found:
        return (
            f"{file} does not fit {backbone}: its layers have the same names and shapes, but lie otherwise, "
            "perhaps in a model within a model; pass a .keras file, whose layers are found by name."
        )
    how = ""
    if saved.told_by == "class":
        how = "by class and number, since the file tells no names, "
    elif by_order:
        how = "in order, since no name is the same, "
    told = "; ".join(found[:SHOWN]) + (f"; ... and {len(found) - SHOWN} more" if found[SHOWN:] else "")
    return (
        f"{file} does not fit {backbone}: {how}{told}; pass a file that was saved from {backbone}."
        f"{_likeness(theirs, backbone)}"
    )


def _by_name(theirs: Layout, mine: Layout, backbone: str) -> Iterator[str]:
    both = [name for name in mine if name in theirs]
    yield from (
        _other(name, theirs[name], mine[name], backbone) for name in both if _differ(theirs, mine, name)
    )
    yield from (f"{name}: only {backbone} has it" for name in mine if name not in theirs)
    yield from (f"{name}: only the file has it" for name in theirs if name not in mine)


def _differ(theirs: Layout, mine: Layout, name: str) -> bool:
    return Counter(theirs[name]) != Counter(mine[name])


def _in_order(theirs: Layout, mine: Layout, backbone: str) -> Iterator[str]:
    for (their_name, their_shapes), (name, shapes) in zip(theirs.items(), mine.items(), strict=False):
        if Counter(their_shapes) != Counter(shapes):
            yield _other(f"{name} ({their_name} in the file)", their_shapes, shapes, backbone)
    if len(theirs) != len(mine):
        yield f"the file has {len(theirs)} layers with weights, {backbone} {len(mine)}"


def _other(label: str, theirs: tuple[Shape, ...], mine: tuple[Shape, ...], backbone: str) -> str:
    """Tell the first variable that differs, or all of them where they are not as many."""
    pairs = zip(theirs, mine, strict=False)
    first = next((pair for pair in pairs if pair[0] != pair[1]), None)
    if first and len(theirs) == len(mine):
        return f"{label}: the file has {first[0]}, {backbone} {first[1]}"
    return f"{label}: the file has {_words(theirs)}, {backbone} {_words(mine)}"


def _words(shapes: Iterable[Shape]) -> str:
    return " and ".join(map(str, shapes))


def _likeness(theirs: Layout, backbone: str) -> str:
    """Name backbones of the catalogue with as many parameters, with or without layers of a top."""
    body = {name: shapes for name, shapes in theirs.items() if max(map(len, shapes)) != 2}
    counts = {_parameters(theirs), _parameters(body)}
    like = [spec.name for spec in BACKBONES if spec.parameters in counts and spec.name != backbone]
    return f" By its number of parameters it may be of {' or '.join(like)}." if like else ""


def _parameters(layout: Mapping[str, tuple[Shape, ...]]) -> int:
    return sum(math.prod(shape) for shapes in layout.values() for shape in shapes)


def _class_layout(model: keras.Model) -> Layout:
    """Return the layers of a model by class and number, as ``.weights.h5`` files count them."""
    seen: Counter[str] = Counter()
    layout: Layout = {}
    for layer in model.layers:
        kind = type(layer).__name__.lower()
        if layer.weights:
            layout[_counted(kind, seen[kind])] = tuple(tuple(variable.shape) for variable in layer.weights)
        seen[kind] += 1
    return layout


def _counted(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number else kind


def _groups(opened: Any) -> list[str]:
    """Find what holds the variables of one layer each, counted within their class."""
    paths: list[str] = []
    opened.visit(paths.append)
    layers = [path for path in paths if path.endswith("/vars") and len(opened[path])]
    return sorted(layers, key=_natural)


def _shapes(values: Any) -> tuple[Shape, ...]:
    return tuple(tuple(values[key].shape) for key in sorted(values, key=_natural))


def _named_layers(opened: Any, groups: Iterable[str]) -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Read names; those that Keras gave by all that the session had built are numbered as steady names."""
    seen: Counter[str] = Counter()
    for path in groups:
        name = str(opened[path].attrs["name"])
        stem, kind = (re.sub(r"_\d+$", "", word) for word in (name, path.split("/")[-2]))
        if stem == kind:
            seen[stem] += 1
            name = f"{'preprocess' if kind == 'normalization' else 'body'}_{stem}_{seen[stem]}"
        yield name, _shapes(opened[path])


def _counted_layers(opened: Any, groups: Iterable[str]) -> Iterator[tuple[str, tuple[Shape, ...]]]:
    for path in groups:
        stem, _, number = path.split("/")[-2].rpartition("_")
        kind = stem if stem and number.isdigit() else f"{stem}{number}"
        yield _counted(kind.replace("_", ""), int(number) if number.isdigit() else 0), _shapes(opened[path])


def _legacy_layers(root: Any) -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Read a Keras 2 file: layers in order by name, those of a model within it as one list of weights."""
    for layer in _names(root.attrs, "layer_names"):
        inner: dict[str, list[Shape]] = {}
        for weight in _names(root[layer].attrs, "weight_names"):
            inner.setdefault(weight.rpartition("/")[0].rpartition("/")[2], []).append(
                root[layer][weight].shape
            )
        for name, shapes in inner.items():
            yield (layer if len(inner) == 1 else name), tuple(shapes)


def _names(attributes: Mapping[str, Any], key: str) -> list[str]:
    """Read a list of names, which Keras 2 splits into several where it is long."""
    keys = sorted((each for each in attributes if re.fullmatch(rf"{key}\d*", each)), key=_natural)
    words = [word for each in keys for word in attributes[each]]
    return [word.decode() if isinstance(word, bytes) else str(word) for word in words]


def _natural(path: str) -> list[tuple[str, int]]:
    """Order conv2d, conv2d_1, conv2d_10 as counted."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", path)]

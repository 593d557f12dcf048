"""What a setting may be, by its type; TOML has no None, and ``"none"`` stands for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, is_dataclass
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["NONE", "allowed", "default_of", "fits", "is_none", "items", "members", "types_of"]

NONE = "none"
"""What stands for None."""

_PLAIN = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_IN_PYTHON = {**_PLAIN, bool: "True or False", slice: "a slice", Path: "a path", NoneType: "None"}

# Names that hints have for the eyes of type checkers alone: what they are of cannot be in TOML.
_UNSEEN = {"keras": SimpleNamespace(Model=Any, optimizers=SimpleNamespace(Optimizer=Any))}


def types_of(settings: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return get_type_hints(settings, localns=_UNSEEN)


def default_of(setting: Field[Any]) -> Any:
    """Return a field's default, or ``dataclasses.MISSING`` where it must be given."""
    return setting.default if setting.default_factory is MISSING else setting.default_factory()


def members(kind: Any) -> tuple[Any, ...]:
    """Return all that a setting may be, one by one.

    >>> members(int | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def fits(member: Any, value: object) -> bool:
    """Say whether a value of TOML is of a type; of what is within lists and tables, nothing is said.

    >>> fits(float, 1), fits(int, True), fits(Literal["a", "b"], "c")
    (True, False, False)
    """
    origin = get_origin(member)
    if origin is Literal:
        return value in get_args(member)
    if member is float and type(value) is int:
        return abs(value) <= sys.float_info.max
    if member in _PLAIN:
        return type(value) is member
    if origin is tuple:
        inner = get_args(member)
        return isinstance(value, list) and (inner[-1] is ... or len(inner) == len(value))
    if origin is Sequence:
        return isinstance(value, list)
    return _is_table(member) and isinstance(value, dict)


def items(member: Any, count: int) -> tuple[Any, ...]:
    """Return the types of so many items of a list.

    >>> items(tuple[str, ...], 2)
    (<class 'str'>, <class 'str'>)
    """
    inner = get_args(member)
    return inner if get_origin(member) is tuple and inner[-1] is not ... else inner[:1] * count


def is_none(kind: Any, value: object, default: object) -> bool:
    """Say whether a value stands for None: where None is the default, it may be a name like any other."""
    parts = members(kind)
    if value != NONE or NoneType not in parts:
        return False
    return default is not None or not any(fits(member, value) for member in parts)


def allowed(kind: Any, *, in_python: bool = False) -> str:
    """Say what a setting may be in TOML, or in Python, as the rest of a sentence that ends in "must be".

    >>> allowed(int | Literal["find"] | None)
    "a whole number or 'find'"
    >>> allowed(int | Literal["find"] | None, in_python=True)
    "a whole number, 'find' or None"
    """
    told = list(dict.fromkeys(word for member in members(kind) for word in _words(member, in_python)))
    return " or ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _words(member: Any, in_python: bool) -> list[str]:
    if get_origin(member) is Literal:
        return [repr(name) for name in get_args(member)]
    if get_origin(member) is tuple and get_args(member)[-1] is not ...:
        return [f"a list of {len(get_args(member))}"]
    if get_origin(member) in (tuple, Sequence):
        return ["a list"]
    if in_python:
        return [_IN_PYTHON.get(member) or f"of type {(get_origin(member) or member).__name__}"]
    return ["a table"] if _is_table(member) else [_PLAIN[member]] if member in _PLAIN else []


def _is_table(member: Any) -> bool:
    return member is slice or get_origin(member) is Mapping or is_dataclass(member)

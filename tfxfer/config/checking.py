"""What is of another type than a setting is refused as a frozen value is made, before it is compared."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, Literal, get_args, get_origin

from tfxfer.config.kinds import allowed, items, members, types_of
from tfxfer.errors import SettingError

__all__ = ["check_types"]

_MOST = sys.float_info.max


def check_types(settings: Any, of: str = "") -> None:
    """Refuse a dataclass that has a value of another type than its field's, by the field's name.

    A list passes for a tuple, and NumPy's numbers for Python's. Which names there are is left to whoever
    knows what is near them.

    Args:
        settings: It.
        of: What a message puts behind the field's name, such as ``" of L2SP"``.

    Raises:
        SettingError: It has one.
    """
    kinds = types_of(type(settings))
    for each in fields(settings):
        _check(kinds[each.name], getattr(settings, each.name), f"{each.name}{of}")


def _check(kind: Any, value: object, name: str) -> None:
    fitting = [member for member in members(kind) if _fits(member, value)]
    if not fitting:
        raise SettingError(f"{name} must be {allowed(kind, in_python=True)}, got {value!r}.")
    member = fitting[0]
    if get_origin(member) is Mapping and isinstance(value, Mapping):
        for item in value.values():
            _check(get_args(member)[1], item, f"each of {name}")
    elif isinstance(value, list | tuple) and member is not Any:
        for inner, item in zip(items(member, len(value)), value, strict=True):
            _check(inner, item, f"each of {name}")


def _fits(member: Any, value: object) -> bool:
    """Say whether a value is of a type; of what is within lists and mappings, nothing is said."""
    origin = get_origin(member) or member
    if member is Any:
        return True
    if origin is Literal:
        return isinstance(value, str)
    if isinstance(value, bool):
        return member is bool
    if member is int:
        return isinstance(value, Integral)
    if member is float:
        return isinstance(value, Real) and not (isinstance(value, Integral) and abs(int(value)) > _MOST)
    if origin is tuple and get_args(member)[-1] is not ...:
        return isinstance(value, list | tuple) and len(value) == len(get_args(member))
    return isinstance(value, list | tuple if origin in (tuple, Sequence) else origin)

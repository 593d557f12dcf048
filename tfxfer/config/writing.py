"""Frozen settings as TOML has them; what it cannot hold is told by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from inspect import isfunction
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any

from tfxfer.config.distillation import Distillation
from tfxfer.config.kinds import NONE, default_of, types_of
from tfxfer.config.phases import L2SP, Phase
from tfxfer.config.reading import read_value
from tfxfer.errors import SettingError

__all__ = ["written"]


class _Unwritable(Exception):
    """TOML cannot hold a value; the message says what it is, as words to put in brackets."""


def written(settings: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a dataclass as a table, in which each dataclass is one too, and None by default is left out.

    Args:
        settings: The value.

    Returns:
        The table; and of what TOML cannot hold, and the table is therefore without, name -> what it is.
    """
    table: dict[str, Any] = {}
    lacks: dict[str, str] = {}
    kinds = types_of(type(settings))
    for name, value in _told(settings).items():
        if is_dataclass(kinds[name]):
            table[name], within = written(value)
            lacks |= within
            continue
        try:
            table[name] = NONE if value is None else _plain(value)
            _check(settings, name, table[name])
        except _Unwritable as why:
            table.pop(name, None)
            lacks[name] = str(why)
    return table, lacks


def _told(settings: Any) -> dict[str, Any]:
    """Return all fields but those that are None or empty by default, and are so."""
    values = {each: getattr(settings, each.name) for each in fields(settings)}
    return {each.name: value for each, value in values.items() if not _as_left_out(value, default_of(each))}


def _as_left_out(value: Any, default: Any) -> bool:
    return value is default is None or (isinstance(value, Mapping) and not value and default == {})


def _check(settings: Any, name: str, plain: Any) -> None:
    """Refuse what would be read as something else, or not at all."""
    try:
        value = read_value(type(settings), name, plain)
    except SettingError:
        raise _Unwritable(repr(plain)) from None
    if value is None and getattr(settings, name) is not None:
        raise _Unwritable(f"the text {NONE!r}, which stands for None")


def _plain(value: Any) -> Any:
    """Turn what Python and NumPy have into what TOML has."""
    if isinstance(value, PurePath):
        # By itself, a name could be taken for what is no file.
        return _text(str(value) if len(value.parts) > 1 else f"./{value}")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, slice):
        ends = {"start": value.start, "stop": value.stop, "step": value.step}
        return {name: _plain(end) for name, end in ends.items() if end is not None}
    if isinstance(value, Mapping):
        return {_text(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Phase | L2SP | Distillation):
        return _table(value)
    if isfunction(value):
        raise _Unwritable(f"function {value.__name__}")
    raise _Unwritable(f"of type {type(value).__name__}")


def _table(settings: Phase | L2SP | Distillation) -> dict[str, Any]:
    table, lacks = written(settings)
    for name, why in lacks.items():
        within = f"phase {settings.name!r}" if isinstance(settings, Phase) else "its anchor"
        whose = "" if isinstance(settings, Distillation) else f" of {within}"
        raise _Unwritable(f"{name}{whose} is {why}")
    return table


def _text(value: Any) -> str:
    try:
        value.encode()
    except (AttributeError, UnicodeEncodeError):
        raise _Unwritable(f"{value!r}, which is no text of Unicode") from None
    return str(value)

"""Frozen settings out of a TOML file: what is not known, or of another type, is refused by its name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from tfxfer.config.kinds import allowed, default_of, fits, is_none, items, members, types_of
from tfxfer.errors import SettingError, did_you_mean

__all__ = ["read_settings", "read_value"]

Settings = TypeVar("Settings")
_OF_SLICES = ("start", "stop", "step")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is written: in which table of which file, and in which table others would be."""

    file: str | Path
    homes: Mapping[str, str] = field(default_factory=dict)
    table: str = ""

    def __str__(self) -> str:
        return f" in [{self.table}]" if self.table else ""

    def within(self, name: str) -> _Place:
        return replace(self, table=f"{self.table}.{name}" if self.table else name)


def read_settings(settings: type[Settings], file: str | Path) -> Settings:
    """Read a dataclass from a TOML file, of which each dataclass within it is a table.

    Args:
        settings: The dataclass.
        file: The file.

    Raises:
        SettingError: It cannot be read, or has in it what is not known, or of another type.
    """
    try:
        table = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(
            f"{file} cannot be read ({error.strerror}); give a TOML file, such as recipe.toml of a bundle."
        ) from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise SettingError(f"{file} is no TOML ({error}); mend it there.") from error
    tables = {name: kind for name, kind in types_of(settings).items() if is_dataclass(kind)}
    homes = {each.name: name for name, kind in tables.items() for each in fields(kind)}
    return _dataclass(settings, table, _Place(file, homes))


def read_value(settings: type, name: str, value: object) -> Any:
    """Read one field of a dataclass, as it would be written in a table.

    Raises:
        SettingError: It is of another type.
    """
    default, kind = _defaults(settings)[name], types_of(settings)[name]
    return None if is_none(kind, value, default) else _value(kind, value, _Place(""), name)


def _defaults(settings: type) -> dict[str, Any]:
    return {each.name: default_of(each) for each in fields(settings)}


def _dataclass(settings: type[Settings], table: Mapping[str, object], place: _Place) -> Settings:
    known, kinds = _defaults(settings), types_of(settings)
    for name in table:
        if name not in known:
            raise SettingError(f"{place.file}: no setting {name!r}{place}{_hint(name, known, place)}")
    for name, default in known.items():
        if default is MISSING and name not in table:
            raise SettingError(f"{place.file}: {name}{place} is missing; give {allowed(kinds[name])}.")
    values = {
        name: None if is_none(kinds[name], value, known[name]) else _value(kinds[name], value, place, name)
        for name, value in table.items()
    }
    try:
        return settings(**values)
    except SettingError as error:
        raise SettingError(f"{place.file}: {error}") from error


def _hint(name: str, known: Mapping[str, object], place: _Place) -> str:
    """Name the table that a setting belongs into, or what is called alike, and then all there are."""
    belongs = f"; it belongs into [{place.homes[name]}]." if name in place.homes else ""
    return f"{belongs or did_you_mean(name, known) or '.'} There are {', '.join(known)}."


def _value(kind: Any, value: object, place: _Place, name: str) -> Any:
    fitting = [member for member in members(kind) if fits(member, value)]
    if not fitting:
        near = did_you_mean(value, _names(kind)) if isinstance(value, str) else ""
        raise SettingError(f"{place.file}: {name}{place} must be {allowed(kind)}, got {value!r}{near or '.'}")
    member = fitting[0]
    if isinstance(value, list):
        kinds = items(member, len(value))
        return tuple(_value(each, item, place, name) for each, item in zip(kinds, value, strict=True))
    if isinstance(value, dict):
        return _table(member, value, place.within(name))
    return float(value) if member is float else value  # type: ignore[arg-type]  # it fits


def _table(member: Any, table: Mapping[str, object], place: _Place) -> Any:
    if is_dataclass(member):
        return _dataclass(member, table, place)  # type: ignore[arg-type]  # a type, and no value of one
    if member is not slice:
        return {name: _value(get_args(member)[1], value, place, name) for name, value in table.items()}
    for name, value in table.items():
        if name not in _OF_SLICES or type(value) is not int:
            raise SettingError(
                f"{place.file}: {name}{place} must be start, stop or step, and a whole number, got {value!r}."
            )
    return slice(*(table.get(name) for name in _OF_SLICES))


def _names(kind: Any) -> list[str]:
    return [name for member in members(kind) for name in get_args(member) if isinstance(name, str)]

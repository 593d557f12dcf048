"""Named entries that are data: looked up by name, listed in order, near misses named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from tfxfer.errors import SettingError, did_you_mean

__all__ = ["Named", "Registry"]


class Named(Protocol):
    """What a registry holds: anything with a name."""

    @property
    def name(self) -> str:
        """The name people look it up by."""


Entry = TypeVar("Entry", bound=Named)


class Registry(Generic[Entry]):
    """A table of entries of one kind.

    Args:
        kind: What an entry is called in messages, as a singular noun.
        listing: What shows every entry, as a command or an expression.
    """

    def __init__(self, kind: str, *, listing: str) -> None:
        self._kind = kind
        self._listing = listing
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> Entry:
        """Add an entry; its name must be new.

        Raises:
            ValueError: An entry of that name is there already.
        """
        if entry.name in self._entries:
            raise ValueError(f"{self._kind} {entry.name!r} is registered twice.")
        self._entries[entry.name] = entry
        return entry

    def __getitem__(self, name: str) -> Entry:
        """Return the entry called ``name``, or raise SettingError that names the nearest."""
        try:
            return self._entries[name]
        except KeyError:
            hint = did_you_mean(name, self._entries) or "."
            raise SettingError(
                f"no {self._kind} {name!r}{hint} {self._listing} lists all {len(self)}."
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

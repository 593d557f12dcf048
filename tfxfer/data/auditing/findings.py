"""What an audit found, as a value: for scripts as a dictionary, for people as a short report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["AUDIT_TITLES", "Audit", "Finding", "Lookalikes", "shown"]

_LISTED = 10

AUDIT_TITLES: Mapping[str, str] = {
    "unreadable": "unreadable",
    "oversized": "oversized",
    "leaks": "in more than one part of the split",
    "conflicting_labels": "alike, with different labels",
    "duplicates": "exact duplicates",
    "near_duplicates": "near duplicates",
    "wrong_suffix": "wrong suffix",
    "unread": "in formats that are not read",
    "tiny": "tiny",
    "blank": "blank",
    "odd_sizes": "of an odd shape",
    "odd_formats": "of an odd format",
}
"""What each kind of finding is called, what weighs most first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One file and what is the matter with it.

    Attributes:
        file: Relative to the audit's root, with forward slashes.
        reason: The rest of a sentence that begins with the file's name.
    """

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Pictures that are the same or nearly so, in places that contradict each other.

    Attributes:
        files: File -> the class that it lies in, or what else it shows; or the part.
        exact: Whether files of the very same content contradict each other.
    """

    files: Mapping[str, str]
    exact: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """What is the matter with a set of pictures.

    Attributes:
        root: The folder that files are relative to; or what pictures that are not files are called together.
        pictures: How many there are.
        class_counts: Class -> readable pictures that show it; empty where numbers are learnt.
        refused: Why ``from_folder`` refuses the folder, or None where it does not.
        unreadable: Files that are no picture, damaged or cut short.
        oversized: Files that claim more pixels than are read; they were not decoded.
        wrong_suffix: Pictures in another format than their name says.
        duplicates: Groups of files with the same content.
        near_duplicates: Groups of pictures that look alike and are not all the same file.
        conflicting_labels: Duplicates and near duplicates that lie in different classes.
        leaks: Duplicates and near duplicates that lie in different parts of the split laid down.
        unread: Pictures in formats that are not read.
        tiny: Pictures with a side below 32 pixels.
        blank: Pictures all of whose pixels have one value.
        odd_sizes: Pictures four times wider, or four times higher, for their size than the median.
        odd_formats: Pictures in a format that at most one in a hundred has.
    """

    root: Path | str
    pictures: int
    class_counts: Mapping[str, int]
    refused: str | None = None
    unreadable: tuple[Finding, ...] = ()
    oversized: tuple[Finding, ...] = ()
    wrong_suffix: tuple[Finding, ...] = ()
    duplicates: tuple[tuple[str, ...], ...] = ()
    near_duplicates: tuple[tuple[str, ...], ...] = ()
    conflicting_labels: tuple[Lookalikes, ...] = ()
    leaks: tuple[Lookalikes, ...] = ()
    unread: tuple[Finding, ...] = ()
    tiny: tuple[Finding, ...] = ()
    blank: tuple[Finding, ...] = ()
    odd_sizes: tuple[Finding, ...] = ()
    odd_formats: tuple[Finding, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is unreadable, oversized or leaking, and ``from_folder`` takes the folder."""
        return not (self.unreadable or self.oversized or self.leaks or self.refused)

    @property
    def imbalance(self) -> float | None:
        """Pictures in the largest class for each one in the smallest; None where there is no such ratio."""
        counts = self.class_counts.values()
        return max(counts) / min(counts) if len(counts) > 1 and min(counts) else None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain types, ready for JSON."""
        return {
            "root": str(self.root),
            "pictures": self.pictures,
            "sound": self.sound,
            "refused": self.refused,
            "class_counts": dict(self.class_counts),
            "imbalance": self.imbalance,
            **{key: [_plain(item) for item in getattr(self, key)] for key in AUDIT_TITLES},
        }

    def sections(self) -> Iterator[tuple[str, Sequence[Finding | Lookalikes | tuple[str, ...]]]]:
        """Yield each title with what was found under it, what weighs most first."""
        for key, title in AUDIT_TITLES.items():
            if found := getattr(self, key):
                yield title, found

    def __str__(self) -> str:
        """Say what was found, the first ten of each kind by name."""
        noun = "picture" if self.pictures == 1 else "pictures"
        counts = ", ".join(f"{shown(name)} {count:,}" for name, count in self.class_counts.items())
        lines = [f"{self.pictures:,} {noun} in {shown(str(self.root))}"]
        if counts:
            ratio = (
                "" if self.imbalance is None else f"; the largest is {self.imbalance:.1f} times the smallest"
            )
            lines.append(f"readable by class: {counts}{ratio}")
        if self.refused:
            lines += ["", f"cannot be trained on: {shown(self.refused)}"]
        for title, found in self.sections():
            lines += ["", f"{title}: {len(found):,}"]
            lines += [f"  {_line(item)}" for item in found[:_LISTED]]
            if len(found) > _LISTED:
                lines.append(f"  … and {len(found) - _LISTED:,} more")
        if len(lines) <= 2 and not self.refused:
            lines += ["", "Nothing wrong was found."]
        return "\n".join(lines)


def shown(text: str) -> str:
    r"""Write a name so that it stays on one line and is valid text: what is neither is escaped.

    >>> shown("a\nb.png")
    'a\\nb.png'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _line(item: Finding | Lookalikes | tuple[str, ...]) -> str:
    if isinstance(item, Finding):
        return f"{shown(item.file)} {shown(item.reason)}"
    if isinstance(item, Lookalikes):
        files = ", ".join(f"{shown(file)} ({shown(place)})" for file, place in item.files.items())
        return f"{'same file' if item.exact else 'look alike'}: {files}"
    return ", ".join(map(shown, item))


def _plain(item: Finding | Lookalikes | tuple[str, ...]) -> Any:
    if isinstance(item, tuple):
        return list(item)
    return asdict(item)

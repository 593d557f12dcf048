"""Facts about single files become what is the matter with all of them together."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from tfxfer.data.auditing.findings import Audit, Finding, Lookalikes
from tfxfer.data.auditing.inspection import Facts
from tfxfer.data.auditing.likeness import near_groups
from tfxfer.data.sources.layout import Listed, Listing

__all__ = ["MIN_SIDE", "judge_pictures", "lookalikes"]

MIN_SIDE = 32
"""A picture with a shorter side is called tiny."""

_ODD_SHAPE = 4.0
_ODD_FORMAT = 100

_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),  # several JPEGs in one file, as some telephones write
    "PNG": (".png",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "WEBP": (".webp",),
    "DICOM": (".dcm", ".dicom"),
}

_Pair = tuple[Listed, Facts]


def judge_pictures(
    root: Path | str, listing: Listing, facts: Sequence[Facts], *, near_bits: int, refused: str | None
) -> Audit:
    """Say what is the matter with a set of pictures.

    Args:
        root: The folder that the paths start from; or what pictures that are not files are called together,
            and their names have no suffix that could be wrong.
        listing: The pictures, with class and part.
        facts: What was found in each, in the same order.
        near_bits: In how many of 64 bits the perceptual hashes of near duplicates may differ.
        refused: Why the folder cannot be trained on, where it cannot.

    Returns:
        The audit.
    """
    pairs = list(zip(listing.pictures, facts, strict=True))
    readable = [(picture, fact) for picture, fact in pairs if fact.state == "readable"]
    counts = Counter(
        name
        for picture, _ in readable
        for name in ([picture.label] if picture.shown is None else picture.shown)
    )
    copies, alike = _clusters(readable, near_bits)
    both = _all_alike(copies, alike)
    return Audit(
        root=root,
        pictures=len(pairs),
        class_counts={name: counts[name] for name in listing.classes},
        refused=refused,
        unreadable=_in_state(pairs, "unreadable"),
        oversized=_in_state(pairs, "oversized"),
        wrong_suffix=_findings(readable, _wrong_suffix) if isinstance(root, Path) else (),
        duplicates=tuple(_files(group) for group in copies),
        near_duplicates=tuple(_files(group) for group in alike),
        conflicting_labels=tuple(_contradictions(both, lambda picture: picture.label)),
        leaks=tuple(_contradictions(both, lambda picture: picture.part)),
        unread=tuple(Finding(path, _unread(path)) for path in listing.unread),
        tiny=_findings(readable, _tiny),
        blank=_findings(readable, lambda _, fact: "has one value in all pixels." if fact.blank else None),
        odd_sizes=_odd_sizes(readable),
        odd_formats=_odd_formats(readable),
    )


def lookalikes(paths: Sequence[str], facts: Sequence[Facts], *, near_bits: int) -> list[tuple[str, ...]]:
    """Group duplicates and near duplicates.

    Args:
        paths: The pictures.
        facts: What was found in each, in the same order.
        near_bits: As for ``judge_pictures``.

    Returns:
        Groups of at least two paths, each in at most one of them.
    """
    pairs = zip((Listed(path, None, None) for path in paths), facts, strict=True)
    readable = [(picture, fact) for picture, fact in pairs if fact.state == "readable"]
    return [_files(group) for group in _all_alike(*_clusters(readable, near_bits))]


def _in_state(pairs: Sequence[_Pair], state: str) -> tuple[Finding, ...]:
    return tuple(Finding(picture.path, fact.reason) for picture, fact in pairs if fact.state == state)


def _findings(pairs: Sequence[_Pair], complain: Callable[[Listed, Facts], str | None]) -> tuple[Finding, ...]:
    reasons = [(picture.path, complain(picture, fact)) for picture, fact in pairs]
    return tuple(Finding(path, reason) for path, reason in reasons if reason)


def _wrong_suffix(picture: Listed, fact: Facts) -> str | None:
    allowed = _SUFFIXES[fact.format]
    if PurePosixPath(picture.path).suffix.lower() in allowed:
        return None
    return f"is a {fact.format} picture; call it {allowed[0]}."


def _unread(path: str) -> str:
    kind = PurePosixPath(path).suffix.lower()
    return f"is a {kind} file and is left out; convert it to JPEG, PNG, GIF, BMP or WebP."


def _tiny(_: Listed, fact: Facts) -> str | None:
    if min(fact.width, fact.height) >= MIN_SIDE:
        return None
    return f"is {fact.width} x {fact.height} pixels."


def _odd_sizes(readable: Sequence[_Pair]) -> tuple[Finding, ...]:
    if not readable:
        return ()
    median = statistics.median(fact.width / fact.height for _, fact in readable)

    def odd(_: Listed, fact: Facts) -> str | None:
        ratio = fact.width / fact.height / median
        if 1 / _ODD_SHAPE <= ratio <= _ODD_SHAPE:
            return None
        return f"is {fact.width} x {fact.height} pixels; the median is {median:.2f} times as wide as high."

    return _findings(readable, odd)


def _odd_formats(readable: Sequence[_Pair]) -> tuple[Finding, ...]:
    counts = Counter(fact.format for _, fact in readable)

    def odd(_: Listed, fact: Facts) -> str | None:
        if counts[fact.format] * _ODD_FORMAT > len(readable):
            return None
        share = "the only one" if counts[fact.format] == 1 else f"one of {counts[fact.format]}"
        return f"is a {fact.format} picture, {share} among {len(readable):,} pictures."

    return _findings(readable, odd)


def _clusters(readable: Sequence[_Pair], near_bits: int) -> tuple[list[list[_Pair]], list[list[_Pair]]]:
    """Return the groups of equal files, and the groups of different ones that look alike."""
    by_content: dict[str, list[_Pair]] = {}
    for picture, fact in readable:
        by_content.setdefault(fact.sha256, []).append((picture, fact))
    copies = [group for group in by_content.values() if len(group) > 1]
    # A blank picture has nothing to be recognised by.
    contents = [group for group in by_content.values() if not group[0][1].blank]
    facts = [group[0][1] for group in contents]
    small = [np.frombuffer(bytes.fromhex(fact.small), np.uint8) for fact in facts]
    near = near_groups([fact.look for fact in facts], small, bits=near_bits)
    alike = [sorted((pair for i in group for pair in contents[i]), key=_path) for group in near]
    return copies, sorted(alike, key=_first)


def _all_alike(copies: Sequence[list[_Pair]], alike: Sequence[list[_Pair]]) -> list[list[_Pair]]:
    """Return the groups that look alike, and those of equal files that are in none of them."""
    known = {fact.sha256 for group in alike for _, fact in group}
    return sorted([*alike, *(group for group in copies if group[0][1].sha256 not in known)], key=_first)


def _contradictions(
    groups: Sequence[list[_Pair]], place: Callable[[Listed], str | None]
) -> Iterator[Lookalikes]:
    for group in groups:
        placed = [(fact.sha256, picture.path, where) for picture, fact in group if (where := place(picture))]
        places = {where for _, _, where in placed}
        if len(places) > 1:
            exact = len({(sha256, where) for sha256, _, where in placed}) > len({sha for sha, _, _ in placed})
            yield Lookalikes({path: where for _, path, where in placed}, exact)


def _files(group: Sequence[_Pair]) -> tuple[str, ...]:
    return tuple(picture.path for picture, _ in group)


def _path(pair: _Pair) -> str:
    return pair[0].path


def _first(group: Sequence[_Pair]) -> str:
    return group[0][0].path

"""Which pictures learn, which choose and which judge: cut by class, and steady under change."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from tfxfer.contracts import PARTS, ImageRecord, Part, Split
from tfxfer.errors import DataError, SettingError

__all__ = [
    "DEFAULT_SHARES",
    "PART_NAMES",
    "complete_split",
    "cut_into",
    "in_drawn_order",
    "stratified_split",
    "units_of",
]

DEFAULT_SHARES: Mapping[Part, float] = {"train": 0.70, "validation": 0.15, "test": 0.15}

PART_NAMES: Mapping[str, Part] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the parts, in small letters."""


def stratified_split(
    records: Sequence[ImageRecord],
    *,
    classes: Sequence[str],
    shares: Mapping[Part, float] = DEFAULT_SHARES,
    seed: int = 0,
) -> Split:
    """Cut records into parts so that every class is in every part, in the shares asked for.

    Which part a picture falls into depends on the seed and its path, so the same folder gives the
    same cut wherever it lies, and adding a picture moves few others.

    Records of one group stay together, and so do those that are alike (``ImageRecord.alike``), with all
    that either binds them to; one without either stands alone. Whole groups are drawn, by the
    seed and the group's name, each in the queue of that class of its pictures which the fewest groups
    hold, and go where the middle of their stretch of the queue lies. So a part is as near its share as
    the sizes of groups allow, and adding a group moves about as many pictures as it brings, unless it
    changes which of two classes fewer groups hold.

    Args:
        records: Pictures with labels.
        classes: Class names; a record's label is an index into them.
        shares: Part -> share, each above 0, summing to 1. A part left out stays empty.
        seed: Any integer; another seed gives another cut.

    Returns:
        Indices into ``records``, ascending within each part.

    Raises:
        SettingError: A share is not above 0, or they do not sum to 1.
        DataError: A class has fewer pictures, or groups, than there are parts; or its groups, bound up
            with other classes, all miss a part.

    >>> records = [ImageRecord(f"cat/{i}.jpg", 0) for i in range(20)]
    >>> cut = stratified_split(records, classes=["cat"])
    >>> len(cut.train), len(cut.validation), len(cut.test)
    (14, 3, 3)
    """
    _check_shares(shares)
    wanted: dict[str, float] = {part: shares[part] for part in PARTS if part in shares}
    chosen = cut_into(wanted, records, classes=classes, seed=seed, what=f"a split into {', '.join(wanted)}")
    train, validation, test = (tuple(sorted(chosen.get(part, ()))) for part in PARTS)
    return Split(train=train, validation=validation, test=test, seed=seed)


def cut_into(
    shares: Mapping[str, float],
    records: Sequence[ImageRecord],
    *,
    classes: Sequence[str],
    seed: int,
    what: str,
) -> dict[str, list[int]]:
    """Cut records by class into parts of any names, as ``stratified_split`` does.

    Args:
        shares: Part -> share, summing to 1.
        records: Pictures with labels.
        classes: Class names.
        seed: Any integer.
        what: What messages call the cut.

    Returns:
        Part -> indices into ``records``.

    Raises:
        DataError: As there.
    """
    if any(record.target is not None for record in records):
        return _cut_strata(records, shares, seed, what)
    return _cut(records, classes, shares, seed, what)


def _cut(
    records: Sequence[ImageRecord], classes: Sequence[str], shares: Mapping[str, float], seed: int, what: str
) -> dict[str, list[int]]:
    alone = all(record.group is None and record.alike is None for record in records)
    return (_cut_pictures if alone else _cut_groups)(records, classes, shares, seed, what)


def _cut_strata(
    records: Sequence[ImageRecord], shares: Mapping[str, float], seed: int, what: str
) -> dict[str, list[int]]:
    """Cut pictures of several labels, or of numbers: strata are balanced as far as they go.

    They are no classes, which would have to be in every part: small ones are put together.
    """
    # As many as give the smallest part one: fewer would give it more than its share.
    coarse = _coarsened(records, at_least=math.ceil(1 / min(shares.values()) - 1e-9))
    names = [f"stratum {number}" for number in range(1 + max(record.label for record in coarse))]
    if len(names) > 1:
        try:
            return _cut(coarse, names, shares, seed, what)
        except DataError:
            pass  # groups so uneven in size that a stratum misses a part: then they are not balanced
    whole = [replace(record, label=0) for record in records]
    return _cut(whole, ["all pictures"], shares, seed, what)


def _coarsened(records: Sequence[ImageRecord], *, at_least: int) -> list[ImageRecord]:
    """Give what stays together one stratum, and put strata of too few such units together with the next."""
    units = units_of(records)
    commonest = {
        name: Counter(records[index].label for index in members).most_common(1)[0][0]
        for name, members in units.items()
    }
    sizes = Counter(commonest.values())
    merged: dict[int, int] = {}
    number = held = 0
    for label in sorted(sizes):
        if held >= at_least:
            number, held = number + 1, 0
        merged[label] = number
        held += sizes[label]
    if held < at_least and number:  # the last ones are too few by themselves
        merged = {label: min(each, number - 1) for label, each in merged.items()}
    coarse = list(records)
    for name, members in units.items():
        for index in members:
            coarse[index] = replace(records[index], label=merged[commonest[name]])
    return coarse


def complete_split(
    records: Sequence[ImageRecord],
    parts: Mapping[Part, Sequence[int]],
    *,
    classes: Sequence[str],
    seed: int = 0,
) -> Split:
    """Take the parts that are given as they are, and cut from the training part what they lack.

    Two parts alone are training and test, whatever the other is called: validation is cut from training.
    Training alone is cut into all three.

    Args:
        records: Pictures with labels.
        parts: Part -> indices into ``records``; ``"train"`` is one of them.
        classes: Class names; a record's label is an index into them.
        seed: Seed of the cut.

    Returns:
        The split, which says what was given.

    Raises:
        DataError: A class has too few pictures or groups to cut.
    """
    if len(parts) == 1:
        return stratified_split(records, classes=classes, seed=seed)
    train, test = parts["train"], parts.get("test") or parts["validation"]
    if len(parts) == len(PARTS):
        validation = parts["validation"]
    else:
        cut = stratified_split(
            [records[index] for index in train], classes=classes, shares=_without_test(), seed=seed
        )
        train, validation = [train[i] for i in cut.train], [train[i] for i in cut.validation]
    given: tuple[Part, ...] = PARTS if len(parts) == len(PARTS) else ("train", "test")
    return Split(tuple(train), tuple(validation), tuple(test), seed=seed, given=given)


def _without_test() -> dict[Part, float]:
    whole = DEFAULT_SHARES["train"] + DEFAULT_SHARES["validation"]
    return {
        "train": DEFAULT_SHARES["train"] / whole,
        "validation": DEFAULT_SHARES["validation"] / whole,
    }


def _check_shares(shares: Mapping[Part, float]) -> None:
    if any(share <= 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        given = ", ".join(f"{part} {share:g}" for part, share in shares.items())
        raise SettingError(
            f"shares must each be above 0 and sum to 1, got {given}; leave a part out for none of it."
        )


def _cut_pictures(
    records: Sequence[ImageRecord], classes: Sequence[str], shares: Mapping[str, float], seed: int, what: str
) -> dict[str, list[int]]:
    """Cut each class by itself, picture by picture."""
    chosen: dict[str, list[int]] = {part: [] for part in shares}
    for label, members in enumerate(_by_class(records, classes)):
        if len(members) < len(shares):
            raise DataError(
                f"class {classes[label]!r} has {len(members)} "
                f"{'picture' if len(members) == 1 else 'pictures'}, too few for {what}; add pictures until "
                f"it has at least {len(shares)}, or remove the class."
            )
        shuffled = in_drawn_order(members, records, seed)
        start = 0
        for part, count in _counts(len(members), shares).items():
            chosen[part] += shuffled[start : start + count]
            start += count
    return chosen


def _cut_groups(
    records: Sequence[ImageRecord], classes: Sequence[str], shares: Mapping[str, float], seed: int, what: str
) -> dict[str, list[int]]:
    """Cut group by group, each class's share as near as groups allow."""
    groups = units_of(records)
    held = [{records[index].label for index in members} for members in groups.values()]
    holding = Counter(label for labels in held for label in labels)
    holders = [holding[label] for label in range(len(classes))]
    for name, count in zip(classes, holders, strict=True):
        if count < len(shares):
            raise DataError(
                f"class {name!r} has {count} {'group' if count == 1 else 'groups'}, too few for {what} that "
                f"keeps groups together; add groups until it has at least {len(shares)}, or remove the "
                f"class.{_of_near_duplicates(records)}"
            )
    queues: dict[int, list[list[int]]] = {}
    drawn = sorted(zip(groups.items(), held, strict=True), key=lambda each: _draw(each[0][0][1], seed))
    for (_, members), labels in drawn:
        # The class in the fewest groups decides: it has the least room, and the others find their place.
        fewest = min(labels, key=lambda label: (holders[label], label))
        queues.setdefault(fewest, []).append(members)
    chosen: dict[str, list[int]] = {part: [] for part in shares}
    for queue in queues.values():
        for part, members in _cut_queue(queue, shares):
            chosen[part] += members
    for part, indices in chosen.items():
        _check_all_there({records[index].label for index in indices}, part, classes, holders)
    return chosen


def _of_near_duplicates(records: Sequence[ImageRecord]) -> str:
    if all(record.alike is None for record in records):
        return ""
    return (
        " Pictures that look alike are one group here; --near-duplicates ignore (near_duplicates='ignore') "
        "takes each for itself."
    )


def _check_all_there(found: set[int], part: str, classes: Sequence[str], holders: Sequence[int]) -> None:
    absent = [label for label in range(len(classes)) if label not in found]
    if absent:
        raise DataError(
            f"class {classes[absent[0]]!r} has {holders[absent[0]]} groups, and none of them fell into "
            f"{part}, since they hold other classes too; take another seed, add groups of this class, or "
            "say yourself which group is in which part."
        )


def _by_class(records: Sequence[ImageRecord], classes: Sequence[str]) -> list[list[int]]:
    members: list[list[int]] = [[] for _ in classes]
    for index, record in enumerate(records):
        members[record.label].append(index)
    return members


def units_of(records: Sequence[ImageRecord]) -> dict[tuple[bool, str], list[int]]:
    """Collect what stays together, by group, by looks, and by any chain of both.

    Returns:
        Indices by (whether there is no group in it, its first group's name or else its first path), sorted:
        a picture without a group is told from a group of its path's name.
    """
    bound = _Bound()
    for index, record in enumerate(records):
        if record.group is not None:
            bound.join(index, ("group", record.group))
        if record.alike is not None:
            bound.join(index, ("alike", record.alike))
    members: dict[object, list[int]] = {}
    for index in range(len(records)):
        members.setdefault(bound.root(index), []).append(index)
    named = {}
    for indices in members.values():
        groups = [group for index in indices if (group := records[index].group) is not None]
        name = min(groups) if groups else min(records[index].path for index in indices)
        named[not groups, name] = indices
    return dict(sorted(named.items()))


class _Bound:
    """Which things are joined, by any chain (union-find with path halving)."""

    def __init__(self) -> None:
        self._above: dict[object, object] = {}

    def root(self, thing: object) -> object:
        while (above := self._above.setdefault(thing, thing)) != thing:
            self._above[thing] = thing = self._above[above]
        return thing

    def join(self, one: object, other: object) -> None:
        self._above[self.root(one)] = self.root(other)


def _cut_queue(queue: Sequence[list[int]], shares: Mapping[str, float]) -> Iterator[tuple[str, list[int]]]:
    """Give each group of a queue its part: that in which the middle of the group's stretch lies.

    A group larger than all that is not to be learnt from comes first, and so is learnt from. Every part
    gets a group where there are enough.
    """
    total = sum(map(len, queue))
    kept_back = total * (1 - shares[next(iter(shares))])
    queue = sorted(queue, key=lambda members: len(members) <= kept_back)
    ends = list(accumulate(map(len, queue)))
    middles = [end - len(members) / 2 for end, members in zip(ends, queue, strict=True)]
    cuts = [0]
    for number, share in enumerate(list(accumulate(shares.values()))[:-1], start=1):
        # Rounding noise must not decide, as below.
        cut = sum(round(middle - share * total, 9) < 0 for middle in middles)
        if len(queue) >= len(shares):
            cut = min(max(cut, cuts[-1] + 1), len(queue) - (len(shares) - number))
        cuts.append(cut)
    for part, (start, stop) in zip(shares, pairwise([*cuts, len(queue)]), strict=True):
        for members in queue[start:stop]:
            yield part, members


def in_drawn_order(members: Iterable[int], records: Sequence[ImageRecord], seed: int) -> list[int]:
    """Order records at random, by seed and path alone."""
    return sorted(members, key=lambda index: _draw(records[index].path, seed))


def _draw(name: str, seed: int) -> bytes:
    """Give a picture or a group its place in the queue: random over names, the same in every run."""
    # File names are bytes to the system, and not always valid text.
    return hashlib.sha256(f"{seed}\0".encode() + os.fsencode(name)).digest()


def _counts(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Share out ``total`` by largest remainder, at least one each."""
    counts = {part: max(1, int(total * share)) for part, share in shares.items()}
    # Rounding noise must not decide: 0.15 * 20 is 3, not 2.999….
    lacking = {part: round(total * share - counts[part], 9) for part, share in shares.items()}
    while sum(counts.values()) != total:
        step = 1 if sum(counts.values()) < total else -1
        open_parts = [part for part in counts if step > 0 or counts[part] > 1]
        part = max(open_parts, key=lambda part: step * lacking[part])
        counts[part] += step
        lacking[part] -= step
    return counts

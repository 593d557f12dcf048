"""What cannot be read is left out of a data set, and told of; what looks alike is kept together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tfxfer import runtime
from tfxfer.contracts import NEAR_DUPLICATES, PARTS, ImageRecord, LeftOut, NearDuplicates, Part, Split
from tfxfer.data.auditing.door import NEAR_BITS
from tfxfer.data.auditing.findings import shown
from tfxfer.data.auditing.looking import look_at_photos
from tfxfer.data.auditing.remembered import cache_file
from tfxfer.data.auditing.verdicts import lookalikes
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.decode import MAX_PIXELS
from tfxfer.data.splits.binding import bind, is_cut_by_seed, straddling
from tfxfer.errors import DataError, SettingError

__all__ = ["MAX_BAD", "check_cleaning", "clean"]

MAX_BAD = 0.05
"""More bad pictures than this share are a sign that something else is wrong."""

_NAMED_AT_MOST = 10


def clean(
    photos: Photos,
    *,
    max_bad: float = MAX_BAD,
    near_duplicates: NearDuplicates = "together",
    progress: bool = True,
    console: Console | None = None,
) -> Photos:
    """Look at every picture once: leave out those that cannot be read, and keep near duplicates together.

    What is left out is what ``tfxfer.audit`` calls unreadable or oversized. It is told on standard
    error, kept in ``Photos.left_out``, and written to ``left_out.json`` of a bundle. The parts of the
    split lose those pictures.

    Where duplicates or near duplicates, as ``tfxfer.audit`` finds them, are in several parts, what the seed
    cut is cut anew so that none are: they are bound like a group, with the groups that they are in. A
    split that was given, or made in another way, stays as it is, and what leaks is told.

    Files that have not changed since an earlier look or audit are taken from the user's cache folder, and
    ``tfxfer.fit`` does not look again. Pictures that are not files (arrays, shards, TensorFlow Datasets) are
    gone through once, in their own order.

    Args:
        photos: A data set.
        max_bad: The largest share of bad pictures that is put up with, in 0..1; 0 puts up with none.
        near_duplicates: ``"together"``, or ``"ignore"`` to leave the split as it is.
        progress: Whether to show a bar on standard error where somebody watches.
        console: Where the bar and the names go; None is standard error.

    Returns:
        The data set, cleaned.

    Raises:
        DataError: There are more bad pictures; or a class has lost the last one it had in a part, or has
            too few groups of what looks alike for a split.
        SettingError: ``max_bad`` is out of its range, or ``near_duplicates`` is neither.
    """
    check_cleaning(max_bad=max_bad, near_duplicates=near_duplicates)
    paths = [record.path for record in photos.records]
    look = look_at_photos(photos, max_pixels=MAX_PIXELS, progress=progress, console=console)
    reasons = {index: fact.reason for index, fact in enumerate(look.facts) if fact.state != "readable"}
    parts = {index: part for part in PARTS for index in photos.split[part]}
    bad = [
        LeftOut(record.path, record.label, parts.get(index), reasons[index], record.target)
        for index, record in enumerate(photos.records)
        if index in reasons
    ]
    kept = _without(photos, reasons)
    if bad:
        _check_few(photos, bad, max_bad)
        _check_classes_left(photos, kept, bad)
        _tell(console, _about_bad(photos, bad))
    if near_duplicates == "together":
        groups = lookalikes(paths, look.facts, near_bits=NEAR_BITS)
        kept = bind(kept, groups, cut_anew=is_cut_by_seed(photos))
        if leaks := straddling(kept):
            _tell(console, _about_leaks(leaks))
    return replace(kept, left_out=(*(photos.left_out or ()), *bad))


def check_cleaning(*, max_bad: float, near_duplicates: NearDuplicates) -> None:
    """Refuse settings that ``clean`` does not know.

    Raises:
        SettingError: ``max_bad`` is not in 0..1, or ``near_duplicates`` neither of the two.
    """
    if near_duplicates not in NEAR_DUPLICATES:
        raise SettingError(f"near_duplicates must be 'together' or 'ignore', got {near_duplicates!r}.")
    if not 0 <= max_bad <= 1:
        raise SettingError(f"max_bad must be in 0..1, got {max_bad:g}; 0.05 is 5 %.")


def _without(photos: Photos, dropped: Collection[int]) -> Photos:
    """Take records out of a data set; what is left keeps its order and its parts."""
    left = [index for index in range(len(photos.records)) if index not in dropped]
    new = {index: number for number, index in enumerate(left)}
    records: tuple[ImageRecord, ...] = tuple(photos.records[index] for index in left)
    train, validation, test = (
        tuple(new[index] for index in photos.split[part] if index in new) for part in PARTS
    )
    split = Split(train, validation, test, seed=photos.split.seed, given=photos.split.given)
    return replace(photos, records=records, split=split)


def _check_few(photos: Photos, bad: Sequence[LeftOut], max_bad: float) -> None:
    share = len(bad) / len(photos)
    if share <= max_bad:
        return
    file = _written(photos, bad)
    where = f"{file} lists them all, these first" if file else "they are"
    raise DataError(
        f"{len(bad):,} of {_count(len(photos))} ({share:.1%}) cannot be read, and at most {max_bad:.1%} "
        f"may be bad; mend or remove them, or allow more with --max-bad (max_bad=…); {where}:\n"
        + _names(photos, bad[:_NAMED_AT_MOST] if file else bad)
    )


def _check_classes_left(photos: Photos, kept: Photos, bad: Sequence[LeftOut]) -> None:
    shown = {record.path: _shown(photos, record) for record in photos.records}
    for part in PARTS:
        before = {label for index in photos.split[part] for label in shown[photos.records[index].path]}
        after = {label for index in kept.split[part] for label in shown[kept.records[index].path]}
        for label in sorted(before - after):
            lost = [each for each in bad if each.part == part and label in shown[each.path]]
            noun = "its only picture" if len(lost) == 1 else f"all {len(lost):,} pictures of it"
            raise DataError(
                f"class {photos.classes[label]!r} has nothing left in {part}, since {noun} there cannot be "
                f"read; mend them or add others:\n{_names(photos, lost[:_NAMED_AT_MOST])}"
            )


def _shown(photos: Photos, record: ImageRecord) -> tuple[int, ...]:
    """Return the classes that a picture shows; for regression all its numbers, which every picture has."""
    if photos.task == "regression":
        return tuple(range(len(photos.classes)))
    return (record.label,) if record.target is None else tuple(map(int, record.target))


def _about_bad(photos: Photos, bad: Sequence[LeftOut]) -> str:
    verb = "is" if len(bad) == 1 else "are"
    return (
        f"{len(bad):,} of {_count(len(photos))} cannot be read and {verb} left out; Photos.left_out names "
        f"all, and so does left_out.json in a bundle:\n{_names(photos, bad[:_NAMED_AT_MOST])}{_more(bad)}"
    )


def _about_leaks(leaks: Sequence[Mapping[str, Part]]) -> str:
    noun, verb = ("group", "is") if len(leaks) == 1 else ("groups", "are")
    named = "\n".join(
        "  " + ", ".join(f"{shown(path)} ({part})" for path, part in placed.items())
        for placed in leaks[:_NAMED_AT_MOST]
    )
    return (
        f"{len(leaks):,} {noun} of pictures that look alike {verb} in several parts of a split that was "
        f"given, and that is kept: the model is judged by what it has learnt from:\n{named}{_more(leaks)}"
    )


def _more(items: Sequence[object]) -> str:
    more = len(items) - _NAMED_AT_MOST
    return f"\n  … and {more:,} more" if more > 0 else ""


def _tell(console: Console | None, text: str) -> None:
    (console or Console(stderr=True)).print(text, markup=False, highlight=False, soft_wrap=True)


def _written(photos: Photos, bad: Sequence[LeftOut]) -> Path | None:
    """Write the whole list to the user's cache folder, as no bundle will hold it; None where that fails."""
    file = cache_file(Path(str(photos.source))).with_suffix(".unreadable.txt")
    try:
        with runtime.whole_file(file) as draft:
            draft.write_text(_names(photos, bad) + "\n", encoding="utf-8")
    except (OSError, SettingError):
        return None  # the message then names them all
    return file


def _names(photos: Photos, bad: Sequence[LeftOut]) -> str:
    return "\n".join(f"  {shown(photos.source.name_of(each.path))} {shown(each.reason)}" for each in bad)


def _count(pictures: int) -> str:
    return f"{pictures:,} {'picture' if pictures == 1 else 'pictures'}"

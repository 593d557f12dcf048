"""Pictures that come in parts, each with its name and label, become one data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

from tfxfer.contracts import PARTS, ImageRecord, Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import RandomAccess, Seen
from tfxfer.data.sources.labelling import Labelling, labels_of
from tfxfer.data.splits.cutting import PART_NAMES, complete_split
from tfxfer.errors import DataError, SettingError, did_you_mean

if TYPE_CHECKING:
    from tfxfer.data.pixels.streaming import Stream

__all__ = ["assembled", "assembled_rows", "class_names", "named_parts"]

_Anything = TypeVar("_Anything")


def named_parts(name: str, given: Mapping[str, _Anything]) -> dict[Part, _Anything]:
    """Tell what people call the parts, in the parts' own order.

    Raises:
        SettingError: A name is none of a part, two are of one, or none is of the training part.

    >>> named_parts("the arrays", {"test": 3, "Training": 1, "val": 2})
    {'train': 1, 'validation': 2, 'test': 3}
    """
    named: dict[Part, str] = {}
    for word in given:
        if word.lower() not in PART_NAMES:
            hint = did_you_mean(word, PART_NAMES) or "."
            raise SettingError(
                f"{name}: no part {word!r}{hint} A part is called train, validation (or val) or test."
            )
        part = PART_NAMES[word.lower()]
        if part in named:
            raise SettingError(f"{name}: {named[part]!r} and {word!r} are both the {part} part; keep one.")
        named[part] = word
    if "train" not in named:
        raise SettingError(
            f"{name}: no part is train, only {', '.join(given) or 'nothing'}; call train what is to be "
            "learnt from."
        )
    return {part: given[named[part]] for part in PARTS if part in named}


def class_names(
    name: str, labels: Iterable[str], classes: Sequence[str] | None, *, numbers: bool
) -> dict[str, str]:
    """Say which class each label stands for, in the order of the classes.

    Args:
        name: What messages call the source.
        labels: Labels as text.
        classes: Class names; None takes the labels as names, numbers by size and text by the alphabet.
        numbers: Whether labels are integers, and so indices into the classes.

    Raises:
        DataError: A label is no index into the classes, or none of them.
        SettingError: Two classes have one name.

    >>> class_names("the arrays", ["1", "0"], ["cat", "dog"], numbers=True)
    {'0': 'cat', '1': 'dog'}
    >>> class_names("the arrays", ["10", "9", "10"], None, numbers=True)
    {'9': '9', '10': '10'}
    """
    found = set(labels)
    if classes is None:
        return {label: label for label in sorted(found, key=int if numbers else None)}
    if len(set(classes)) != len(classes):
        raise SettingError(f"{name}: classes must each have a name of their own, got {', '.join(classes)}.")
    meanings = {str(index) if numbers else each: each for index, each in enumerate(classes)}
    strange = sorted(found - meanings.keys())
    if strange:
        wanted = f"0..{len(classes) - 1}, indices into" if numbers else "among"
        raise DataError(
            f"{name} has label {strange[0]!r}, and labels must be {wanted} the classes {', '.join(classes)}; "
            "give all classes, or none to take the labels as they are."
        )
    return meanings


def assembled(
    source: RandomAccess | Stream,
    parts: Mapping[Part, Sequence[Seen]],
    *,
    meanings: Mapping[str, str],
    seed: int,
    resize: Resize,
) -> Photos:
    """Make the data set, of parts that are given or of one that is to be cut.

    Args:
        source: Where pixels are got.
        parts: Part -> its pictures, in the source's order; where there is ``"train"`` alone, it is cut.
        meanings: Label -> class, in the order of the classes.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size.

    Raises:
        DataError: There is one class only, one that cannot be learnt, or one with too few pictures or
            groups; a part is empty, or shares a picture or a group with another.
    """
    classes = tuple(dict.fromkeys(meanings.values()))
    if len(classes) < 2:
        raise DataError(
            f"{source} holds one class only ({', '.join(classes) or 'none'}); a classifier needs at least "
            "two."
        )
    _check_parts(source, parts, lambda each: (meanings[each.label],))
    numbers = {label: classes.index(meaning) for label, meaning in meanings.items()}
    pictures = [each for part in parts.values() for each in part]
    records = [ImageRecord(each.key, numbers[each.label], each.group) for each in pictures]
    split = complete_split(records, _members(parts), classes=classes, seed=seed)
    return Photos(source, classes, tuple(records), split, resize)


def assembled_rows(
    source: RandomAccess | Stream,
    parts: Mapping[Part, Sequence[Seen]],
    *,
    names: Sequence[str],
    task: Task,
    seed: int,
    resize: Resize,
) -> Photos:
    """Make the data set of pictures that show several classes, or have numbers.

    Args:
        source: Where pixels are got.
        parts: As for ``assembled``; what each picture shows is in ``Seen.shown``.
        names: Of the classes, or of the numbers.
        task: ``"multi_label"`` or ``"regression"``.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size.

    Raises:
        DataError: A class is in no picture, in too few, or not in the training part; or a part is empty, or
            shares a picture or a group with another.
    """
    several = task == "multi_label"
    _check_parts(source, parts, lambda each: tuple(map(str, each.shown or ())) if several else ())
    pictures = [each for part in parts.values() for each in part]
    if several:
        _check_counts(source, pictures, names, cut=len(parts) == 1)
    shown = [each.shown or () for each in pictures]
    found = labels_of(Labelling(task, tuple(names)), shown)
    records = tuple(
        ImageRecord(each.key, label, each.group, target)
        for each, label, target in zip(pictures, found.labels, found.targets, strict=True)
    )
    split = complete_split(records, _members(parts), classes=found.strata, seed=seed)
    learnt = {label for index in split.train for label in records[index].target or ()}
    absent = [name for label, name in enumerate(names) if several and label not in learnt]
    if absent:
        raise DataError(
            f"{source} has few pictures of class {absent[0]!r}, and none of them fell into train; take "
            "another seed, add some, give the parts yourself, or leave the class out."
        )
    return Photos(source, found.classes, records, split, resize, task=task, strata=found.strata)


def _members(parts: Mapping[Part, Sequence[Seen]]) -> dict[Part, range]:
    ends = list(accumulate(map(len, parts.values())))
    return {part: range(end - len(parts[part]), end) for part, end in zip(parts, ends, strict=True)}


def _check_counts(
    source: RandomAccess | Stream, pictures: Sequence[Seen], names: Sequence[str], *, cut: bool
) -> None:
    counts = Counter(name for each in pictures for name in each.shown or ())
    for name in names:
        if not counts[name]:
            raise DataError(f"{source} has no picture that shows class {name!r}; leave it out, or add some.")
        if cut and counts[name] < len(PARTS):
            noun = "picture" if counts[name] == 1 else "pictures"
            raise DataError(
                f"{source} has {counts[name]} {noun} of class {name!r}, too few for a split into "
                f"{', '.join(PARTS)}; add some until there are {len(PARTS)}, or leave the class out."
            )


def _check_parts(
    source: RandomAccess | Stream,
    parts: Mapping[Part, Sequence[Seen]],
    shown: Callable[[Seen], tuple[str, ...]],
) -> None:
    keys: dict[str, Part] = {}
    groups: dict[str, Part] = {}
    learnt = {name for each in parts["train"] for name in shown(each)}
    for part, pictures in parts.items():
        if not pictures:
            raise DataError(f"{source} has nothing in {part}; put pictures there, or leave the part out.")
        for each in pictures:
            if each.key in keys:
                raise DataError(
                    f"{source} has {each.key} twice, in {keys[each.key]} and in {part}; each picture belongs "
                    "to one part, once."
                )
            keys[each.key] = part
            if each.group is not None and groups.setdefault(each.group, part) != part:
                raise DataError(
                    f"{source} has group {each.group!r} in {groups[each.group]} and in {part}: what is "
                    "learnt from would judge itself. Put each group in one part."
                )
            if absent := [name for name in shown(each) if name not in learnt]:
                raise DataError(
                    f"{source} has class {absent[0]!r} in {part}, and none of it in train; give train some "
                    "of it, or remove it."
                )

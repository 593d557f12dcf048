"""Pictures that come in parts, each with its name and label, become one data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from tfxfer.contracts import PARTS, ImageRecord, Part, Resize
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import RandomAccess, Seen
from tfxfer.data.splits.cutting import PART_NAMES, complete_split
from tfxfer.errors import DataError, SettingError, did_you_mean

if TYPE_CHECKING:
    from tfxfer.data.pixels.streaming import Stream

__all__ = ["assembled", "class_names", "named_parts"]

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
    _check_parts(source, parts, meanings)
    numbers = {label: classes.index(meaning) for label, meaning in meanings.items()}
    records: list[ImageRecord] = []
    members: dict[Part, range] = {}
    for part, pictures in parts.items():
        members[part] = range(len(records), len(records) + len(pictures))
        records += [ImageRecord(each.key, numbers[each.label], each.group) for each in pictures]
    split = complete_split(records, members, classes=classes, seed=seed)
    return Photos(source, classes, tuple(records), split, resize)


def _check_parts(
    source: RandomAccess | Stream, parts: Mapping[Part, Sequence[Seen]], meanings: Mapping[str, str]
) -> None:
    keys: dict[str, Part] = {}
    groups: dict[str, Part] = {}
    learnt = {meanings[each.label] for each in parts["train"]}
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
            if meanings[each.label] not in learnt:
                raise DataError(
                    f"{source} has class {meanings[each.label]!r} in {part}, and none of it in train; give "
                    "train some of it, or remove it."
                )

"""Pictures in NumPy arrays become a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.contracts import Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Content, RandomAccess, Seen
from tfxfer.data.sources.assembly import assembled, class_names, named_parts
from tfxfer.data.sources.rows import Row, check_task, from_rows, label_rows
from tfxfer.errors import DataError, SettingError

__all__ = ["from_arrays"]

_NAME = "the arrays"


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays(RandomAccess):
    """Pictures in memory; one's name is its part and position."""

    pictures: Mapping[str, npt.NDArray[np.uint8]]

    def __str__(self) -> str:
        return _NAME

    def content(self, key: str) -> Content:
        return self.pictures[key]


def from_arrays(
    images: Any,
    labels: Any,
    *,
    classes: Sequence[str] | None = None,
    task: Task = "single_label",
    groups: Any = None,
    seed: int = 0,
    resize: Resize = "crop",
) -> Photos:
    """Take pictures in memory as records, classes and a split; pixels stay where they are.

    A picture is called by its part and position, such as ``train/000012``, or ``000012`` where no parts
    are given.

    Args:
        images: Pixels, uint8 in 0..255: an array of shape (pictures, height, width), grey, or (pictures,
            height, width, channels) with 1, 3 (RGB) or 4 (RGBA) channels; or a list of such pictures of
            several sizes; or a dictionary from part (train, validation or val, test) to either. Two parts
            alone are training and test, and training alone is cut into all three.
        labels: One a picture: integers or text, of shape (pictures,) or (pictures, 1). For several labels
            1 for each class that a picture shows and 0 for the others, of shape (pictures, classes), or
            lists of names; for regression numbers, of shape (pictures,) or (pictures, numbers). Or a
            dictionary.
        classes: Class names, of which integer labels are indices; None takes the labels as names. Where
            there are several columns or numbers, their names; None counts them.
        task: What is learnt: ``"single_label"``, ``"multi_label"`` or ``"regression"``.
        groups: What must stay in one part, such as a patient, one a picture, None or "" for none; or a
            dictionary; or None.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size, as in ``from_folder``.

    Returns:
        The data set.

    Raises:
        DataError: Pixels or labels are of another kind or shape, numbers of pictures and labels differ,
            a label is none of the classes, or there are too few pictures of a class.
        SettingError: Parts are called otherwise, there is no such task, or ``resize`` is neither way.

    >>> images = np.zeros((40, 8, 8, 3), np.uint8)
    >>> print(from_arrays(images, [0, 1] * 20, classes=["cat", "dog"]))
    class       train  validation        test
    cat            14           3           3
    dog            14           3           3
    """
    check_task(task)
    divided = isinstance(images, Mapping)
    for role, given in (("labels", labels), ("groups", groups)):
        if given is not None and (
            isinstance(given, Mapping) != divided or (divided and set(given) != set(images))
        ):
            raise SettingError(
                f"{role} must be given as images are, "
                f"{'a dictionary of the parts ' + ', '.join(images) if divided else 'undivided'}."
            )
    pictures: dict[str, npt.NDArray[np.uint8]] = {}
    seen: dict[Part, list[Seen]] = {}
    truths: list[int | str | None] = []
    rows: list[Row] = []
    for part, word in named_parts(
        _NAME, {word: word for word in images} if divided else {"train": ""}
    ).items():
        where = f"images[{word!r}]" if word else "images"
        held = _pictures(where, images[word] if word else images)
        truth = labels[word] if word else labels
        if task == "single_label":
            truths += _values("labels", where, truth, len(held))
        else:
            rows += label_rows(where, truth, len(held), task=task)
        shared = groups[word] if word and groups is not None else groups
        bound = [None] * len(held) if shared is None else _values("groups", where, shared, len(held))
        keys = [f"{part}/{number:06}" if word else f"{number:06}" for number in range(len(held))]
        pictures.update(zip(keys, held, strict=True))
        seen[part] = [
            Seen(key, "", None if group in (None, "") else str(group))
            for key, group in zip(keys, bound, strict=True)
        ]
    source = _Arrays(pictures)
    if task != "single_label":
        return from_rows(source, seen, rows, classes=classes, task=task, seed=seed, resize=resize)
    meanings = class_names(_NAME, map(str, truths), classes, numbers=set(map(type, truths)) == {int})
    known = iter(truths)
    labelled = {part: [replace(each, label=str(next(known))) for each in own] for part, own in seen.items()}
    return assembled(source, labelled, meanings=meanings, seed=seed, resize=resize)


def _pictures(where: str, images: Any) -> list[npt.NDArray[np.uint8]]:
    """Return the pictures one by one, as views."""
    held = list(images) if isinstance(images, list | tuple) else np.asarray(images)
    pictures = [np.asarray(each) for each in held] if getattr(held, "ndim", 1) else []
    for number, picture in enumerate(pictures):
        _check_picture(f"{where}[{number}]", picture)
    if not pictures:
        raise DataError(f"{where} holds no pictures; give an array of shape (pictures, height, width, 3).")
    return pictures


def _check_picture(where: str, picture: npt.NDArray[Any]) -> None:
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (1, 3, 4)):
        channels_first = picture.ndim == 3 and picture.shape[0] in (1, 3, 4)
        hint = "; np.moveaxis(image, 0, -1) brings channels to the end" if channels_first else ""
        raise DataError(
            f"{where} has shape {picture.shape}; a picture has (height, width) or (height, width, channels), "
            f"with 1, 3 or 4 channels{hint}."
        )
    if not picture.size:
        raise DataError(f"{where} has shape {picture.shape} and no pixels; remove it.")
    if picture.dtype != np.uint8:
        raise DataError(
            f"{where} is {picture.dtype}, and pixels are uint8 in 0..255; give images.astype('uint8') where "
            "they are in that range, or (images * 255).round().astype('uint8') where they are in 0..1."
        )


def _values(role: str, where: str, values: Any, count: int) -> list[int | str | None]:
    """Return labels or groups, one a picture, as integers or text."""
    given = np.asarray(values, object if isinstance(values, list | tuple) else None)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 1 or len(given) != count:
        hint = ""
        if given.ndim == 2:
            hint = (
                "; labels.argmax(axis=1) makes indices of one-hot rows, task='multi_label' takes several "
                "labels, task='regression' numbers"
            )
        raise DataError(
            f"{role} must be one a picture, of shape ({count},) since {where} has {count}, got "
            f"{given.shape}{hint}."
        )
    return [_value(role, number, value) for number, value in enumerate(given.tolist())]


def _value(role: str, number: int, value: Any) -> int | str | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if value is None and role == "groups":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        hint = "; task='regression' takes numbers" if isinstance(value, float) and role == "labels" else ""
        raise DataError(
            f"{role}[{number}] is {value!r}, a {type(value).__name__}; {role} are integers or text{hint}."
        )
    if isinstance(value, int):
        return value
    text = value.strip()
    if not text.isprintable() or (not text and role == "labels"):
        raise DataError(f"{role}[{number}] is {value!r}, which cannot be written down; give it another name.")
    return text

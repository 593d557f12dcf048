"""Other cuts of the same pictures: folds that each judge once, and a few pictures a class to learn from."""

from __future__ import annotations

from dataclasses import replace

from tfxfer.contracts import PARTS, Part, Split
from tfxfer.data.photos import Photos
from tfxfer.data.splits.cutting import cut_into, in_drawn_order, units_of
from tfxfer.errors import DataError, SettingError

__all__ = ["at_most", "few_shot", "k_folds"]


def k_folds(photos: Photos, k: int, *, seed: int = 0) -> tuple[Photos, ...]:
    """Cut what is not the test part into k folds, as ``Photos.folds`` says."""
    if k < 2:
        raise SettingError(f"k must be at least 2 folds, got {k}.")
    pool = sorted((*photos.split.train, *photos.split.validation))
    names = [f"fold {number}" for number in range(1, k + 1)]
    chosen = cut_into(
        dict.fromkeys(names, 1 / k),
        [photos.records[index] for index in pool],
        classes=photos.label_names,
        seed=seed,
        what=f"a cut into {k} folds",
    )
    # What the folder or table laid down still holds of the test part, and of the others taken together.
    given: tuple[Part, ...] = ("train", "test") if "test" in photos.split.given else ()
    folds = []
    for name in names:
        held = {pool[position] for position in chosen[name]}
        train = tuple(index for index in pool if index not in held)
        split = Split(train, tuple(sorted(held)), photos.split.test, seed=seed, given=given)
        folds.append(replace(photos, split=split))
    return tuple(folds)


def few_shot(photos: Photos, k: int, *, seed: int = 0) -> Photos:
    """Keep k pictures a class in the training part, as ``Photos.few`` says."""
    if k < 1:
        raise SettingError(f"k must be at least 1 picture a class, got {k}.")
    if photos.task != "single_label":
        raise SettingError(f"few is for one class a picture (single_label), got {photos.task}.")
    # A second picture of a group, or of what looks alike, comes when every other has given one.
    turn: dict[int, int] = {}
    for members in units_of([photos.records[index] for index in photos.split.train]).values():
        for label in range(len(photos.label_names)):
            own = [photos.split.train[each] for each in members]
            own = [index for index in own if photos.records[index].label == label]
            turn |= {index: number for number, index in enumerate(in_drawn_order(own, photos.records, seed))}
    kept: list[int] = []
    for label, name in enumerate(photos.label_names):
        own = [index for index in photos.split.train if photos.records[index].label == label]
        if len(own) < k:
            raise DataError(
                f"class {name!r} has {len(own)} training {'picture' if len(own) == 1 else 'pictures'}, too "
                f"few for {k} a class; add pictures, or ask for fewer."
            )
        kept += sorted(in_drawn_order(own, photos.records, seed), key=lambda index: turn[index])[:k]
    return replace(photos, split=replace(photos.split, train=tuple(sorted(kept))))


def at_most(photos: Photos, part: Part, count: int, *, seed: int = 0) -> Photos:
    """Keep so many pictures of one part at most, whatever they show.

    Args:
        photos: The data set.
        part: Which part.
        count: How many pictures; at least 1. One that is in it several times counts once, and stays so.
        seed: Any integer; another seed keeps others.

    Returns:
        A data set of the same records.
    """
    own = photos.split[part]
    if len(set(own)) <= count:
        return photos
    kept = set(in_drawn_order(set(own), photos.records, seed)[:count])
    left = tuple(index for index in own if index in kept)
    others = {name: photos.split[name] for name in PARTS if name != part}
    split = Split(**{part: left, **others}, seed=photos.split.seed, given=photos.split.given)
    return replace(photos, split=split)

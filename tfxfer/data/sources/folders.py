"""A folder of class folders becomes records, with the split it lays down or one cut for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tfxfer.contracts import PARTS, ImageRecord, Part, Resize
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Files
from tfxfer.data.sources.layout import readable_below, subfolders
from tfxfer.data.splits.cutting import PART_NAMES, complete_split, stratified_split
from tfxfer.errors import DataError

__all__ = ["from_folder", "labelled_files"]


def from_folder(path: str | Path, *, seed: int = 0, resize: Resize = "crop") -> Photos:
    """Read a folder of pictures into records, classes and a split; no pixels yet.

    Either one folder a class, cut 70/15/15 by class; or ``train/``, ``validation/`` (or ``val/``)
    and ``test/`` with the class folders inside, taken as they are. Where only ``train/`` and one
    other are given, the other is the test set and validation is cut from ``train/``; where only
    ``train/`` is given, all three are cut from it.

    Args:
        path: The folder. JPEG, PNG, GIF, BMP, WebP and DICOM files count, their suffix in any letter case;
            hidden files and files of other kinds do not.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size: ``"crop"`` keeps the middle, ``"stretch"``
            keeps the edges and distorts.

    Returns:
        The data set.

    Raises:
        DataError: The folder is missing, holds no class folders or fewer than two classes, a class
            has too few pictures, or the parts disagree about the classes.
        SettingError: ``resize`` is neither.
    """
    root = Path(path)
    parts = _part_folders(subfolders(root))
    if len(parts) == 1:
        root, parts = parts["train"], {}
    photos = _fixed(root, parts, seed) if parts else _cut(root, seed)
    if len(photos.classes) < 2:
        raise DataError(
            f"{root} holds one class only ({photos.classes[0]}); a classifier needs at least two "
            "class folders side by side."
        )
    return replace(photos, resize=resize)


def labelled_files(path: str | Path, *, classes: Sequence[str]) -> tuple[list[Path], list[int]]:
    """List the pictures to judge a model by, with their true classes.

    Args:
        path: A folder of class folders, or one with a fixed split, of which the test part is taken.
        classes: The model's classes; the folder may lack some, and may not have others.

    Returns:
        Files, and as many indices into ``classes``.

    Raises:
        DataError: The folder is missing, holds no class folders, or one of an unknown class.
    """
    root = Path(path)
    parts = _part_folders(subfolders(root))
    if parts:
        root = parts.get("test") or parts.get("validation") or parts["train"]
    _, records = _list_class_folders(root, classes=classes)
    return [root / record.path for record in records], [record.label for record in records]


def _list_class_folders(
    root: Path, *, classes: Sequence[str] | None = None
) -> tuple[tuple[str, ...], list[ImageRecord]]:
    """List the pictures under a folder of class folders, with paths relative to it.

    ``classes`` are those that may occur, in their order; None takes the folders' names, sorted.
    """
    folders = {folder.name: readable_below(folder) for folder in subfolders(root)}
    if not any(folders.values()):
        raise DataError(
            f"{root} holds no pictures in class folders; put the pictures of each class in a folder "
            f"of its own, such as {root / 'cats'} and {root / 'dogs'}."
        )
    empty = sorted(name for name, images in folders.items() if not images)
    if empty:
        raise DataError(
            f"class {empty[0]!r} has no pictures ({root / empty[0]}); add some, or remove the folder."
        )
    unprintable = sorted(name for name in folders if not name.isprintable())
    if unprintable:
        raise DataError(
            f"class {unprintable[0]!r} has a name that cannot be written down; give its folder another one."
        )
    names = tuple(sorted(folders)) if classes is None else tuple(classes)
    unknown = sorted(set(folders) - set(names))
    if unknown:
        raise DataError(
            f"{root} has a class {unknown[0]!r} that is not among the known ones: {', '.join(names)}."
        )
    records = [
        ImageRecord(image.relative_to(root).as_posix(), names.index(name))
        for name in sorted(folders)
        for image in folders[name]
    ]
    return names, records


def _part_folders(folders: Sequence[Path]) -> dict[Part, Path]:
    """Return the folders of a fixed split, or nothing where the folders are classes.

    Classes may be called "train" and "test" too: a part's folder holds folders, a class's does not.

    Raises:
        DataError: It is meant as a fixed split, and is none.
    """
    parts = [folder for folder in folders if folder.name.lower() in PART_NAMES]
    training = [folder for folder in parts if PART_NAMES[folder.name.lower()] == "train"]
    if len(training) != 1 or not _class_folders(training[0]):
        return {}
    strange = [folder for folder in folders if folder not in parts and readable_below(folder)]
    unsorted = [folder for folder in parts if not _class_folders(folder) and readable_below(folder)]
    if strange or unsorted:
        odd = (strange + unsorted)[0]
        raise DataError(
            f"{training[0]} holds class folders, so {training[0].parent} is read as a fixed split, in which "
            f"{odd.name}/ has no place: a part is called train, validation or test and holds class "
            "folders; move or rename it."
        )
    named: dict[Part, Path] = {}
    for folder in filter(_class_folders, parts):
        part = PART_NAMES[folder.name.lower()]
        if part in named:
            raise DataError(f"{named[part]} and {folder} are both the {part} part; keep one.")
        named[part] = folder
    return {part: named[part] for part in PARTS if part in named}


def _class_folders(folder: Path) -> list[Path]:
    return [inside for inside in subfolders(folder) if readable_below(inside)]


def _cut(root: Path, seed: int) -> Photos:
    classes, records = _list_class_folders(root)
    if len(classes) > 1:
        split = stratified_split(records, classes=classes, seed=seed)
    else:
        split = stratified_split(records, classes=classes, shares={"train": 1.0}, seed=seed)
    return Photos(source=Files(root), classes=classes, records=tuple(records), split=split)


def _fixed(root: Path, parts: Mapping[Part, Path], seed: int) -> Photos:
    """Take the split as the folders give it."""
    classes, _ = _list_class_folders(parts["train"])
    records: list[ImageRecord] = []
    members: dict[Part, list[int]] = {}
    for part, folder in parts.items():
        _, found = _list_class_folders(folder, classes=classes)
        members[part] = list(range(len(records), len(records) + len(found)))
        records += [replace(each, path=f"{folder.name}/{each.path}") for each in found]
    split = complete_split(records, members, classes=classes, seed=seed)
    return Photos(source=Files(root), classes=classes, records=tuple(records), split=split)

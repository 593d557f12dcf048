"""The audit: every picture is looked at, and what is the matter is told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tfxfer.contracts import ImageRecord
from tfxfer.data.auditing.findings import Audit
from tfxfer.data.auditing.looking import Look, look_at_all, look_at_photos
from tfxfer.data.auditing.verdicts import judge_pictures
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Files
from tfxfer.data.pixels.decode import MAX_PIXELS
from tfxfer.data.sources.door import is_folder, read_photos
from tfxfer.data.sources.folders import from_folder
from tfxfer.data.sources.layout import Listed, Listing, list_everything
from tfxfer.data.sources.shard_index import is_shards
from tfxfer.data.sources.tables import DataFrame
from tfxfer.errors import DataError, SettingError

__all__ = ["NEAR_BITS", "audit"]

NEAR_BITS = 6
"""Resized, re-encoded and grey copies of photographs differ in fewer bits, brightened ones nearly all."""


def audit(
    photos: Photos | str | Path | DataFrame,
    *,
    near_bits: int = NEAR_BITS,
    max_pixels: int = MAX_PIXELS,
    use_cache: bool = True,
    progress: bool = True,
) -> Audit:
    """Look at every picture once and say what is the matter with the set.

    Pictures are decoded on all cores, with progress on standard error; a bad one is named and the others
    go on. A folder need not be one that ``from_folder`` takes: one class, no class folders or an odd
    layout are audited too.

    Near duplicates are pictures whose perceptual hashes (64 bits, of the 32 x 32 grey values' DCT)
    differ in at most ``near_bits`` bits and that, brought to 16 x 16 grey values, correlate by 0.95 or
    more; or that a chain of such pairs connects: copies in another size, format, quality or
    brightness. Mirrored, turned or cut pictures are not; series of one scene may be.

    A leak is a picture with a duplicate or near duplicate in another part, where the folder itself lays
    the parts down; parts that a seed cuts are not judged.

    Of several labels, classes are counted by the pictures that show them, and labels conflict where they are
    not all the same; so do numbers, and no classes are counted. Pictures that are not files are gone through
    once, and nothing of them is remembered.

    Args:
        photos: A data set; or a folder of pictures, shards, a table or ``"tfds:"`` and a name, read as it is.
        near_bits: How many bits may differ, in 0..16; 0 keeps to equal hashes.
        max_pixels: Pictures whose header claims more are not decoded; from 1 to 64,000,000, beyond which
            nothing here decodes.
        use_cache: Whether files that have not changed (path, size, time of change) since an earlier
            audit are taken from the user's cache folder, and this one is kept there.
        progress: Whether to show how far it is, on standard error.

    Returns:
        What was found.

    Raises:
        DataError: The folder is missing or holds no pictures; or what is not a folder cannot be read.
        SettingError: ``near_bits`` or ``max_pixels`` is out of its range.

    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, colours in (("cats", "red blue"), ("dogs", "blue")):
    ...     (folder / name).mkdir()
    ...     for colour in colours.split():
    ...         Image.new("RGB", (64, 64), colour).save(folder / name / f"{colour}.png")
    >>> found = audit(folder, use_cache=False)
    >>> found.duplicates
    (('cats/blue.png', 'dogs/blue.png'),)
    >>> found.conflicting_labels[0].files
    {'cats/blue.png': 'cats', 'dogs/blue.png': 'dogs'}
    >>> dict(found.class_counts)
    {'cats': 2, 'dogs': 1}
    """
    if not 0 <= near_bits <= 16:
        raise SettingError(
            f"near_bits must be in 0..16, got {near_bits}; 0 keeps to equal hashes, and beyond 16 of 64 bits "
            "pictures have nothing in common."
        )
    if not 1 <= max_pixels <= MAX_PIXELS:
        raise SettingError(
            f"max_pixels must be in 1..{MAX_PIXELS}, got {max_pixels}; larger pictures are never decoded."
        )
    looking: dict[str, Any] = {"max_pixels": max_pixels, "use_cache": use_cache, "progress": progress}
    if not isinstance(photos, Photos) and (not is_folder(photos) or is_shards(Path(photos))):
        photos = read_photos(photos)
    if not isinstance(photos, Photos):
        root = Path(photos)
        listing, refused = list_everything(root), _refusal(root)
        paths = [picture.path for picture in listing.pictures]
        look = look_at_all(root, paths, **looking)
        _tell(look, progress)
        return judge_pictures(root, listing, look.facts, near_bits=near_bits, refused=refused)
    look = look_at_photos(photos, **looking)
    _tell(look, progress)
    in_order = sorted(range(len(photos)), key=lambda index: photos.records[index].path)
    return judge_pictures(
        photos.root if isinstance(photos.source, Files) else str(photos.source),
        _listing_of(photos, in_order),
        [look.facts[index] for index in in_order],
        near_bits=near_bits,
        refused=None,
    )


def _listing_of(photos: Photos, in_order: Sequence[int]) -> Listing:
    parts = {index: part for part in photos.split.given for index in photos.split[part]}
    # Where validation is cut from the training part, the folder laid down that both are training.
    if photos.split.given and "validation" not in photos.split.given:
        parts |= dict.fromkeys(photos.split.validation, "train")
    pictures = tuple(
        Listed(record.path, _label(photos, record), parts.get(index), _classes(photos, record))
        for index, record in ((index, photos.records[index]) for index in in_order)
    )
    return Listing(pictures, () if photos.task == "regression" else photos.classes, ())


def _label(photos: Photos, record: ImageRecord) -> str:
    """Say what a picture shows, so that it is the same where that is the same."""
    if photos.task == "regression":
        numbers = zip(photos.classes, record.target or (), strict=True)
        return ", ".join(f"{name} {number:g}" for name, number in numbers)
    return " and ".join(_classes(photos, record)) or "none of the classes"


def _classes(photos: Photos, record: ImageRecord) -> tuple[str, ...]:
    if photos.task == "regression":
        return ()
    shown = (record.label,) if record.target is None else map(int, record.target)
    return tuple(photos.classes[label] for label in shown)


def _refusal(root: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # formats that are not read are in the audit itself
        try:
            from_folder(root)
        except DataError as error:
            return str(error)
    return None


def _tell(look: Look, progress: bool) -> None:
    if not progress:
        return
    known = len(look.facts) - look.new
    line = f"looked at {look.new:,} of {len(look.facts):,} pictures in {look.seconds:.1f} s"
    more = f"; {known:,} have not changed since an earlier audit" if known else ""
    Console(stderr=True).print(f"{line}{more}.", markup=False, highlight=False, soft_wrap=True)

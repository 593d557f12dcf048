"""The audit: every picture is looked at, and what is the matter is told."""

from __future__ import annotations

import warnings
from pathlib import Path

from rich.console import Console

from tfxfer.data.auditing.findings import Audit
from tfxfer.data.auditing.looking import Look, look_at_all
from tfxfer.data.auditing.verdicts import judge_pictures
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.decode import MAX_PIXELS
from tfxfer.data.sources.folders import from_folder
from tfxfer.data.sources.layout import Listed, Listing, list_everything
from tfxfer.errors import DataError, SettingError

__all__ = ["NEAR_BITS", "audit"]

NEAR_BITS = 6
"""Resized, re-encoded and grey copies of photographs differ in fewer bits, brightened ones nearly all."""


def audit(
    photos: Photos | str | Path,
    *,
    near_bits: int = NEAR_BITS,
    max_pixels: int = MAX_PIXELS,
    use_cache: bool = True,
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

    Args:
        photos: A data set, or the folder of one.
        near_bits: How many bits may differ, in 0..16; 0 keeps to equal hashes.
        max_pixels: Pictures whose header claims more are not decoded; from 1 to 64,000,000, beyond which
            nothing here decodes.
        use_cache: Whether files that have not changed (path, size, time of change) since an earlier
            audit are taken from the user's cache folder, and this one is kept there.

    Returns:
        What was found.

    Raises:
        DataError: The folder is missing, is a file, or holds no pictures.
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
    if isinstance(photos, Photos):
        root, listing, refused = photos.root, _listing_of(photos), None
    else:
        root = Path(photos)
        listing, refused = list_everything(root), _refusal(root)
    paths = [picture.path for picture in listing.pictures]
    look = look_at_all(root, paths, max_pixels=max_pixels, use_cache=use_cache)
    _tell(look)
    return judge_pictures(root, listing, look.facts, near_bits=near_bits, refused=refused)


def _listing_of(photos: Photos) -> Listing:
    parts = {index: part for part in photos.split.given for index in photos.split[part]}
    # Where validation is cut from the training part, the folder laid down that both are training.
    if photos.split.given and "validation" not in photos.split.given:
        parts |= dict.fromkeys(photos.split.validation, "train")
    pictures = [
        Listed(record.path, photos.label_names[record.label], parts.get(index))
        for index, record in enumerate(photos.records)
    ]
    in_order = tuple(sorted(pictures, key=lambda picture: picture.path))
    return Listing(in_order, photos.label_names, ())


def _refusal(root: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # formats that are not read are in the audit itself
        try:
            from_folder(root)
        except DataError as error:
            return str(error)
    return None


def _tell(look: Look) -> None:
    known = len(look.facts) - look.new
    line = f"looked at {look.new:,} of {len(look.facts):,} pictures in {look.seconds:.1f} s"
    more = f"; {known:,} have not changed since an earlier audit" if known else ""
    Console(stderr=True).print(f"{line}{more}.", markup=False, highlight=False, soft_wrap=True)

"""What an augmentation makes of somebody's pictures, to look at before anything is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfxfer.augment import Source, augmentation, draw_sheet
from tfxfer.contracts import Resize
from tfxfer.data import read_image
from tfxfer.data.sources.layout import pictures_below
from tfxfer.errors import DataError, SettingError
from tfxfer.runtime import whole_file

__all__ = ["SHEET_SUFFIXES", "preview"]

SHEET_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def preview(
    source: str | Path,
    augment: Source,
    *,
    to: str | Path,
    pictures: int = 6,
    views: int = 6,
    image_size: int = 224,
    resize: Resize = "crop",
    seed: int = 0,
) -> Path:
    """Draw what an augmentation makes of some pictures: a row a picture, first as it is.

    Args:
        source: A folder, whose pictures are taken at even distances however deep they lie, or one picture.
        augment: As ``augmentation`` takes it.
        to: The sheet, a .png, .jpg or .webp file; one that is there already is replaced.
        pictures: Rows at most, at least 1.
        views: Changed copies a row, at least 1.
        image_size: Side of each, in pixels, at least 1.
        resize: How pictures are brought to it, ``"crop"`` or ``"stretch"``.
        seed: What chance is drawn from, at least 0; the same one gives the same sheet.

    Returns:
        The file written.

    Raises:
        SettingError: No such policy, a number out of range, or a file that cannot be written.
        DataError: There is no picture, or one cannot be read.
    """
    numbers = {"pictures": pictures, "views": views, "image_size": image_size}
    for name, value, least in (*((name, value, 1) for name, value in numbers.items()), ("seed", seed, 0)):
        if value < least:
            raise SettingError(f"{name} must be at least {least}, got {value}.")
    target = Path(to)
    if target.suffix.lower() not in SHEET_SUFFIXES:
        raise SettingError(f"{to} must end in {', '.join(SHEET_SUFFIXES[:-1])} or {SHEET_SUFFIXES[-1]}.")
    change = augmentation(augment)
    rows = []
    for row, file in enumerate(_chosen(Path(source), pictures)):
        plain = read_image(file, height=image_size, width=image_size, resize=resize)
        seeds = np.random.SeedSequence([seed, row]).generate_state(views)
        rows.append([plain, *(change(plain, int(each)) for each in seeds)])
    sheet = draw_sheet(rows, titles=["as it is", *(str(view) for view in range(1, views + 1))])
    with whole_file(target) as draft:
        sheet.save(draft)
    return target


def _chosen(source: Path, count: int) -> list[Path]:
    """Take files of a folder at even distances, first and last included, or the one file given."""
    if not source.is_dir():
        return [source]
    found, _ = pictures_below(source)
    if not found:
        raise DataError(
            f"{source} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep; give the folder that "
            "the pictures lie in."
        )
    places = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[place] for place in places]

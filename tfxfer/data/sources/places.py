"""Where a person says that pictures are, each by one word, becomes the files that are there."""

from __future__ import annotations

import re
from glob import iglob
from pathlib import Path

from tfxfer.data.sources.layout import readable_below
from tfxfer.errors import DataError

__all__ = ["pictures_at"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def pictures_at(place: str | Path) -> list[Path]:
    """List the pictures that are meant by a file, a folder or a pattern.

    Args:
        place: A file, which is taken as it is, also where it is missing; a folder, of which all pictures
            count, however deep, but for hidden ones; or a pattern such as ``photos/**/*.jpg``.

    Returns:
        The files, sorted where there may be several.

    Raises:
        DataError: The folder holds no picture, no file matches the pattern, it is an address on the web, or
            an empty text, which would mean the current folder.
    """
    if place == "":
        raise DataError("'' names no picture; give a file, a folder or a pattern.")
    path, text = Path(place), str(place)
    if path.is_dir():
        found = readable_below(path)
        if not found:
            raise DataError(f"{place} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep.")
        return found
    if _ADDRESS.match(text):
        raise DataError(f"{place} is an address, and nothing is downloaded; give the picture as a file.")
    if path.exists() or not re.search(r"[*?[]", text):
        return [path]
    # As shells do, and pathlib does not, it leaves out what is hidden.
    found = [Path(each) for each in iglob(text, recursive=True)]  # noqa: PTH207
    matching = sorted(each for each in found if each.is_file())
    if not matching:
        raise DataError(f"no file matches {place}; * is for names, and ** for folders however deep.")
    return matching

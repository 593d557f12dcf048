"""How much room kept features may take: what is told beforehand, and what goes to make it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tfxfer.errors import SettingError

__all__ = [
    "BUDGET_BYTES",
    "Usage",
    "affordable_views",
    "check_room",
    "check_writable",
    "clear_cache",
    "features_home",
    "make_room",
    "size_of",
    "unkept",
    "usage",
]

BUDGET_BYTES = 16 << 30
"""All kept features together take so much at most, and half of what is free on the disk."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What kept features take.

    Attributes:
        folder: Where they lie.
        models: How many frozen parts they are of.
        size: Bytes of all.
    """

    folder: Path
    models: int
    size: int

    def __str__(self) -> str:
        parts = "part" if self.models == 1 else "parts"
        return f"{self.size / 1e6:,.1f} MB of features of {self.models} frozen {parts} in {self.folder}"


def features_home() -> Path:
    """Return the folder that features are kept in: in the user's cache folder."""
    return Path(platformdirs.user_cache_dir("tfxfer", appauthor=False)) / "features"


def usage() -> Usage:
    """Say what kept features take."""
    home = features_home()
    stores = _stores()
    return Usage(home, len(stores), sum(map(size_of, stores)))


def clear_cache() -> Usage:
    """Remove all kept features, and say what they took.

    Raises:
        SettingError: Some are still there.
    """
    taken = usage()
    shutil.rmtree(taken.folder, ignore_errors=True)
    if (left := usage()).size:
        raise SettingError(
            f"{left} could not be removed; have the folder writable, and nothing that trains add to it."
        )
    return taken


def affordable_views(
    views: int, *, training: int, validation: int, row: int, beside: int = 0, kept: int = 0
) -> int:
    """Say how many views a picture there is room for.

    Args:
        views: How many are wanted, at least 1.
        training: Training pictures.
        validation: Validation pictures, of which one view is kept.
        row: Bytes of one view.
        beside: Bytes that are kept beside them.
        kept: Bytes that are kept of the same frozen part, as in ``check_room``.

    Returns:
        At most ``views``; 0 where there is no room for one.
    """
    fitting = (_room(kept) - beside - validation * row) // max(1, training * row)
    return max(0, min(views, fitting))


def check_room(needed: int, *, kept: int = 0) -> None:
    """Refuse to keep more than there is room for.

    Args:
        needed: Bytes in all.
        kept: What is kept of the same frozen part, be it of these: ``make_room`` tells whether it has to go.

    Raises:
        SettingError: There is no room.
    """
    if needed > (room := _room(kept)):
        raise SettingError(
            f"there is no room for {needed / 1e6:,.1f} MB of features within {room / 1e6:,.1f} MB; clear "
            "some (tfxfer cache --clear), or take fewer pictures."
        )


def make_room(needed: int, *, keeping: Path) -> bool:
    """Remove the features that were used longest ago, until so much more is within 16 GiB.

    Args:
        needed: Bytes to come.
        keeping: The store that they come to, which stays.

    Returns:
        Whether it is, and within half of what is free on the disk; else what ``keeping`` holds is in the way.
    """
    sizes = {store: size_of(store) for store in _stores()}
    for store in sorted(sizes, key=_last_used):
        if sum(sizes.values()) + needed <= BUDGET_BYTES:
            break
        if store != keeping:
            shutil.rmtree(store, ignore_errors=True)
            del sizes[store]
    return sum(sizes.values()) + needed <= BUDGET_BYTES and needed <= _free() // 2


def check_writable() -> None:
    """Make the folder.

    Raises:
        SettingError: It cannot be made, or takes no file.
    """
    home = features_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise unkept(error) from error


def unkept(error: OSError) -> SettingError:
    """Make what to raise where features cannot be written."""
    return SettingError(
        f"features cannot be kept in {features_home()} ({error.strerror}); have XDG_CACHE_HOME name a folder "
        "that can be written and has room."
    )


def size_of(store: Path) -> int:
    """Return the bytes of a folder's files, whatever another process adds or removes meanwhile."""
    total = 0
    for folder, _, names in os.walk(store):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(folder, name).stat().st_size
    return total


def _room(kept: int) -> int:
    return min(BUDGET_BYTES, _free() // 2 + kept)


def _stores() -> list[Path]:
    home = features_home()
    return [path for path in home.iterdir() if path.is_dir()] if home.is_dir() else []


def _last_used(store: Path) -> float:
    try:
        return store.stat().st_mtime
    except FileNotFoundError:  # another process made room
        return 0.0


def _free() -> int:
    home = next(folder for folder in (features_home(), *features_home().parents) if folder.exists())
    return shutil.disk_usage(home).free

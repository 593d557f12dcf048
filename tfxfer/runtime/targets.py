"""What a run writes, a folder or a file, appears whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfxfer.errors import DiskFullError, SettingError

__all__ = ["OWN_MARK", "check_target", "remove_drafts", "whole_file", "whole_folder"]

OWN_MARK = "manifest.json"
"""What tells a folder that a run wrote from a person's own."""


def check_target(target: str | Path, *, force: bool = False) -> Path:
    """Say whether a folder can be written, before any work is done.

    Args:
        target: The folder to be.
        force: Whether a folder that is there already may be replaced.

    Returns:
        The target as an absolute path.

    Raises:
        SettingError: It is there already (and not one that tfxfer wrote, where it may be replaced), is a
            file or a link, or its folder takes no other.
    """
    path = Path(os.path.abspath(target))  # noqa: PTH100 resolve() would follow a link, and replace what it leads to
    if path.is_symlink():
        raise SettingError(f"{target} is a link; give the folder that it leads to.")
    if path.is_file():
        raise SettingError(f"{target} is a file; give a folder to write to.")
    if path.exists():
        _check_replaceable(path, target, force=force)
    ground = next(parent for parent in path.parents if parent.exists())
    try:
        # Asked of the file system itself: permission bits do not tell of read-only ones.
        Path(tempfile.mkdtemp(prefix=".tfxfer-", dir=ground)).rmdir()
    except OSError as error:
        raise SettingError(
            f"{target} cannot be made: {ground} takes no new folder ({error.strerror}); give another one."
        ) from error
    return path


def _check_replaceable(path: Path, target: str | Path, *, force: bool) -> None:
    if not force:
        raise SettingError(
            f"{target} exists already, and is never overwritten unasked; give another folder, or "
            "--force (force=True) to replace it."
        )
    if any(path.iterdir()) and not (path / OWN_MARK).is_file():
        raise SettingError(
            f"{target} is not a folder that tfxfer wrote (it has no {OWN_MARK}), and not even --force "
            "replaces it; give another one, or remove it yourself."
        )


@contextmanager
def whole_folder(target: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Fill a folder beside the target, and put it in the target's place when all went well.

    Args:
        target: The folder to be.
        force: Whether a folder that is there already is replaced.

    Yields:
        An empty folder to write into. If the block raises, or is interrupted, it is removed and the
        target is as it was.

    Raises:
        SettingError: As ``check_target``.
        DiskFullError: There is no room for what the block writes, here or for temporary files.
    """
    path = check_target(target, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".part", dir=path.parent))
    try:
        # mkdtemp is for private files; a bundle is as readable as any folder made here.
        draft.chmod(0o777 & ~_umask())
        yield draft
        _flush(draft)
        _put_in_place(draft, path, force=force)
    except Exception as error:
        # Who wrote may have said it in words of its own, as TensorFlow, HDF5 and shutil do.
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise DiskFullError(
            f"{target} cannot be written: the disk is full, its own or that of temporary files (TMPDIR); "
            "make room, or give another place."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def whole_file(target: str | Path) -> Iterator[Path]:
    """Write a file beside the target, and put it in the target's place when all went well.

    Args:
        target: The file to be; one that is there already is replaced.

    Yields:
        A file of the same ending to write to. If the block raises, or is interrupted, it is
        removed and the target is as it was.

    Raises:
        SettingError: The target is a folder, or its folder takes no new file.
    """
    path = Path(target).absolute()
    if path.is_dir():
        raise SettingError(f"{target} is a folder; give a file to write to.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".part", dir=path.parent))
    except OSError as error:
        raise SettingError(
            f"{target} cannot be made: its folder takes no new file ({error.strerror}); give another one."
        ) from error
    try:
        yield folder / path.name
        _flush(folder)
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_drafts(target: str | Path) -> None:
    """Remove what processes that were killed while they wrote a target left beside it.

    Args:
        target: The folder or file to be, which nobody else writes now.
    """
    path = Path(target).absolute()
    # So many characters of chance, so that flowers-small's are none of flowers's.
    for draft in path.parent.glob(f".{glob.escape(path.name)}-????????.part"):
        shutil.rmtree(draft, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(folder: Path) -> None:
    """Have everything on the disk itself before the folder gets its name."""
    for path in [folder, *folder.rglob("*")]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _put_in_place(draft: Path, path: Path, *, force: bool) -> None:
    if not path.exists():
        draft.replace(path)
        return
    # It may have come to be while the draft was being filled.
    _check_replaceable(path, path, force=force)
    # A folder cannot replace a full one in one step: the old one steps aside, and back on failure.
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".old", dir=path.parent))
    path.replace(aside / path.name)
    try:
        draft.replace(path)
    except BaseException:
        (aside / path.name).replace(path)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)

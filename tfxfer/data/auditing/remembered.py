"""What earlier audits found in files that have not changed since, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import imagehash
import PIL
import platformdirs

import tfxfer
from tfxfer import runtime
from tfxfer.data.auditing.inspection import Facts
from tfxfer.errors import SettingError, TfxferWarning

__all__ = ["FileState", "cache_file", "file_state", "recall", "remember"]

_FORM = 1
"""Counts up when what is kept, or how it is found, changes."""

FileState = tuple[int, int, int]
"""What tells that a look still holds: the file's size, its time of change, and the pixel cap of the look."""


def cache_file(root: Path) -> Path:
    """Say where the findings about a folder are kept: never inside it."""
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("tfxfer", appauthor=False)) / "audit" / name


def file_state(path: Path, max_pixels: int) -> FileState | None:
    """Return what tells that a file has not changed, or None where it cannot be asked."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, max_pixels


def recall(root: Path) -> dict[str, tuple[FileState, Facts]]:
    """Return what is known of a folder's files, by path; nothing where nothing usable is kept.

    Warns:
        TfxferWarning: The cache is there, and damaged.
    """
    file = cache_file(root)
    try:
        stamp, _, rest = file.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        warnings.warn(
            f"what earlier audits found cannot be read from {file} ({error.strerror}): every picture is "
            "looked at again.",
            TfxferWarning,
            stacklevel=3,
        )
        return {}
    digest, _, body = rest.partition(b"\n")
    if stamp != _stamp() and stamp.startswith(b"tfxfer audit "):
        return {}  # another version's: its findings may differ
    if stamp != _stamp() or digest != _digest(body):
        warnings.warn(
            f"what earlier audits found is damaged ({file}): every picture is looked at again, and the file "
            "is written anew.",
            TfxferWarning,
            stacklevel=3,
        )
        return {}
    kept: dict[str, tuple[list[int], list[Any]]] = json.loads(body)
    return {path: ((state[0], state[1], state[2]), Facts(*facts)) for path, (state, facts) in kept.items()}


def remember(root: Path, known: Mapping[str, tuple[FileState, Facts]]) -> None:
    """Keep what is known of a folder's files, in the place of what was kept before.

    Warns:
        TfxferWarning: It cannot be written; the next audit then looks at every picture again.
    """
    # What cannot be read today may be readable tomorrow without having changed.
    lasting = {path: each for path, each in known.items() if each[1].state != "unreadable"}
    body = json.dumps({path: (state, astuple(facts)) for path, (state, facts) in lasting.items()}).encode()
    file = cache_file(root)
    try:
        with runtime.whole_file(file) as draft:
            draft.write_bytes(b"\n".join((_stamp(), _digest(body), body)))
    except (OSError, SettingError) as error:
        warnings.warn(
            f"what was found cannot be kept for the next audit, which will look at every picture again: "
            f"{error}",
            TfxferWarning,
            stacklevel=3,
        )


def _stamp() -> bytes:
    versions = f"{tfxfer.__version__}, Pillow {PIL.__version__}, ImageHash {imagehash.__version__}"
    return f"tfxfer audit {_FORM}, tfxfer {versions}".encode()


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()

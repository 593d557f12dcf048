"""Files are told apart by what is in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["file_sha256", "folder_sha256"]


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 as 64 hexadecimal digits, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """Return one SHA-256 over the names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{file_sha256(path)}\n".encode())
    return digest.hexdigest()

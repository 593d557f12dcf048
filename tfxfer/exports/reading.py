"""What is in a bundle is read only where it is what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfxfer.errors import BundleError
from tfxfer.runtime import OWN_MARK, file_sha256

__all__ = ["check_bundle", "check_digest", "read_checked", "read_json"]


def check_bundle(folder: str | Path) -> Path:
    """Return a bundle's folder.

    Raises:
        BundleError: It is none.
    """
    path = Path(folder)
    if not path.is_dir():
        raise BundleError(f"{folder} is not a folder; give one that tfxfer train wrote.")
    return path


def read_checked(folder: Path, name: str) -> dict[str, Any]:
    """Return what a JSON file of a bundle holds, once it is known to be the one that was written.

    Raises:
        BundleError: It is not, or the folder is no bundle.
    """
    check_digest(folder, name)
    return read_json(folder / name)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds.

    Raises:
        BundleError: It is missing or damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path.parent} has no {path.name}, so it is no bundle; give a folder that tfxfer train wrote."
        ) from None
    except ValueError as error:
        raise BundleError(f"{path} is damaged ({error}); export the model again.") from error
    if not isinstance(value, dict):
        raise BundleError(f"{path} is damaged (no JSON object); export the model again.")
    return value


def check_digest(folder: Path, name: str) -> None:
    """Hold a file of a bundle against the manifest.

    Raises:
        BundleError: It is missing, or not the one that was written.
    """
    path = folder / name
    known = read_json(folder / OWN_MARK).get("files", {})
    if name not in known:
        raise BundleError(f"{folder} was exported without {name}; export the model again, with all formats.")
    if not path.is_file():
        raise BundleError(f"{folder} has lost its {name}; export the model again.")
    if file_sha256(path) != known[name]["sha256"]:
        raise BundleError(
            f"{path} is not the file that was exported (its SHA-256 differs); export the model again."
        )

"""What is in a bundle is read only where it is what was written."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfxfer.contracts import TASKS, InputContract, Resize, Task
from tfxfer.errors import BundleError
from tfxfer.runtime.digests import file_sha256
from tfxfer.runtime.targets import OWN_MARK

__all__ = [
    "ModelFacts",
    "check_bundle",
    "check_digest",
    "check_rest",
    "read_card",
    "read_checked",
    "read_json",
]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What must be known of a model to bring pictures to it, and to read its scores.

    Attributes:
        task: What it says of a picture.
        classes: Class names, or names of numbers, in the order of the scores.
        input: The size pictures are brought to.
        resize: How they are.
    """

    task: Task
    classes: tuple[str, ...]
    input: InputContract
    resize: Resize

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> ModelFacts:
        """Take them from a bundle's card."""
        # Bundles of before there were tasks do not name theirs.
        task: Task = card.get("task", "single_label")
        size = card["input"]
        return cls(
            task,
            tuple(card["names" if task == "regression" else "classes"]),
            InputContract(size["height"], size["width"]),
            size["resize"],
        )


def check_bundle(folder: str | Path) -> Path:
    """Return a bundle's folder.

    Raises:
        BundleError: It is none.
    """
    path = Path(folder)
    if not path.is_dir():
        raise BundleError(f"{folder} is not a folder; give one that tfxfer train wrote.")
    return path


def read_card(folder: str | Path) -> dict[str, Any]:
    """Return what a bundle says of itself.

    Raises:
        BundleError: The folder is missing or no bundle, its card is not the one that was written, or it is
            for a task that this version does not know.
    """
    card = read_checked(check_bundle(folder), "card.json")
    task = card.get("task", TASKS[0])
    if task not in TASKS:
        raise BundleError(
            f"{folder} is for a task {task!r}, and this version of tfxfer knows {', '.join(TASKS)}; "
            "take a newer one."
        )
    return card


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


def check_rest(folder: Path, *, but: Collection[str]) -> None:
    """Hold what stays of a bundle against its manifest, before a new one vouches for it.

    Args:
        folder: The bundle.
        but: Files and folders in it that are written anew.

    Raises:
        BundleError: A file is not the one that was written. Whoever removed one may have meant to.
    """
    for name in read_json(folder / OWN_MARK).get("files", {}):
        if name.partition("/")[0] not in but and (folder / name).exists():
            check_digest(folder, name)

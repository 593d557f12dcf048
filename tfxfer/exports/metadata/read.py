"""A .tflite file is asked what it takes and what its scores mean; needs Python alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tfxfer.contracts import InputContract
from tfxfer.errors import BundleError
from tfxfer.exports.metadata.archive import unpacked
from tfxfer.exports.metadata.facts import (
    CARD_FORMAT,
    CARD_NAME,
    LABELS_NAME,
    FileFacts,
    FileMetadata,
    GoldenVector,
    labels_text,
)

__all__ = ["read_metadata"]


def read_metadata(tflite: str | Path | bytes) -> FileMetadata:
    """Read what a .tflite file that tfxfer exported says of itself.

    Args:
        tflite: The file, or its bytes.

    Returns:
        Its labels, the size and the numbers it takes, how pictures were resized, temperature and reject
        threshold, and golden vectors.

    Raises:
        BundleError: The file is missing, has no such metadata, is damaged, its model or its labels are not
            those that the metadata was written for, or it was written by a newer tfxfer.
    """
    name = "this file" if isinstance(tflite, bytes) else str(tflite)
    content = tflite if isinstance(tflite, bytes) else _content(Path(tflite))
    model, files = unpacked(content)
    if CARD_NAME not in files:
        raise BundleError(
            f"{name} has no {CARD_NAME} behind its model, or none that can be read; give a .tflite file that "
            "tfxfer wrote."
        )
    try:
        metadata = _value(json.loads(files[CARD_NAME]), files, name)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{CARD_NAME} in {name} is damaged ({error!r}); export the model again.") from error
    found = hashlib.sha256(model).hexdigest()
    if found != metadata.sha256:
        raise BundleError(
            f"the model in {name} is not the one that was exported (its SHA-256 is {found[:12]}…, and "
            f"{CARD_NAME} says {metadata.sha256[:12]}…); export it again."
        )
    if files.get(LABELS_NAME) != labels_text(metadata.facts.labels).encode():
        raise BundleError(
            f"{LABELS_NAME} in {name} is not the one that was exported; export the model again."
        )
    return metadata


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read ({error.strerror}); give a .tflite file that tfxfer wrote."
        ) from error


def _value(card: dict[str, Any], files: dict[str, bytes], name: str) -> FileMetadata:
    if card["format"] > CARD_FORMAT:
        raise BundleError(f"{name} was written by tfxfer {card['tfxfer']}, which is newer; take that one.")
    return FileMetadata(
        facts=FileFacts(
            name=card["name"],
            task=card["task"],
            labels=tuple(card["labels"]),
            resize=card["resize"],
            temperature=card["temperature"],
            reject_threshold=card["reject_threshold"],
            card_sha256=card["card_sha256"],
        ),
        input=InputContract(card["input"]["height"], card["input"]["width"]),
        dtype=card["input"]["dtype"],
        tfxfer=card["tfxfer"],
        sha256=card["sha256"],
        golden=tuple(GoldenVector(files[each["file"]], tuple(each["scores"])) for each in card["golden"]),
    )

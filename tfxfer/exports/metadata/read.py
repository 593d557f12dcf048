"""A .tflite file is asked what it takes and what its scores mean; needs Python alone."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from tfxfer.contracts import InputContract
from tfxfer.errors import BundleError
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
    name = "these bytes" if isinstance(tflite, bytes) else str(tflite)
    content = tflite if isinstance(tflite, bytes) else _content(Path(tflite))
    files, model = _unpacked(content, name)
    card = _card(files, name)
    found = hashlib.sha256(model).hexdigest()
    if found != card["sha256"]:
        raise BundleError(
            f"the model in {name} is not the one that its metadata was written for (its SHA-256 is "
            f"{found[:12]}…, not {card['sha256'][:12]}…); export it again."
        )
    metadata = _value(card, files)
    if files.get(LABELS_NAME) != labels_text(metadata.facts.labels).encode():
        raise BundleError(f"{LABELS_NAME} in {name} is not the one that was exported; export it again.")
    return metadata


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read ({error.strerror}); give a .tflite file that tfxfer wrote."
        ) from error


def _unpacked(content: bytes, name: str) -> tuple[dict[str, bytes], bytes]:
    """Return the files of the archive at the end, and all that is before it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            # What is compressed was not written here, and could be very large.
            files = {
                entry.filename: archive.read(entry)
                for entry in entries
                if entry.compress_type == zipfile.ZIP_STORED
            }
            return files, content[: min(entry.header_offset for entry in entries)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise BundleError(
            f"{name} has no metadata of tfxfer's that can be read ({error}); export it again."
        ) from error


def _card(files: dict[str, bytes], name: str) -> dict[str, Any]:
    if CARD_NAME not in files:
        raise BundleError(f"{name} has no {CARD_NAME} in it; give a .tflite file that tfxfer wrote.")
    card = json.loads(files[CARD_NAME])
    if card["format"] > CARD_FORMAT:
        raise BundleError(f"{name} was written by tfxfer {card['tfxfer']}, which is newer; take that one.")
    return dict(card)


def _value(card: dict[str, Any], files: dict[str, bytes]) -> FileMetadata:
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

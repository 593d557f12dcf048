"""What a .tflite file says of itself, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from tfxfer.contracts import InputContract, Resize, Task

__all__ = [
    "CARD_FORMAT",
    "CARD_NAME",
    "LABELS_NAME",
    "FileFacts",
    "FileMetadata",
    "GoldenVector",
    "labels_text",
]

LABELS_NAME = "labels.txt"
CARD_NAME = "tfxfer.json"
CARD_FORMAT = 1
"""Raised when a reader of today would misunderstand what is written."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What whoever exports a model knows of it, and its file does not show.

    Attributes:
        name: What people call the model.
        task: What its scores are of.
        labels: Classes, or names of numbers, in the order of the scores.
        resize: How pictures of another shape were brought to its size in training.
        temperature: By what logits are divided before they become the probabilities that the file gives, or
            None where nobody calibrated them. The file has done so already.
        reject_threshold: Below which a picture shows none of the classes, or None where none is rejected.
        card_sha256: SHA-256 of the ``card.json`` that tells its training, or None.
    """

    name: str
    task: Task
    labels: tuple[str, ...]
    resize: Resize
    temperature: float | None = None
    reject_threshold: float | None = None
    card_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class GoldenVector:
    """A picture of the model's size, and what the model says of it.

    Attributes:
        png: The picture, an RGB PNG.
        scores: One a label.
    """

    png: bytes
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What was read out of a .tflite file.

    Attributes:
        facts: What its exporter said.
        input: The size pictures are brought to.
        dtype: The numbers it takes, 0..255 in either: ``"float32"`` or ``"uint8"``.
        tfxfer: The version that wrote it.
        sha256: SHA-256 of the model in the file, all before the ZIP archive at its end.
        golden: Pictures and scores to test it by.
    """

    facts: FileFacts
    input: InputContract
    dtype: str
    tfxfer: str
    sha256: str
    golden: tuple[GoldenVector, ...]


def labels_text(labels: tuple[str, ...]) -> str:
    r"""Return what ``labels.txt`` holds: one label a line.

    >>> labels_text(("ants", "bees"))
    'ants\nbees\n'
    """
    return "".join(f"{label}\n" for label in labels)

"""What is asked of a model is checked before the model is loaded; needs neither TensorFlow nor Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tfxfer.data import check_pictures, named_pictures
from tfxfer.data.pixels.contents import Content, Pictures
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.explaining.methods import EXPLAIN_METHODS, ExplainMethod
from tfxfer.runtime import ModelFacts, check_digest, read_card

__all__ = ["MODEL", "Asked", "Labels", "check_asked"]

MODEL = "model.keras"
"""The file of a bundle through which gradients can be had."""

Labels: TypeAlias = str | Sequence[str] | None

_NAMED = 10
"""A message names at most so many labels."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a model about which pictures; nothing of it is wrong.

    Attributes:
        facts: What is known of the model.
        method: How it is to be found out.
        labels: Indices of the labels asked for, or of all numbers where none was; none for the class that
            scores highest in each picture.
        pictures: Pairs of a name and a picture.
    """

    facts: ModelFacts
    method: ExplainMethod
    labels: tuple[int, ...]
    pictures: tuple[tuple[str, Content], ...]

    @classmethod
    def of(cls, facts: ModelFacts, pictures: Pictures, *, method: ExplainMethod, label: Labels) -> Asked:
        """Check settings, and that each picture can be read.

        Raises:
            SettingError: No such method or label.
            DataError: A picture cannot be read.
        """
        if method not in EXPLAIN_METHODS:
            hint = did_you_mean(method, EXPLAIN_METHODS) or "."
            raise SettingError(f"no method {method!r}{hint} There are {', '.join(EXPLAIN_METHODS)}.")
        labels = _labels(facts, label)
        named = tuple(named_pictures(pictures))
        check_pictures(named)
        return cls(facts, method, labels, named)


def check_asked(
    folder: str | Path, pictures: Pictures, *, method: ExplainMethod = "grad-cam", label: Labels = None
) -> Asked:
    """Check what is asked of a bundle's model, without loading it.

    Args:
        folder: What ``tfxfer.export`` or ``tfxfer train`` wrote.
        pictures: As ``explain`` takes them.
        method: As ``explain`` takes it.
        label: As ``explain`` takes it.

    Returns:
        What is asked.

    Raises:
        BundleError: The folder is missing or no bundle, or has no ``model.keras`` that is the one written.
        SettingError: No such method or label.
        DataError: A picture cannot be read.
    """
    facts = ModelFacts.of_card(read_card(folder))
    check_digest(Path(folder), MODEL)
    return Asked.of(facts, pictures, method=method, label=label)


def _labels(facts: ModelFacts, label: Labels) -> tuple[int, ...]:
    names = () if label is None else (label,) if isinstance(label, str) else tuple(label)
    for name in names:
        if name not in facts.classes:
            hint = did_you_mean(name, facts.classes) or "."
            raise SettingError(f"no label {name!r}{hint} The model knows {_listed(facts.classes)}.")
    if not names and facts.task == "regression":
        names = facts.classes
    return tuple(facts.classes.index(name) for name in dict.fromkeys(names))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

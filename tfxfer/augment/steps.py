"""What a policy is made of: frozen data, in the words of albumentations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfxfer.config import check_types

__all__ = ["Policy", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One transform of a policy.

    Attributes:
        name: Its class in albumentations, e.g. ``"HorizontalFlip"``.
        p: How often it is applied, in 0..1; for one among the ``steps`` of another, its weight.
        settings: Its ranges, by the argument's name. ``size`` is left out: it is the picture's own.
        steps: For ``"OneOf"``, what is chosen from.

    Raises:
        SettingError: A value is of another type.

    >>> Step("Affine", p=0.75, settings={"rotate": (-10, 10)}).p
    0.75
    """

    name: str
    p: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        check_types(self, f" of step {self.name!r}")


@dataclass(frozen=True, slots=True)
class Policy:
    """Which transforms a training picture goes through, in order.

    Attributes:
        name: The name people look it up by.
        summary: What it is for, in one sentence.
        steps: Its transforms; a step that must stay in a frame's proportions knows them from the picture.
        source: Where its ranges are from.

    Raises:
        SettingError: A value is of another type.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]
    source: str

    def __post_init__(self) -> None:
        check_types(self, f" of policy {self.name!r}")

"""What a setting may be while it is searched for: a range of numbers, or a choice, as data and as text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tfxfer.config import check_types
from tfxfer.errors import SettingError

__all__ = ["Choice", "FloatRange", "IntRange", "Value", "Varied"]

Value = str | int | float | None
"""What a setting is set to."""


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Any number between two.

    Attributes:
        low: The least.
        high: The greatest.
        log: Whether each order of magnitude is as likely as the next, as suits rates; low is then above 0.
        points: How many a grid takes, both ends among them; at least 2.

    Raises:
        SettingError: It is empty, or not made of numbers.

    >>> print(FloatRange(1e-4, 1e-2, log=True), *FloatRange(1e-4, 1e-2, log=True).grid)
    0.0001..0.01:log 0.0001 0.001 0.01
    """

    low: float
    high: float
    log: bool = False
    points: int = 3

    def __post_init__(self) -> None:
        check_types(self, " of a range")
        if not -math.inf < self.low < self.high < math.inf:
            raise SettingError(f"a range must rise from one number to another, got {self.low}..{self.high}.")
        if self.log and self.low <= 0:
            raise SettingError(f"a range in orders of magnitude must begin above 0, got {self.low}.")
        if self.points < 2:
            raise SettingError(f"a grid takes at least 2 points of a range, got {self.points}.")

    @property
    def ends(self) -> tuple[Value, ...]:
        """Its least and its greatest value."""
        return (self.low, self.high)

    @property
    def grid(self) -> tuple[Value, ...]:
        """What a grid tries of it, ascending."""
        shares = [index / (self.points - 1) for index in range(1, self.points - 1)]
        if self.log:
            between = [float(f"{self.low * (self.high / self.low) ** share:.12g}") for share in shares]
        else:
            between = [float(f"{self.low + (self.high - self.low) * share:.12g}") for share in shares]
        return (self.low, *between, self.high)

    def __str__(self) -> str:
        points = "" if self.points == 3 else f":{self.points}"
        return f"{self.low!r}..{self.high!r}{':log' if self.log else ''}{points}"


@dataclass(frozen=True, slots=True)
class IntRange:
    """Any whole number between two.

    Attributes:
        low: The least.
        high: The greatest, a number of whole steps above it.
        step: From one to the next; at least 1.

    Raises:
        SettingError: It is empty, steps over its end, or is not made of whole numbers.

    >>> print(IntRange(16, 64, step=16), *IntRange(16, 64, step=16).grid)
    16..64:16 16 32 48 64
    """

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        check_types(self, " of a range")
        if not self.low < self.high:
            raise SettingError(f"a range must rise from one number to another, got {self.low}..{self.high}.")
        if self.step < 1 or (self.high - self.low) % self.step:
            raise SettingError(f"steps of {self.step} do not lead from {self.low} to {self.high}.")

    @property
    def ends(self) -> tuple[Value, ...]:
        """Its least and its greatest value."""
        return (self.low, self.high)

    @property
    def grid(self) -> tuple[Value, ...]:
        """What a grid tries of it: all of it."""
        return tuple(range(self.low, self.high + 1, self.step))

    def __str__(self) -> str:
        return f"{self.low}..{self.high}{'' if self.step == 1 else f':{self.step}'}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values.

    Attributes:
        values: At least two, no two alike: text, numbers or None.

    Raises:
        SettingError: There are fewer, or it is something else.

    >>> print(Choice(None, "mixup"))
    none,mixup
    """

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        object.__setattr__(self, "values", values)
        if strange := [value for value in values if not isinstance(value, str | int | float | None)]:
            raise SettingError(f"a choice is of text, numbers or None, got {strange[0]!r}.")
        if len(values) < 2 or len(set(values)) != len(values):
            raise SettingError(
                f"a choice is of two values or more, no two alike, got {self}; what does not vary is fixed."
            )

    @property
    def ends(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values

    @property
    def grid(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values

    def __str__(self) -> str:
        return ",".join("none" if value is None else str(value) for value in self.values)


Varied = FloatRange | IntRange | Choice
"""What a setting may be."""

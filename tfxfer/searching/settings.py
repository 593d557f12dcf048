"""Which settings can be searched for, what each may be, and how it is written on a command line."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tfxfer.augment import POLICIES
from tfxfer.config import BATCH_NORMS
from tfxfer.contracts import BALANCES, FEATURE_AUGMENTATIONS, PLANS
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.searching.ranges import Choice, FloatRange, IntRange, Value, Varied
from tfxfer.training import OPTIMIZERS, SCHEDULES

__all__ = ["SETTINGS", "Setting", "check_value", "check_varied", "read_value", "read_varied"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting.

    Attributes:
        place: Whose it is: ``build``'s, ``fit``'s, of how deep a named plan goes (``"depth"``), of each
            ``Phase``, or of the ``L2SP`` of phases that train the backbone (``"anchor"``).
        kind: A number, a whole number, or a name.
        low: The least that it may be.
        high: The greatest.
        above: Whether it must be above ``low``.
        below: Whether it must be below ``high``.
        names: For a name, which there are; none where others say so.
        optional: Whether it may be None.
    """

    place: Literal["build", "fit", "depth", "phase", "anchor"]
    kind: Literal["number", "count", "name"] = "number"
    low: float = 0
    high: float = math.inf
    above: bool = False
    below: bool = False
    names: tuple[str, ...] = ()
    optional: bool = False

    @property
    def allowed(self) -> str:
        """What it may be, as the rest of a sentence that ends in "must be"."""
        none = ", or None" if self.optional else ""
        if self.kind == "name":
            return (f"one of {', '.join(self.names)}" if self.names else "a name") + none
        noun = "a number" if self.kind == "number" else "a whole number"
        if self.high == math.inf:
            return f"{noun} {'above' if self.above else 'of at least'} {self.low:g}{none}"
        left, right = "(" if self.above else "[", ")" if self.below else "]"
        return f"{noun} in {left}{self.low:g}, {self.high:g}{right}{none}"

    def allows(self, value: object) -> bool:
        """Say whether a value is one that it may be."""
        if value is None:
            return self.optional
        if self.kind == "name":
            return isinstance(value, str) and (not self.names or value in self.names)
        numbers = int if self.kind == "count" else int | float
        if isinstance(value, bool) or not isinstance(value, numbers) or not math.isfinite(value):
            return False
        lowest = value > self.low if self.above else value >= self.low
        return lowest and (value < self.high if self.below else value <= self.high)


_OF_A_PHASE = {
    "rate": Setting("phase", above=True),
    "warmup": Setting("phase", high=1, below=True),
    "schedule": Setting("phase", "name", names=SCHEDULES),
    "patience": Setting("phase", "count", low=1, optional=True),
    "batch_norm": Setting("phase", "name", names=BATCH_NORMS),
    "weight_decay": Setting("phase"),
    "optimizer": Setting("phase", "name", names=OPTIMIZERS),
    "layer_decay": Setting("phase", high=1, above=True),
    "l1": Setting("phase"),
    "l2": Setting("phase"),
    "ema": Setting("phase", high=1, above=True, below=True, optional=True),
}

SETTINGS: dict[str, Setting] = {
    "backbone": Setting("build", "name"),
    "image_size": Setting("build", "count", low=1),
    "dropout": Setting("build", high=1, below=True),
    "batch_size": Setting("fit", "count", low=1),
    "label_smoothing": Setting("fit", high=1, below=True),
    "augment": Setting("fit", "name", names=(*(policy.name for policy in POLICIES), *FEATURE_AUGMENTATIONS)),
    "views": Setting("fit", "count", low=1, optional=True),
    "mix": Setting("fit", "name", names=("mixup", "cutmix"), optional=True),
    "balance": Setting("fit", "name", names=BALANCES),
    "plan": Setting("depth", "name", names=PLANS),
    "head_epochs": Setting("depth", "count", low=1),
    "top_epochs": Setting("depth", "count"),
    "top_blocks": Setting("depth", "count", low=1),
    **_OF_A_PHASE,
    **{f"{which}_{name}": setting for which in ("head", "top") for name, setting in _OF_A_PHASE.items()},
    "anchor_alpha": Setting("anchor"),
    "anchor_beta": Setting("anchor"),
}
"""Name -> what is known of it. Those of a ``Phase`` are of all phases; with ``head_`` in front of the first
phase, with ``top_`` of those after it."""


def check_value(name: str, value: object) -> None:
    """Refuse a value that a setting cannot have.

    Raises:
        SettingError: There is no such setting, or it cannot be so.
    """
    setting = _setting(name)
    if not setting.allows(value):
        hint = did_you_mean(value, setting.names) if isinstance(value, str) else ""
        raise SettingError(f"{name} must be {setting.allowed}, got {value!r}{hint or '.'}")


def check_varied(name: str, varied: object) -> None:
    """Refuse what a setting cannot vary over.

    Raises:
        SettingError: There is no such setting, it is no such kind of thing, or it would leave what it may be.
    """
    setting = _setting(name)
    if not isinstance(varied, FloatRange | IntRange | Choice):
        raise SettingError(
            f"{name} must vary over a FloatRange, an IntRange or a Choice, got {varied!r}; what does not "
            "vary goes into fixed."
        )
    fitting = {"number": (FloatRange, Choice), "count": (IntRange, Choice), "name": (Choice,)}[setting.kind]
    if not isinstance(varied, fitting):
        names = " or ".join(f"{'an' if kind is IntRange else 'a'} {kind.__name__}" for kind in fitting)
        raise SettingError(f"{name} must vary over {names}, got {varied!r}.")
    for value in varied.ends:
        check_value(name, value)


def read_value(name: str, text: str) -> Value:
    """Read what a setting is set to.

    Args:
        name: The setting.
        text: A number or a name; ``none`` is None where it may be that.

    Raises:
        SettingError: There is no such setting, or it cannot be so.

    >>> read_value("top_blocks", "3"), read_value("mix", "none"), read_value("augment", "none")
    (3, None, 'none')
    """
    setting = _setting(name)
    value: Value = text
    if text == "none" and setting.optional:
        value = None
    elif setting.kind != "name":
        with suppress(ValueError):  # what is no number is refused as it was written
            value = int(text) if setting.kind == "count" else float(text)
    check_value(name, value)
    return value


def read_varied(name: str, text: str) -> Varied:
    """Read what a setting varies over.

    Args:
        name: The setting.
        text: ``LOW..HIGH``, ``LOW..HIGH:log``, or ``A,B,C``; behind a further colon, for whole numbers the
            step, for others how many a grid takes.

    Raises:
        SettingError: It cannot be read, there is no such setting, or it cannot vary so.

    >>> read_varied("head_rate", "1e-4..1e-2:log")
    FloatRange(low=0.0001, high=0.01, log=True, points=3)
    >>> read_varied("mix", "none,mixup")
    Choice(values=(None, 'mixup'))
    """
    kind = _setting(name).kind
    varied: Varied
    if kind == "name" or ".." not in text:
        varied = Choice(*(read_value(name, part.strip()) for part in text.split(",")))
    else:
        varied = _range(name, text, whole=kind == "count")
    check_varied(name, varied)
    return varied


def _range(name: str, text: str, *, whole: bool) -> FloatRange | IntRange:
    ends, *options = text.split(":")
    low, _, high = ends.partition("..")
    if log := not whole and "log" in options:
        options.remove("log")
    try:
        first, last = (int(low), int(high)) if whole else (float(low), float(high))
        (count,) = map(int, options or ["1" if whole else "3"])
    except ValueError:
        raise SettingError(
            f"{name} cannot vary over {text!r}; write LOW..HIGH, or LOW..HIGH:log, or A,B,C, such as "
            f"{'1..4' if whole else '0.0001..0.01:log'}."
        ) from None
    return IntRange(int(first), int(last), count) if whole else FloatRange(first, last, log, count)


def _setting(name: str) -> Setting:
    if name not in SETTINGS:
        hint = did_you_mean(name, SETTINGS) or "."
        raise SettingError(f"no setting {name!r} to search for{hint} There are {', '.join(SETTINGS)}.")
    return SETTINGS[name]

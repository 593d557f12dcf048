"""RandAugment: some operations out of fourteen, all at one magnitude."""

from __future__ import annotations

import math
from typing import Any

from tfxfer.augment.steps import Step
from tfxfer.errors import SettingError

__all__ = ["rand_augment"]

GREY = (128, 128, 128)
"""What is shown where a picture was moved away."""

SMOOTH_VARIANCE = 6 / 13
"""Of Pillow's SMOOTH kernel along one axis, in square pixels: it is what its Sharpness mixes with."""


def rand_augment(*, operations: int = 2, magnitude: float = 9) -> tuple[Step, ...]:
    """Return RandAugment: each picture goes through some operations, each drawn anew from fourteen.

    Identity, AutoContrast, Equalize, Rotate, Solarize, Color, Posterize, Contrast, Brightness, Sharpness,
    and Shear and Translate along x and y. One that has a direction goes either way as often. All are as in
    the paper but Sharpness towards blur, for which albumentations has no mixture: a Gaussian of the same
    variance takes its place.

    Args:
        operations: How many, at least 1; N in the paper.
        magnitude: How strongly, in 0..10; M in the paper. torchvision counts to 30, and its 9 is a 3 here.

    Returns:
        One step an operation.

    Raises:
        SettingError: A number out of range.

    Source:
        Cubuk et al. 2020, https://arxiv.org/abs/1909.13719, algorithm 1; the ranges are AutoAugment's, Cubuk
        et al. 2019, https://arxiv.org/abs/1805.09501, table 6.

    >>> [len(step.steps) for step in rand_augment()]
    [14, 14]
    """
    if operations < 1:
        raise SettingError(f"operations must be at least 1, got {operations}.")
    if not 0 <= magnitude <= 10:
        raise SettingError(
            f"magnitude must be in 0..10, got {magnitude:g}; torchvision's scale goes to 30: divide by 3."
        )
    choice = Step("OneOf", steps=_operations(magnitude / 10))
    return (choice,) * operations


def _operations(strength: float) -> tuple[Step, ...]:
    """Return the fourteen, at a strength in 0..1."""
    angle, shift = 30 * strength, 150 / 331 * strength
    shear = math.degrees(math.atan(0.3 * strength))
    bits, factor = 8 - round(4 * strength), 0.9 * strength
    return (
        Step("NoOp"),
        Step("AutoContrast", settings={"method": "pil"}),
        Step("Equalize", settings={"mode": "pil"}),
        _either(_moved(rotate=_fixed(angle)), _moved(rotate=_fixed(-angle))),
        Step("Solarize", settings={"threshold_range": _fixed(1 - strength)}),
        _either(_jittered(saturation=1 + factor), _jittered(saturation=1 - factor)),
        Step("Posterize", settings={"num_bits": _fixed(bits)}),
        _either(_jittered(contrast=1 + factor), _jittered(contrast=1 - factor)),
        _either(_jittered(brightness=1 + factor), _jittered(brightness=1 - factor)),
        _either(_sharper(factor), _softer(factor)),
        _either(_moved(shear=_along_x(shear)), _moved(shear=_along_x(-shear))),
        _either(_moved(shear=_along_y(shear)), _moved(shear=_along_y(-shear))),
        _either(_moved(translate_percent=_along_x(shift)), _moved(translate_percent=_along_x(-shift))),
        _either(_moved(translate_percent=_along_y(shift)), _moved(translate_percent=_along_y(-shift))),
    )


def _fixed(value: float) -> tuple[float, float]:
    return (value, value)


def _along_x(value: float) -> dict[str, tuple[float, float]]:
    return {"x": _fixed(value), "y": _fixed(0)}


def _along_y(value: float) -> dict[str, tuple[float, float]]:
    return {"x": _fixed(0), "y": _fixed(value)}


def _either(*steps: Step) -> Step:
    return Step("OneOf", steps=steps)


def _moved(**settings: Any) -> Step:
    return Step("Affine", settings={**settings, "fill": GREY})


def _jittered(**factors: float) -> Step:
    still = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0} | factors
    return Step(
        "ColorJitter", settings={name: _fixed(value) for name, value in still.items()} | {"hue": (0, 0)}
    )


def _sharper(factor: float) -> Step:
    """Go beyond the picture, away from its smoothed self, just as Pillow's Sharpness does."""
    return Step(
        "Sharpen", settings={"alpha": _fixed(factor / 13), "lightness": (1.0, 1.0), "method": "kernel"}
    )


def _softer(factor: float) -> Step:
    sigma = math.sqrt(SMOOTH_VARIANCE * factor)
    if not sigma:
        return Step("NoOp")
    return Step("GaussianBlur", settings={"blur_limit": (3, 3), "sigma_limit": _fixed(sigma)})

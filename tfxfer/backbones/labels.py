"""Where the names beside the dots of a scatter picture go, so that none hides another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Dot", "place_labels"]

ANGLES = tuple(math.radians(degrees) for degrees in (0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202))
DISTANCES = (3, 8, 14, 21, 29, 38, 50, 64)


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot and the size of the label that it wants, all in one unit of length.

    Attributes:
        x: Centre from the left.
        y: Centre from below.
        radius: Of the dot.
        width: Of the label.
        height: Of the label.
    """

    x: float
    y: float
    radius: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its left and lower edge, width and height."""

    left: float
    bottom: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.bottom + self.height, other.bottom + other.height) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the rectangle that is nearest to another."""
        return (
            min(max(x, self.left), self.left + self.width),
            min(max(y, self.bottom), self.bottom + self.height),
        )


def place_labels(dots: Sequence[Dot], *, inside: Box, around: Sequence[Box] = ()) -> list[Box]:
    """Place a label for each dot: close by, where it covers no dot, no other label and no obstacle.

    Those that come first choose first. Where all near places are taken, a label goes where it
    covers least.

    Args:
        dots: The dots, the most important first.
        inside: What no label may leave, where it can be helped.
        around: What else no label may cover.

    Returns:
        A box for each dot, in their order.

    >>> [box] = place_labels([Dot(10, 10, 2, 8, 4)], inside=Box(0, 0, 100, 100))
    >>> (box.left, box.bottom)
    (15.0, 8.0)
    """
    circles = [Box(dot.x - dot.radius, dot.y - dot.radius, 2 * dot.radius, 2 * dot.radius) for dot in dots]
    placed: list[Box] = []
    for dot in dots:
        taken = [*placed, *circles, *around]
        placed.append(min(_candidates(dot), key=lambda box: _covered(box, taken, inside)))
    return placed


def _candidates(dot: Dot) -> Iterator[Box]:
    """Yield the places for a label, the nearest first."""
    for distance in DISTANCES:
        for angle in ANGLES:
            reach = dot.radius + distance
            x, y = dot.x + reach * math.cos(angle), dot.y + reach * math.sin(angle)
            # The side of the label that looks at the dot touches the point.
            left = x - dot.width * (1 - math.cos(angle)) / 2
            bottom = y - dot.height * (1 - math.sin(angle)) / 2
            yield Box(left, bottom, dot.width, dot.height)


def _covered(box: Box, taken: Sequence[Box], inside: Box) -> float:
    """Measure what a box would cover, and what of it would lie outside."""
    outside = box.width * box.height - box.overlap(inside)
    # Rounded: with the noise of floats, a far place would beat a near one that is as free.
    return round(outside + sum(box.overlap(other) for other in taken), 3)

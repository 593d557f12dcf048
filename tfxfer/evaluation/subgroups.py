"""The same figure for each group of pictures: a mean may hide whom a model serves badly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfxfer.contracts import Predictions
from tfxfer.evaluation.intervals import Interval, Measure, intervals_of

__all__ = ["Subgroup", "subgroup_rows", "subgroups_of"]

FEWEST = 10
"""What fewer pictures say of a group is mostly chance."""

MOST = 100
"""The largest groups are told, so many at most."""

_PRINTED = 10


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The headline figure of the pictures of one group.

    Attributes:
        name: The group.
        images: Its pictures.
        value: The figure; None where these pictures leave it undefined.
        interval: Its 95 % interval, or None where there is none.
    """

    name: str
    images: int
    value: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        interval = None if self.interval is None else self.interval._asdict()
        return {"name": self.name, "images": self.images, "value": self.value, "interval": interval}


def subgroups_of(
    predictions: Predictions, figure: str, measure: Callable[[Predictions], Measure]
) -> tuple[Subgroup, ...]:
    """Compute a figure for each group of pictures.

    Args:
        predictions: Scores with labels.
        figure: Name of the figure.
        measure: Makes of some predictions what computes that figure.

    Returns:
        The groups of ten pictures or more, the hundred largest at most, in the order of their names; none
        where nobody said which group pictures are of, or all are of one.
    """
    sizes = _sizes(predictions)
    if len(sizes) < 2:
        return ()
    told = sorted(name for name, images in sizes.most_common(MOST) if images >= FEWEST)
    return tuple(_subgroup(name, _of(predictions, name), figure, measure) for name in told)


def subgroup_rows(subgroups: tuple[Subgroup, ...], figure: str, predictions: Predictions) -> list[str]:
    """Print groups as a table, those with the worst figures first, ten at most.

    Args:
        subgroups: From ``subgroups_of``.
        figure: Name of the figure.
        predictions: What they were made from.

    Returns:
        Lines, the last of which says how many groups are too small to be told; none where there is no group.
    """
    sizes = _sizes(predictions)
    small = sum(images < FEWEST for images in sizes.values()) if len(sizes) > 1 else 0
    groups, are = ("group", "is") if small == 1 else ("groups", "are")
    rest = [f"{small} {groups} of fewer than {FEWEST} pictures {are} not told."] if small else []
    if not subgroups:
        return ["", *rest] if rest else []
    ranked = sorted(subgroups, key=lambda group: np.inf if group.value is None else group.value)
    width = max(len(name) for name in ("group", *(group.name for group in ranked[:_PRINTED])))
    rows = ["", f"{'group':<{width}}  {figure.replace('_', ' ')}  [95 % interval]  pictures"]
    rows += [_row(group, width, len(figure)) for group in ranked[:_PRINTED]]
    if len(ranked) > _PRINTED:
        rows.append(f"and {len(ranked) - _PRINTED} groups with higher figures")
    return rows + rest


def _sizes(predictions: Predictions) -> Counter[str]:
    return Counter(group for group in predictions.groups or () if group is not None)


def _row(group: Subgroup, width: int, column: int) -> str:
    value = "-" if group.value is None else f"{group.value:.3f}"
    interval = "-" if group.interval is None else "[{:.3f}, {:.3f}]".format(*group.interval)
    return f"{group.name:<{width}}  {value:>{column}}  {interval:>15}  {group.images:>8}"


def _of(predictions: Predictions, group: str) -> Predictions:
    places = [place for place, name in enumerate(predictions.groups or ()) if name == group]
    return replace(
        predictions,
        files=tuple(predictions.files[place] for place in places),
        scores=predictions.scores[places],
        labels=np.asarray(predictions.labels)[places],
        groups=None,
        tta=(),
        plain=None,
    )


def _subgroup(
    name: str, own: Predictions, figure: str, measure: Callable[[Predictions], Measure]
) -> Subgroup:
    images = len(own.files)
    computed = measure(own)
    value = float(computed(np.ones((images, 1), np.float32))[figure][0])
    interval = intervals_of(computed, images).get(figure)
    return Subgroup(name, images, value if np.isfinite(value) else None, interval)

"""The backbones that fit into somebody's limits, and those that no other one beats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, get_args

from tfxfer.backbones.catalog import BACKBONES
from tfxfer.backbones.counts import read_count
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.errors import SettingError, did_you_mean

__all__ = ["ORDERS", "Order", "find_backbones", "pareto_front"]

Order = Literal["name", "top1", "parameters", "macs", "size"]
"""How backbones can be sorted: by name, by accuracy with the best first, or from small to large."""
ORDERS: tuple[Order, ...] = get_args(Order)


def find_backbones(
    *,
    max_parameters: int | str | None = None,
    max_macs: int | str | None = None,
    min_top1: float | None = None,
    sort: Order | None = None,
) -> tuple[BackboneSpec, ...]:
    """Find the backbones within some limits.

    Args:
        max_parameters: Most parameters without the top, e.g. ``5_000_000`` or ``"5M"``.
        max_macs: Most multiply-adds for a picture of the backbone's own size, e.g. ``"400M"``.
        min_top1: Least published ImageNet top-1 accuracy, in percent; leaves out what has none.
        sort: ``"name"``, ``"top1"`` (best first, then what has none), ``"parameters"``, ``"macs"`` or
            ``"size"`` of the input (smallest first); None keeps the catalogue's order.

    Returns:
        Entries of ``BACKBONES``; none where nothing fits.

    Raises:
        SettingError: A limit or an order that is none.

    >>> [spec.name for spec in find_backbones(max_macs="60M", min_top1=65, sort="top1")]
    ['mobilenet_v3_small', 'mobilenet_v3_small_075']
    """
    _check(min_top1, sort)
    found = list(BACKBONES)
    if max_parameters is not None:
        most = read_count(max_parameters, setting="max_parameters")
        found = [spec for spec in found if spec.parameters <= most]
    if max_macs is not None:
        most = read_count(max_macs, setting="max_macs")
        found = [spec for spec in found if spec.macs <= most]
    if min_top1 is not None:
        found = [spec for spec in found if spec.top1 is not None and spec.top1 >= min_top1]
    return tuple(sorted(found, key=KEYS[sort]) if sort else found)


def pareto_front(specs: Iterable[BackboneSpec]) -> tuple[BackboneSpec, ...]:
    """Find the backbones than which none is more accurate for as few multiply-adds.

    Args:
        specs: Entries to compare; those without a published accuracy are passed over.

    Returns:
        The front, fewest multiply-adds first, every one more accurate than the one before.

    >>> [spec.name for spec in pareto_front(find_backbones(max_macs="60M"))]
    ['mobilenet_025', 'mobilenet_v3_small_075', 'mobilenet_v3_small']
    """
    front: list[BackboneSpec] = []
    best = float("-inf")
    for spec in sorted(specs, key=lambda spec: (spec.macs, -_accuracy(spec))):
        if spec.top1 is not None and spec.top1 > best:
            front.append(spec)
            best = spec.top1
    return tuple(front)


def _accuracy(spec: BackboneSpec) -> float:
    return float("-inf") if spec.top1 is None else spec.top1


KEYS: dict[Order, Callable[[BackboneSpec], str | float]] = {
    "name": lambda spec: spec.name,
    "top1": lambda spec: -_accuracy(spec),
    "parameters": lambda spec: spec.parameters,
    "macs": lambda spec: spec.macs,
    "size": lambda spec: spec.input.height * spec.input.width,
}


def _check(min_top1: float | None, sort: str | None) -> None:
    """Refuse an accuracy or an order that is none."""
    if min_top1 is not None and not 0 <= min_top1 <= 100:
        raise SettingError(f"min_top1 must be in 0..100, got {min_top1}; it is a percentage, e.g. 75.")
    if sort is not None and sort not in ORDERS:
        hint = did_you_mean(sort, ORDERS) or "."
        raise SettingError(f"sort must be one of {', '.join(ORDERS)}, or None; got {sort!r}{hint}")

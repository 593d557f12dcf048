"""The catalogue as a scatter picture: accuracy against multiply-adds."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfxfer import runtime
from tfxfer.backbones.counts import write_count
from tfxfer.backbones.labels import Box, Dot, place_labels
from tfxfer.backbones.selection import pareto_front
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.errors import SettingError

__all__ = ["draw_backbones"]

INK, PALE = "#1f2430", "#6b7280"
COLOURS = {
    "mobilenet": "#0072b2",
    "efficientnet": "#009e73",
    "resnet": "#d55e00",
    "densenet": "#cc79a7",
    "inception": "#e0a500",
    "xception": "#8c6d46",
    "nasnet": "#7b5cc4",
    "vgg": "#8d99ae",
    "convnext": "#56b4e9",
}
"""A colour for each family, told apart by most colour-blind eyes too."""


def draw_backbones(specs: Sequence[BackboneSpec], file: str | Path) -> Path:
    """Draw backbones as dots: published ImageNet top-1 accuracy against multiply-adds.

    The area of a dot tells its parameters; a line joins those than which none is more accurate for
    as few multiply-adds. A file that is there already is replaced, in one step.

    Args:
        specs: Entries of ``BACKBONES``; those without a published accuracy are left out.
        file: PNG, SVG or PDF file to write.

    Returns:
        The file.

    Raises:
        SettingError: Another kind of file, or nothing to draw.
        MissingExtra: matplotlib is not installed.
    """
    known = sorted((spec for spec in specs if spec.top1 is not None), key=lambda spec: -spec.parameters)
    if not known:
        raise SettingError(
            "none of these backbones has a published accuracy, so there is nothing to draw; "
            "loosen the limits."
        )
    with runtime.drawn(file, "the backbones", figsize=(11.5, 7.5), dpi=150, layout=None) as figure:
        axes = figure.add_axes((0.065, 0.085, 0.915, 0.80))
        _scatter(axes, known)
        _furnish(figure, axes, known)
        _name(figure, axes, known)
    return Path(file)


def _scatter(axes: Any, specs: Sequence[BackboneSpec]) -> None:
    """Draw the dots, and the line along the front."""
    front = pareto_front(specs)
    axes.plot(
        [spec.macs for spec in front],
        [spec.top1 for spec in front],
        color=INK,
        linewidth=1.1,
        alpha=0.45,
        zorder=1,
    )
    axes.scatter(
        [spec.macs for spec in specs],
        [spec.top1 for spec in specs],
        s=[_area(spec.parameters) for spec in specs],
        c=[COLOURS[_family(spec)] for spec in specs],
        edgecolors=[INK if spec in front else "white" for spec in specs],
        linewidths=[1.3 if spec in front else 0.7 for spec in specs],
        alpha=0.85,
        zorder=2,
    )


def _furnish(figure: Any, axes: Any, specs: Sequence[BackboneSpec]) -> None:
    """Set scales, grid, title and keys."""
    accuracies = [spec.top1 for spec in specs if spec.top1 is not None]
    axes.set_xscale("log")
    axes.set_xlim(min(spec.macs for spec in specs) / 1.6, max(spec.macs for spec in specs) * 1.9)
    axes.set_ylim(min(accuracies) - 2.5, max(accuracies) + 3.5)
    axes.xaxis.get_major_locator().set_params(subs=(1.0, 2.0, 5.0))
    axes.xaxis.set_major_formatter(lambda macs, _: _round_count(round(macs)))
    axes.xaxis.set_minor_formatter("")
    axes.yaxis.set_major_formatter(lambda percent, _: f"{percent:g} %")
    axes.grid(visible=True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=9, labelcolor=PALE)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel("multiply-adds for one picture of the backbone's own size", color=PALE, fontsize=9.5)
    figure.text(
        0.065, 0.945, "ImageNet top-1 accuracy against multiply-adds", color=INK, fontsize=15, weight="bold"
    )
    figure.text(
        0.065,
        0.912,
        f"{len(specs)} backbones of the catalogue, as published. On the line: none is more accurate for as "
        "few multiply-adds.",
        color=PALE,
        fontsize=9.5,
    )
    _keys(axes, specs)


def _keys(axes: Any, specs: Sequence[BackboneSpec]) -> None:
    """Say what colours and areas mean, in the empty corner of dear and inaccurate backbones."""
    style = {"frameon": False, "labelcolor": PALE, "title_fontsize": 8.5, "fontsize": 8.5}
    families = [family for family in COLOURS if any(_family(spec) == family for spec in specs)]
    colours = [
        axes.scatter([], [], s=45, color=COLOURS[family], alpha=0.85, label=family) for family in families
    ]
    first = axes.legend(
        handles=colours, loc="lower right", bbox_to_anchor=(0.99, 0.02), title="family", **style
    )
    first._legend_box.align = "left"
    axes.add_artist(first)
    sizes = [
        axes.scatter([], [], s=_area(count), color="#c3c8d1", label=_round_count(count))
        for count in _key_sizes(specs)
    ]
    second = axes.legend(
        handles=sizes,
        loc="lower right",
        bbox_to_anchor=(0.86, 0.02),
        title="parameters",
        labelspacing=2.3,
        handletextpad=1.4,
        **style,
    )
    second._legend_box.align = "left"


def _name(figure: Any, axes: Any, specs: Sequence[BackboneSpec]) -> None:
    """Write the names beside the dots, those of the front first and darker."""
    front = pareto_front(specs)
    ordered = [*front, *(spec for spec in specs if spec not in front)]
    texts = [
        axes.text(0, 0, spec.name, fontsize=7.5, color=INK if spec in front else PALE, zorder=4)
        for spec in ordered
    ]
    pixel = 72 / figure.dpi
    figure.draw_without_rendering()
    extents = [text.get_window_extent() for text in texts]
    places = [axes.transData.transform((spec.macs, spec.top1)) * pixel for spec in ordered]
    dots = [
        Dot(x, y, _area(spec.parameters) ** 0.5 / 2, extent.width * pixel + 1, extent.height * pixel + 1.5)
        for spec, (x, y), extent in zip(ordered, places, extents, strict=True)
    ]
    keys = [artist.get_window_extent() for artist in axes.get_children() if hasattr(artist, "get_texts")]
    around = [*(_box(extent, pixel) for extent in keys), *_beads(dots[: len(front)])]
    boxes = place_labels(dots, inside=_box(axes.get_window_extent(), pixel), around=around)
    back = axes.transData.inverted()
    for text, dot, box in zip(texts, dots, boxes, strict=True):
        text.set_position(back.transform((box.left / pixel, box.bottom / pixel)))
        text.set_verticalalignment("bottom")
        end = box.nearest(dot.x, dot.y)
        distance = math.hypot(end[0] - dot.x, end[1] - dot.y)
        if distance > dot.radius + 6:
            part = dot.radius / distance
            start = (dot.x + (end[0] - dot.x) * part, dot.y + (end[1] - dot.y) * part)
            ends = back.transform([[value / pixel for value in point] for point in (start, end)])
            axes.plot(ends[:, 0], ends[:, 1], color=PALE, linewidth=0.5, alpha=0.6, zorder=3)


def _beads(dots: Sequence[Dot]) -> Iterator[Box]:
    """Yield small boxes along the line through some dots, so that labels keep off it."""
    for one, other in itertools.pairwise(dots):
        count = max(1, round(math.hypot(other.x - one.x, other.y - one.y) / 4))
        for part in range(count):
            x = one.x + (other.x - one.x) * part / count
            y = one.y + (other.y - one.y) * part / count
            yield Box(x - 1, y - 1, 2, 2)


def _box(extent: Any, pixel: float) -> Box:
    return Box(extent.x0 * pixel, extent.y0 * pixel, extent.width * pixel, extent.height * pixel)


def _key_sizes(specs: Sequence[BackboneSpec]) -> list[int]:
    """Choose sizes for the key: the smallest, and what does not go far beyond the largest dot."""
    largest = max(spec.parameters for spec in specs)
    return [count for count in (1_000_000, 10_000_000, 50_000_000, 300_000_000) if count < 3 * largest] or [
        1_000_000
    ]


def _round_count(count: int) -> str:
    """Write a round count without the digits that it does not need.

    >>> _round_count(10_000_000)
    '10M'
    """
    return re.sub(r"\.0+(?=[kMG])", "", write_count(count))


def _area(parameters: int) -> float:
    """Return a dot's area in square points: visible for the smallest, in proportion above it."""
    return 14 + parameters / 300_000


def _family(spec: BackboneSpec) -> str:
    """Return the family by its name's first letters.

    >>> from tfxfer.backbones import BACKBONES
    >>> [_family(BACKBONES[name]) for name in ("resnet50_v2", "inception_resnet_v2")]
    ['resnet', 'inception']
    """
    found = re.match("[a-z]+", spec.name)
    return found[0] if found else spec.name

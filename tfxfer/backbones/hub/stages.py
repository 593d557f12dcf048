"""Blocks of a SavedModel, told by the names of its variables alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Group", "block_of", "group_variables"]

BLOCK = re.compile(
    r"^(?:.*?(?:[Bb]lock|[Ss]tage|[Gg]roup|[Ll]ayer|[Uu]nit|[Mm]ixed|[Cc]ell|expanded_conv)s?_?\d+[a-z]?"
    r"(?:_block_?\d+)?|Conv2d_\d+)(?=$|[/_.])"
)
"""The part of a layer's name that tells its block, as TF-Slim and keras.applications write it."""

STATISTIC = re.compile(r"(?:moving|running)_(?:mean|var|variance)$")
AFFINE = re.compile(r"(?:gamma|beta|scale|offset)$")


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that share all of their name but its last part: a layer, as far as names tell.

    Attributes:
        name: What they share.
        stage: The block it is in: ``"stem"``, a numbered one, or ``"top"``.
        members: Positions of its variables in the list that was given.
        batch_norm: Whether they are those of a BatchNorm layer.
    """

    name: str
    stage: str
    members: tuple[int, ...]
    batch_norm: bool


def group_variables(names: Sequence[str]) -> tuple[Group, ...]:
    """Sort variables into layers and stages by their names.

    A numbered block is a stage. What comes before the first is the stem, what comes after the last the
    top, and what comes between belongs to the block before it. Where the blocks are not listed in order,
    they are put in order, and what has no number is in the stem, which is unfrozen last. Where no name
    has a block, all is one stage, called ``module``.

    Args:
        names: Names of the variables, with slashes, in the order of the module's list.

    Returns:
        Groups from the pixels to the head, as far as names tell.

    >>> names = ["net/conv/w", "net/block1/w", "net/block2/w", "net/out/w"]
    >>> [group.stage for group in group_variables(names)]
    ['stem', 'block1', 'block2', 'top']
    """
    clean = _without_common_start([name.partition(":")[0] for name in names])
    members: dict[str, list[int]] = {}
    for position, name in enumerate(clean):
        members.setdefault(name.rpartition("/")[0], []).append(position)
    blocks = [block_of(name) for name in members]
    stages = _stages(blocks)
    groups = [
        Group(name, stage, tuple(positions), _is_batch_norm([clean[position] for position in positions]))
        for (name, positions), stage in zip(members.items(), stages, strict=True)
    ]
    met = list(dict.fromkeys(stages))
    order = sorted(met, key=_natural) if "stem" in met and not _in_order(blocks) else met
    order.sort(key=lambda stage: (stage == "top") - (stage == "stem"))
    return tuple(sorted(groups, key=lambda group: order.index(group.stage)))


def _without_common_start(names: list[str]) -> list[str]:
    """Drop the scopes that all names share, such as the network's own."""
    while names and all("/" in name for name in names):
        starts = {name.partition("/")[0] for name in names}
        if len(starts) > 1 or block_of(starts.pop()):
            break
        rest = [name.partition("/")[2] for name in names]
        if not any("/" in name for name in rest):
            break
        names = rest
    return names


def block_of(layer: str) -> str | None:
    """Return the part of a layer's name that tells its block, or None where it tells none."""
    first = layer.partition("/")[0]
    found = BLOCK.match(first)
    return found[0] if found else None


def _stages(blocks: list[str | None]) -> list[str]:
    """Give what has no number to the stem or the top."""
    numbered = [position for position, block in enumerate(blocks) if block]
    if not numbered:
        return ["module"] * len(blocks)
    ordered = _in_order(blocks)
    before, stages = "stem", []
    for position, block in enumerate(blocks):
        before = block or before
        if block or (ordered and position < numbered[-1]):
            stages.append(before)
        else:
            stages.append("top" if ordered else "stem")
    return stages


def _in_order(blocks: list[str | None]) -> bool:
    """Say whether blocks of one kind come in the order of their numbers, as they would from the pixels."""
    kinds: dict[str, list[list[str | int]]] = {}
    for block in dict.fromkeys(block for block in blocks if block):
        kinds.setdefault(re.sub(r"\d+", "#", block), []).append(_natural(block))
    return all(numbers == sorted(numbers) for numbers in kinds.values())


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _is_batch_norm(names: list[str]) -> bool:
    known = [bool(STATISTIC.search(name)) for name in names]
    return any(known) and all(
        statistic or AFFINE.search(name) for statistic, name in zip(known, names, strict=True)
    )

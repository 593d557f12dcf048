"""Which test pictures are explained: some that a model is right about, and some that it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfxfer.contracts import LABEL_THRESHOLD, Predictions
from tfxfer.evaluation import how_far_off

__all__ = ["to_explain"]

_OF_EACH = 4
_MAPS = 32
"""Of each kind so many at most: a picture has a map for each number."""


def to_explain(said: Predictions) -> list[dict[str, Any]]:
    """Choose those of each kind that the model is surest of; of numbers, the nearest and the furthest.

    Returns:
        ``file`` and ``right`` of each, the right ones, or nearest, first.
    """
    return [{"file": said.files[row], "right": right} for row, right in _rows(said).items()]


def _rows(said: Predictions) -> dict[int, bool]:
    truth = np.asarray(said.labels)
    if said.task == "regression":
        most = max(1, min(_OF_EACH, _MAPS // len(said.classes)))
        order = [int(row) for row in np.argsort(how_far_off(said), kind="stable")]
        near, far = order[:most], order[most:][::-1][:most]
        return dict.fromkeys(near, True) | dict.fromkeys(far, False)
    if said.task == "multi_label":
        right = ((said.scores >= LABEL_THRESHOLD) == (truth > 0.5)).all(axis=1)
    else:
        right = said.scores.argmax(axis=1) == truth
    surest = [int(row) for row in np.argsort(-said.scores.max(axis=1), kind="stable")]
    rows = dict.fromkeys(_spread(surest, right, said), True)
    return rows | dict.fromkeys([row for row in surest if not right[row]][:_OF_EACH], False)


def _spread(surest: Sequence[int], right: Any, said: Predictions) -> list[int]:
    """Take right ones, of other classes first."""
    first: dict[int, int] = {}
    for row in (row for row in surest if right[row]):
        first.setdefault(int(said.scores[row].argmax()), row)
    rest = [row for row in surest if right[row] and row not in first.values()]
    return [*first.values(), *rest][:_OF_EACH]

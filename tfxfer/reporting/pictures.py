"""The pictures of a report, small and as text: some learnt from, mistakes, what the model looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

import keras
import numpy as np
from PIL import Image

from tfxfer.contracts import LABEL_THRESHOLD, Predictions
from tfxfer.data import Photos, data_uri, thumbnail
from tfxfer.errors import SettingError
from tfxfer.explaining import explain, find_spatial_map

__all__ = ["explained", "mistaken", "samples"]

_SAMPLES = 12
_EXPLAINED = 4
_SIDE = 128


def samples(photos: Photos) -> list[dict[str, str]]:
    """Show a few training pictures, of the classes in turn, or evenly chosen ones.

    Returns:
        ``name``, ``label`` and ``data`` of each, the last a data URI.
    """
    train = photos.split.train
    places = np.linspace(0, len(train) - 1, num=min(len(train), _SAMPLES)).round().astype(int)
    chosen = [train[place] for place in places]
    if photos.task == "single_label":
        kinds: dict[int, list[int]] = {}
        for index in train:
            kinds.setdefault(photos.records[index].label, []).append(index)
        in_turn = zip_longest(*(kinds[label][:_SAMPLES] for label in sorted(kinds)))
        chosen = sorted(
            [index for turn in in_turn for index in turn if index is not None][:_SAMPLES],
            key=lambda index: photos.records[index].label,
        )
    shown = dict(zip(train, photos.shown("train"), strict=True))
    small = _thumbnails(photos, chosen)
    return [
        {"name": photos.records[index].path, "label": _told(photos, shown[index]), "data": small[index]}
        for index in chosen
    ]


def mistaken(photos: Photos, mistakes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Show mistakes on the test part, as ``gather`` has them; ``data`` is each one's picture."""
    places = {photos.records[index].path: index for index in photos.split.test}
    small = _thumbnails(photos, [places[each["file"]] for each in mistakes])
    return [{**each, "data": small[places[each["file"]]]} for each in mistakes]


def explained(model: keras.Model, photos: Photos, said: Predictions) -> list[dict[str, Any]]:
    """Show what the model looks at in some pictures that it is right about, and some that it is not.

    Of each kind those that it is surest of; of numbers, the nearest and the furthest.

    Returns:
        ``name``, ``right``, ``label``, ``score``, ``seen`` (the picture as the model sees it) and ``data``
        (the map over it) of each; none where the backbone keeps no map of the picture.
    """
    try:
        find_spatial_map(model)
    except SettingError:
        return []
    rows = _explained_rows(said)
    contents = dict(photos.contents([photos.split.test[row] for row in rows]))
    ordered = [contents[photos.split.test[row]] for row in rows]
    label = photos.classes[0] if photos.task == "regression" else None
    found = explain(model, ordered, label=label, classes=photos.classes, resize=photos.resize)
    shown = photos.shown("test")
    return [
        {
            "name": photos.records[photos.split.test[row]].path,
            "right": right,
            "label": each.label,
            "score": each.score,
            "shown": _told(photos, shown[row]),
            "seen": data_uri(Image.fromarray(each.pixels)),
            "data": data_uri(each.overlay()),
        }
        for (row, right), each in zip(rows.items(), found, strict=True)
    ]


def _explained_rows(said: Predictions) -> dict[int, bool]:
    """Choose rows of the predictions, and say which are right."""
    truth = np.asarray(said.labels)
    if said.task == "regression":
        spread = np.where(truth.std(axis=0) > 0, truth.std(axis=0), 1)
        order = np.argsort((np.abs(said.scores - truth) / spread).mean(axis=1), kind="stable")
        near, far = order[:_EXPLAINED], order[_EXPLAINED:][::-1][:_EXPLAINED]
        return dict.fromkeys(map(int, near), True) | dict.fromkeys(map(int, far), False)
    if said.task == "multi_label":
        right = ((said.scores >= LABEL_THRESHOLD) == (truth > 0.5)).all(axis=1)
    else:
        right = said.scores.argmax(axis=1) == truth
    surest = [int(row) for row in np.argsort(-said.scores.max(axis=1), kind="stable")]
    rows = dict.fromkeys(_spread(surest, right, said), True)
    return rows | dict.fromkeys([row for row in surest if not right[row]][:_EXPLAINED], False)


def _spread(surest: Sequence[int], right: Any, said: Predictions) -> list[int]:
    """Take right ones, of other classes first."""
    first: dict[int, int] = {}
    for row in (row for row in surest if right[row]):
        first.setdefault(int(said.scores[row].argmax()), row)
    rest = [row for row in surest if right[row] and row not in first.values()]
    return [*first.values(), *rest][:_EXPLAINED]


def _thumbnails(photos: Photos, chosen: Iterable[int]) -> dict[int, str]:
    wanted = list(dict.fromkeys(chosen))
    if not wanted:
        return {}
    with ThreadPoolExecutor() as pool:
        return dict(pool.map(lambda each: (each[0], thumbnail(each[1], side=_SIDE)), photos.contents(wanted)))


def _told(photos: Photos, shown: Sequence[float]) -> str:
    if photos.task == "regression":
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(photos.classes, shown, strict=True))
    return ", ".join(photos.classes[int(label)] for label in shown) or "none"

"""The pictures of a report, small and as text: those that its facts name, and what the model looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import keras
import numpy as np
from PIL import Image

from tfxfer.data import Photos, data_uri, make_thumbnails
from tfxfer.errors import SettingError
from tfxfer.explaining import explain, find_spatial_map
from tfxfer.reporting.findings import told

__all__ = ["explained", "samples", "small"]

_SAMPLES = 12
_SIDE = 128


def samples(photos: Photos) -> list[dict[str, str]]:
    """Name a few training pictures, of the classes in turn, or evenly chosen ones.

    Returns:
        ``file`` and ``label`` of each.
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
    return [{"file": photos.records[index].path, "label": told(photos, shown[index])} for index in chosen]


def small(photos: Photos, named: Any) -> dict[str, str]:
    """Make all pictures small that are named, in one pass.

    Args:
        photos: The data set.
        named: Lists and dictionaries, in which ``"file"`` stands before a picture's name.

    Returns:
        Name -> data URI; those that the data set does not have are not among them.
    """
    wanted = set(_files(named))
    places = {record.path: index for index, record in enumerate(photos.records) if record.path in wanted}
    names = {index: path for path, index in places.items()}
    if not names:
        return {}
    found = ((names[index], content) for index, content in photos.contents([*names]))
    return make_thumbnails(found, side=_SIDE)


def explained(
    model: keras.Model, photos: Photos, chosen: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Show what the model looks at in some pictures: in each for the label that it says, or for every number.

    Args:
        model: The model.
        photos: The data set.
        chosen: ``file`` and ``right`` of pictures of the test part.

    Returns:
        ``file``, ``right``, ``shown`` (its label), ``seen`` (the picture as the model sees it) and ``maps``
        (``label``, ``score``, ``shown`` and ``data``, the map over the picture) of each; none where the
        backbone keeps no map of the picture.
    """
    try:
        find_spatial_map(model)
    except SettingError:
        return []
    test = {photos.records[index].path: (index, shown) for index, shown in _shown(photos)}
    there = [(each, *test[each["file"]]) for each in chosen if each["file"] in test]
    contents = dict(photos.contents([index for _, index, _ in there]))
    ordered = [contents[index] for _, index, _ in there]
    found = iter(explain(model, ordered, classes=photos.classes, resize=photos.resize) if ordered else ())
    pictures = []
    for each, _, shown in there:
        truths = [f"{value:.4g}" for value in shown] if photos.task == "regression" else [told(photos, shown)]
        maps = [(next(found), truth) for truth in truths]
        pictures.append(
            {
                **each,
                "shown": told(photos, shown),
                "seen": data_uri(Image.fromarray(maps[0][0].pixels)),
                "maps": [
                    {"label": one.label, "score": one.score, "shown": truth, "data": data_uri(one.overlay())}
                    for one, truth in maps
                ],
            }
        )
    return pictures


def _shown(photos: Photos) -> Iterator[tuple[int, Sequence[float]]]:
    return zip(photos.split.test, photos.shown("test"), strict=True)


def _files(named: Any) -> Iterator[str]:
    if isinstance(named, Mapping):
        if "file" in named:
            yield named["file"]
        named = list(named.values())
    if isinstance(named, list):
        for each in named:
            yield from _files(each)

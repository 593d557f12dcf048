"""Pictures become the tensors that cross a cut: decoded, changed and run once a view, on all cores."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import keras
import numpy as np
import numpy.typing as npt

from tfxfer import augment as room
from tfxfer import runtime
from tfxfer.contracts import InputContract
from tfxfer.data import Photos, content_sha256, read_image
from tfxfer.errors import SettingError
from tfxfer.features.budget import features_home, make_room, size_of
from tfxfer.features.cut import find_map
from tfxfer.features.engines import Engine
from tfxfer.features.store import FeatureStore, row_key
from tfxfer.models import input_contract

if TYPE_CHECKING:
    from tfxfer.augment import Augmentation, FroFA

__all__ = ["Extraction", "Missing", "kept_bytes", "open_features", "prefix_sha256"]

_FORM = 1
"""Counts up when what is kept, or how it is computed, changes."""

_Result = TypeVar("_Result")

Row = tuple[bytes, npt.NDArray[np.float16]]


@dataclass(frozen=True, slots=True)
class Missing:
    """Views that are not kept yet.

    Attributes:
        pictures: Record index -> the numbers of its views.
    """

    pictures: Mapping[int, Sequence[int]]

    @property
    def views(self) -> int:
        """How many there are."""
        return sum(map(len, self.pictures.values()))


class Extraction:
    """The features of some pictures of a data set, kept and to be computed.

    Args:
        prefix: Pictures -> the tensors that cross, as ``Cut.prefix`` is; in inference.
        photos: The data set.
        indices: Which of its records.
        augment: What views but the first go through, or None. One without a digest is not known again: its
            views are kept under a name of this process. What changes features goes through the map that the
            prefix pools.
        folder: Where features are kept.

    Attributes:
        frozen: What an engine is to run: the prefix, or what it does before it pools.
    """

    def __init__(
        self,
        prefix: keras.Model,
        photos: Photos,
        indices: Sequence[int],
        *,
        augment: Augmentation | FroFA | None = None,
        folder: Path,
    ) -> None:
        self.prefix, self.photos, self.augment = prefix, photos, augment
        before = find_map(prefix) if isinstance(augment, room.FroFA) else None
        self.frozen: keras.Model = before or prefix
        self.size: InputContract = input_contract(prefix)
        self.shapes = tuple(tuple(tensor.shape[1:]) for tensor in prefix.outputs)
        widths = [int(np.prod(shape)) for shape in self.shapes]
        edges = np.cumsum([0, *widths]).tolist()
        self.columns = tuple(slice(start, end) for start, end in pairwise(edges))
        self.store = FeatureStore(folder, sum(widths))
        self._policy = _policy(augment)
        # Recordings may name a picture twice, as sampling does; it is looked at once.
        self._pictures = dict(_each(photos, dict.fromkeys(indices), content_sha256))

    def missing(self, views: Mapping[int, int]) -> Missing:
        """Say what is yet to be computed.

        Args:
            views: Record index -> how many views of it are wanted.
        """
        wanted = {
            index: [view for view in range(count) if self._key(index, view) not in self.store]
            for index, count in views.items()
        }
        return Missing({index: each for index, each in wanted.items() if each})

    def runs(self, missing: Missing) -> int:
        """Say how often the frozen part is run for what is missing."""
        return len(missing.pictures) if isinstance(self.augment, room.FroFA) else missing.views

    def make_room(self, views: Mapping[int, int]) -> None:
        """Remove what was used longest ago, until there is room for what is missing.

        Where other pictures' features or other policies' are in the way, all of this frozen part goes: that
        there would be room then is what ``check_room`` and ``affordable_views`` tell beforehand.

        Args:
            views: As in ``missing``.
        """
        store = self.store
        wanted = {self._key(index, view) for index, count in views.items() for view in range(count)}
        kept = sum(key in store for key in wanted)
        fits = make_room(2 * store.width * (len(wanted) - kept), keeping=store.folder)
        if not fits and len(store) > kept:
            shutil.rmtree(store.folder, ignore_errors=True)
            self.store = FeatureStore(store.folder, store.width)

    def compute(self, missing: Missing, engine: Engine, *, advance: Callable[[int], None]) -> None:
        """Compute views and keep them; what is kept when it is interrupted need not be computed again.

        Args:
            missing: From ``missing``.
            engine: What runs ``frozen``.
            advance: Called with how many more views are done.

        Raises:
            DataError: A picture cannot be read.
            SettingError: Features are too large for float16, the augmentation fails, or the disk is full.
        """

        def work(chunk: Sequence[tuple[int, Any]]) -> list[Row]:
            return self._rows(chunk, missing.pictures, engine)

        per_picture = max(map(len, missing.pictures.values()), default=1)
        contents = self.photos.contents(list(missing.pictures))
        chunks = _chunks(contents, max(1, engine.batch // per_picture))
        try:
            for rows in _in_threads(work, chunks):
                for key, row in rows:
                    self.store.add(key, row)
                advance(len(rows))
        finally:
            self.store.flush()

    def places(self, indices: Sequence[int], views: int) -> npt.NDArray[np.int64]:
        """Return where the views of pictures are kept, shape (pictures, views)."""
        keys = [self._key(index, view) for index in indices for view in range(views)]
        return self.store.places(keys).reshape(len(indices), views)

    def gather(self, places: npt.NDArray[np.int64], outputs: Sequence[int]) -> list[npt.NDArray[np.float16]]:
        """Read features.

        Args:
            places: Some of those that ``places`` gives, shape (rows,).
            outputs: Which of the prefix's outputs.

        Returns:
            One array an output, shape (rows, ...).
        """
        return [
            self.store.gather(places, self.columns[output]).reshape(len(places), *self.shapes[output])
            for output in outputs
        ]

    def _key(self, index: int, view: int) -> bytes:
        return row_key(self._pictures[index], self._policy, view)

    def _rows(
        self, chunk: Sequence[tuple[int, Any]], wanted: Mapping[int, Sequence[int]], engine: Engine
    ) -> list[Row]:
        named, images = [], []
        for index, content in chunk:
            pixels = read_image(
                content,
                height=self.size.height,
                width=self.size.width,
                resize=self.photos.resize,
                name=self.photos.source.name_of(self.photos.records[index].path),
            )
            views = [(view, self._key(index, view)) for view in wanted[index]]
            named.append(views)
            images += [pixels] if self._of_maps else [self._view(pixels, *each) for each in views]
        keys = [key for views in named for _, key in views]
        maps = engine(np.stack(images))
        if self._of_maps:
            seen = [(each, *view) for each, views in zip(maps[0], named, strict=True) for view in views]
            maps = (np.stack([self._pooled(*each) for each in seen]),)
        rows = np.concatenate([each.reshape(len(keys), -1) for each in maps], axis=1)
        with np.errstate(over="ignore"):
            small = rows.astype(np.float16)
        if not np.isfinite(small).all():
            raise SettingError(
                f"features of {self.prefix.name} reach {np.abs(rows).max():.3g}, which float16 does not "
                "hold; take another backbone, or train with features='off'."
            )
        return list(zip(keys, small, strict=True))

    @property
    def _of_maps(self) -> bool:
        return isinstance(self.augment, room.FroFA)

    def _view(self, pixels: npt.NDArray[np.uint8], view: int, key: bytes) -> npt.NDArray[np.uint8]:
        if view == 0 or self.augment is None or isinstance(self.augment, room.FroFA):
            return pixels
        return self.augment(pixels, _lot(key))

    def _pooled(self, features: npt.NDArray[np.float32], view: int, key: bytes) -> npt.NDArray[np.float32]:
        if view and isinstance(self.augment, room.FroFA):
            features = self.augment.changed(features, _lot(key))
        return np.asarray(features.mean((0, 1)))


def open_features(
    prefix: keras.Model,
    photos: Photos,
    indices: Sequence[int],
    *,
    augment: Augmentation | FroFA | None = None,
) -> Extraction:
    """Open the features that are kept of a frozen part, in the user's cache folder.

    They are told by what decides them: the weights and the graph, the size pictures are brought to and how,
    the content of each picture, and for views the policy.

    Args:
        prefix: Pictures -> the tensors that cross, as ``Cut.prefix`` is.
        photos: The data set.
        indices: Which of its records; repeated ones count once.
        augment: What views but the first go through.

    Returns:
        What is there, ready to be added to.

    Warns:
        TfxferWarning: Some of what is kept is damaged, and is removed.
    """
    folder = _folder(prefix, photos)
    with suppress(FileNotFoundError):
        os.utime(folder)  # what was used last goes last
    return Extraction(prefix, photos, indices, augment=augment, folder=folder)


def kept_bytes(prefix: keras.Model, photos: Photos) -> int:
    """Return how many bytes are kept of a frozen part, of whatever pictures."""
    return size_of(_folder(prefix, photos))


def _folder(prefix: keras.Model, photos: Photos) -> Path:
    decisive = f"{_FORM}\n{photos.resize}\n{prefix_sha256(prefix)}"
    return features_home() / hashlib.sha256(decisive.encode()).hexdigest()


def prefix_sha256(prefix: keras.Model) -> str:
    """Return one SHA-256 over a model's graph and weights, whatever of it is trainable.

    Args:
        prefix: A functional model.
    """
    digest = hashlib.sha256(json.dumps(_without_flags(json.loads(prefix.to_json())), sort_keys=True).encode())
    for weight in prefix.weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _without_flags(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_flags(each) for name, each in value.items() if name != "trainable"}
    return [_without_flags(each) for each in value] if isinstance(value, list) else value


def _lot(key: bytes) -> int:
    """Draw by the picture and not by its place: others that come or go leave its views as they are."""
    return int.from_bytes(key[:8]) >> 1


def _policy(augment: Augmentation | FroFA | None) -> str | None:
    if augment is None:
        return None
    return augment.digest or os.urandom(16).hex()


def _each(
    photos: Photos, indices: Mapping[int, None], function: Callable[[Any], _Result]
) -> Iterator[tuple[int, _Result]]:
    """Yield what a function makes of each picture's content."""

    def work(chunk: Sequence[tuple[int, Any]]) -> list[tuple[int, _Result]]:
        return [(index, function(content)) for index, content in chunk]

    for results in _in_threads(work, _chunks(photos.contents(list(indices)), 32)):
        yield from results


def _chunks(items: Iterator[tuple[int, Any]], size: int) -> Iterator[Sequence[tuple[int, Any]]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _in_threads(
    work: Callable[[Sequence[tuple[int, Any]]], _Result], chunks: Iterator[Sequence[tuple[int, Any]]]
) -> Iterator[_Result]:
    """Yield what threads make of chunks, in order, a few ahead of what is asked for: memory stays flat."""
    workers = runtime.cores()
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(work, chunk))
                if len(waiting) > 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

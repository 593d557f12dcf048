"""Models side by side on the same pictures, and how sure a difference is; by LiteRT alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.stats

from tfxfer.contracts import LABEL_THRESHOLD, Task
from tfxfer.data import (
    DataFrame,
    Photos,
    as_array,
    content_sha256,
    is_shards,
    is_tfds,
    read_labelled,
    read_photos,
)
from tfxfer.errors import DataError, SettingError
from tfxfer.evaluation.intervals import Interval, intervals_of, printed
from tfxfer.exports import Predictor, load, trained_on
from tfxfer.runtime import read_checked

if TYPE_CHECKING:
    from tfxfer.data.pixels.contents import Content

__all__ = ["ComparedModel", "PairedDifference", "RunComparison", "compare"]

Values: TypeAlias = npt.NDArray[np.float64]
Truth: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float32]

_FIGURES: dict[Task, str] = {
    "single_label": "accuracy",
    "multi_label": "subset_accuracy",
    "regression": "standardized_error",
}
_PORTION = 64


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """How one of several models does.

    Attributes:
        folder: Its bundle.
        backbone: What it is built on.
        value: The comparison's figure.
        interval: Its 95 % interval, as ``Interval`` says; None of one picture alone.
    """

    folder: Path
    backbone: str
    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How a model differs from the first one, picture by picture; printed, it is a line.

    Attributes:
        folder: Its bundle.
        difference: Its value, less the first one's.
        interval: The 95 % interval of that, by the paired bootstrap; None of one picture alone.
        only_first: Pictures that only the first one is right about; None of numbers.
        only_this: Pictures that only this one is right about; None of numbers.
        p_value: By McNemar's test, how likely these two are so far apart, or further, where both models are
            as good as one another; in 0..1; None of numbers.

    Source:
        McNemar 1947, Note on the sampling error of the difference between correlated proportions or
        percentages, by the exact binomial distribution.
    """

    folder: Path
    difference: float
    interval: Interval | None
    only_first: int | None
    only_this: int | None
    p_value: float | None

    def __str__(self) -> str:
        if self.p_value is None:
            return _told(self.difference, self.interval, "+z.3f")
        interval = self.interval and Interval(*(100 * end for end in self.interval))
        return (
            f"{_told(100 * self.difference, interval, '+z.1f')} points  right alone: {self.only_this}, the "
            f"first {self.only_first}; McNemar p {self.p_value:.3g}"
        )


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Models side by side on the same pictures; printed, it is a table.

    Attributes:
        task: What the models say of a picture.
        figure: What is compared: ``"accuracy"``; of several labels ``"subset_accuracy"``, the share of
            pictures with every label right; of numbers ``"standardized_error"``, how far off they are in the
            mean, in standard deviations of each over these pictures: the lower, the better.
        pictures: How many.
        left_out: How many were not counted, since one of the models was trained or chosen on them.
        models: One entry a model, in the order given.
        differences: One entry a model but the first, which it is held against.
    """

    task: Task
    figure: str
    pictures: int
    left_out: int
    models: tuple[ComparedModel, ...]
    differences: tuple[PairedDifference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {
            "task": self.task,
            "figure": self.figure,
            "pictures": self.pictures,
            "left_out": self.left_out,
            "models": [_plain(each) for each in self.models],
            "differences": [_plain(each) for each in self.differences],
        }

    def __str__(self) -> str:
        form = ".3f" if self.task == "regression" else ".1%"
        width = max(len(str(each.folder)) for each in self.models)
        lower = ": the lower, the better" if self.task == "regression" else ""
        rows = [f"{self.figure.replace('_', ' ')} on {self.pictures} pictures [95 % interval]{lower}", ""]
        for each in self.models:
            rows.append(
                f"{each.folder!s:<{width}}  {_told(each.value, each.interval, form)}  {each.backbone}"
            )
        rows += ["", f"less that of {self.models[0].folder}:"]
        rows += [f"{each.folder!s:<{width}}  {each}" for each in self.differences]
        if self.left_out:
            rows += ["", f"{self.left_out} pictures left out: a model was trained or chosen on them."]
        return "\n".join(rows)


def compare(
    bundles: Sequence[str | Path], *, photos: Photos | str | Path | DataFrame | None = None
) -> RunComparison:
    """Hold models against the first of them on the same pictures, by their LiteRT files.

    Args:
        bundles: Two folders or more that ``tfxfer.export`` or ``tfxfer train`` wrote.
        photos: Pictures with labels, or where they are; those that one of the models was trained or chosen on
            are recognised by content, and left out. None takes the test part that all have in common.

    Returns:
        Each model's figure, and its difference from the first one's, with 95 % intervals by the bootstrap.

    Raises:
        BundleError: A folder is no bundle, has no ``model.tflite``, or is damaged.
        SettingError: Fewer than two; models of other classes; or no pictures are given and the test parts
            differ.
        DataError: A picture cannot be read, or every one trained a model.
    """
    predictors = _predictors(bundles)
    first = predictors[0]
    if photos is None:
        pictures, truth, seen = *_common(predictors), frozenset[str]()
    else:
        pictures, truth = _given(first, photos)
        seen = frozenset().union(*(each.seen_in_training() for each in predictors))
    rows, scores = _scores(predictors, pictures, seen)
    if not rows:
        raise DataError(
            f"a model was trained on every picture in {photos}; give pictures that none has seen."
        )
    values = [_values(first.task, each, truth[rows]) for each in scores]
    return RunComparison(
        first.task,
        _FIGURES[first.task],
        len(rows),
        len(truth) - len(rows),
        tuple(
            ComparedModel(each.folder, each.card["backbone"], float(own.mean()), _interval(own))
            for each, own in zip(predictors, values, strict=True)
        ),
        tuple(
            paired(each.folder, own, values[0], counted=first.task != "regression")
            for each, own in zip(predictors[1:], values[1:], strict=True)
        ),
    )


def paired(folder: Path, own: Values, first: Values, *, counted: bool) -> PairedDifference:
    """Hold what a model does on each picture against what the first one does.

    Args:
        folder: Its bundle.
        own: One value a picture: 1 where it is right and 0 where not, or how far off it is.
        first: The first one's.
        counted: Whether they are right or wrong, so that it can be counted which alone is right.
    """
    change = own - first
    only_this, only_first = int((change > 0).sum()), int((change < 0).sum())
    p_value = None
    if counted:
        apart = only_this + only_first
        p_value = float(scipy.stats.binomtest(only_this, apart).pvalue) if apart else 1.0
    return PairedDifference(
        folder,
        float(change.mean()),
        _interval(change),
        only_first if counted else None,
        only_this if counted else None,
        p_value,
    )


def _predictors(bundles: Sequence[str | Path]) -> list[Predictor]:
    if len(bundles) < 2:
        raise SettingError(f"a comparison takes two folders or more, got {len(bundles)}.")
    predictors = [load(bundle) for bundle in bundles]
    first = predictors[0]
    for other in predictors[1:]:
        if (other.task, other.classes) != (first.task, first.classes):
            raise SettingError(
                f"{other.folder} is for {other.task} of {', '.join(other.classes)}, and {first.folder} for "
                f"{first.task} of {', '.join(first.classes)}; give models of the same."
            )
    return predictors


def _interval(values: Values) -> Interval | None:
    return intervals_of(
        lambda weights: {"mean": values @ weights / weights.sum(axis=0, dtype=np.float64)}, len(values)
    ).get("mean")


def _values(task: Task, scores: npt.NDArray[np.float32], truth: Truth) -> Values:
    """Say of each picture how right it is: 1 or 0; of numbers, how far off."""
    if task == "regression":
        spread = np.std(truth, axis=0, dtype=np.float64)
        off = np.abs(scores.astype(np.float64) - truth) / np.where(spread > 0, spread, 1)
        return np.asarray(off.mean(axis=1))
    if task == "multi_label":
        right = ((scores >= LABEL_THRESHOLD) == (truth > 0.5)).all(axis=1)
    else:
        right = scores.argmax(axis=1) == truth
    return np.asarray(right, np.float64)


def _common(predictors: Sequence[Predictor]) -> tuple[Iterable[tuple[int, Content]], Truth]:
    """Return the test pictures that all models have in common, and what they show."""
    first, *others = predictors
    tested = _tested(first)
    for other in others:
        if _tested(other) != tested:
            raise SettingError(
                f"{first.folder} and {other.folder} were not judged on the same pictures; give some that "
                "none has learnt from (photos=…, --photos)."
            )
    photos = trained_on(first.folder)
    places = photos.split.test
    return _placed(photos, places), photos.targets("test")


def _tested(predictor: Predictor) -> frozenset[str]:
    return frozenset(entry["sha256"] for entry in read_checked(predictor.folder, "split.json")["test"])


def _given(
    first: Predictor, photos: Photos | str | Path | DataFrame
) -> tuple[Iterable[tuple[int, Content]], Truth]:
    """Return the pictures that somebody gave, and what they show."""
    if isinstance(photos, str | Path) and (is_tfds(photos) or is_shards(Path(photos))):
        photos = read_photos(photos)
    if not isinstance(photos, Photos):
        files, truth, _ = read_labelled(photos, classes=first.classes, task=first.task)
        return enumerate(files), truth
    if (photos.task, photos.classes) != (first.task, first.classes):
        raise SettingError(
            f"the models are for {first.task} of {', '.join(first.classes)}, and {photos.source} for "
            f"{photos.task} of {', '.join(photos.classes)}; give pictures of the same."
        )
    places = range(len(photos))
    shown = [(each.label,) if each.target is None else each.target for each in photos.records]
    return _placed(photos, places), as_array(shown, task=photos.task, classes=len(photos.classes))


def _placed(photos: Photos, places: Sequence[int]) -> Iterator[tuple[int, Content]]:
    """Yield pictures with their row, in whichever order they come."""
    rows = {index: row for row, index in enumerate(places)}
    return ((rows[index], content) for index, content in photos.contents(places))


def _scores(
    predictors: Sequence[Predictor], pictures: Iterable[tuple[int, Content]], seen: frozenset[str]
) -> tuple[list[int], list[npt.NDArray[np.float32]]]:
    """Return the rows of pictures that nobody has seen, and what each model says of them."""
    rows: list[int] = []
    said: list[list[npt.NDArray[np.float32]]] = [[] for _ in predictors]
    unseen = ((row, each) for row, each in pictures if not seen or content_sha256(each) not in seen)
    while portion := list(islice(unseen, _PORTION)):
        rows += [row for row, _ in portion]
        for predictor, own in zip(predictors, said, strict=True):
            own.append(predictor.scores([content for _, content in portion]))
    return rows, [np.concatenate(own) if own else np.zeros((0, 1), np.float32) for own in said]


def _told(value: float, interval: Interval | None, form: str) -> str:
    known = {} if interval is None else {"it": interval}
    return f"{value:{form}}{printed(known, 'it', form)}"


def _plain(value: ComparedModel | PairedDifference) -> dict[str, Any]:
    told = {name: getattr(value, name) for name in value.__slots__}
    interval = told["interval"]
    return {**told, "folder": str(value.folder), "interval": None if interval is None else interval._asdict()}

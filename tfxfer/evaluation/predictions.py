"""A model looks at one part of a data set."""

from __future__ import annotations

import keras

from tfxfer.contracts import Part, Predictions
from tfxfer.data import Photos
from tfxfer.errors import DataError
from tfxfer.evaluation.judging import Judgement, judge
from tfxfer.models import check_classes, scores_of

__all__ = ["evaluate", "predict_part"]


def evaluate(model: keras.Model, photos: Photos, *, part: Part = "test", batch_size: int = 32) -> Judgement:
    """Say how good a model is on pictures that it has not learnt from.

    Args:
        model: A model of the photos' classes or numbers.
        photos: Data set.
        part: Which part to look at.
        batch_size: Pictures a step.

    Returns:
        The report of the photos' task: of one label, a ``Report`` with accuracy, per-class precision, recall
        and F1, and the confusion matrix; of several, a ``MultiLabelReport``; of numbers, a
        ``RegressionReport``.

    Raises:
        DataError: A picture cannot be read, or the part is empty.
        SettingError: The model has another number of classes.
    """
    return judge(predict_part(model, photos, part=part, batch_size=batch_size))


def predict_part(
    model: keras.Model, photos: Photos, *, part: Part = "test", batch_size: int = 32
) -> Predictions:
    """Return a model's scores beside the truth for one part of a data set, in the order of its records."""
    check_classes(model, photos.classes, task=photos.task)
    names = photos.names(part)
    if not names:
        raise DataError(f"the {part} part of {photos.source} is empty; there is nothing to judge by.")
    return Predictions(
        classes=photos.classes,
        files=tuple(names),
        scores=scores_of(model, photos, part, batch_size=batch_size),
        labels=photos.targets(part),
        task=photos.task,
        groups=_groups(photos, part),
    )


def _groups(photos: Photos, part: Part) -> tuple[str | None, ...] | None:
    groups = tuple(photos.records[index].group for index in photos.split[part])
    return groups if any(groups) else None

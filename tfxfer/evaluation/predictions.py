"""A model looks at one part of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import keras

from tfxfer.augment import choose_views, over_views
from tfxfer.contracts import Part, Predictions
from tfxfer.data import Photos
from tfxfer.errors import DataError, SettingError
from tfxfer.evaluation.judging import Judgement, judge
from tfxfer.evaluation.single_label import choose_top
from tfxfer.models import check_classes, view_scores_of

__all__ = ["evaluate", "predict_part"]


def evaluate(
    model: keras.Model,
    photos: Photos,
    *,
    part: Part = "test",
    group: Sequence[str | None] | None = None,
    top_k: int | None = None,
    tta: str | Sequence[str] = (),
    batch_size: int = 32,
) -> Judgement:
    """Say how good a model is on pictures that it has not learnt from.

    Args:
        model: A model of the photos' classes or numbers.
        photos: Data set.
        part: Which part to look at.
        group: What each picture of that part is of, such as a hospital or a camera, in the order of
            ``photos.names(part)``, None for nothing: each group is judged by itself too. If not given, groups
            are those that the photos were read with.
        top_k: Of one label, among how many likeliest classes the true one is looked for too, fewer than there
            are classes; None is 5 where there are more than 5.
        tta: Views for test-time augmentation: ``"flip"``, mirrored left to right, not for what a mirror makes
            another thing, such as digits and text; ``"crops"``, middle and corners of a picture read 8/7 as
            large; or both. What is judged is the mean of the scores of all views, the picture itself among
            them, and the report tells what that changes; it takes 2, 6 or 12 times as long.
        batch_size: Pictures, or views, a step.

    Returns:
        The report of the photos' task: of one label, a ``Report`` with accuracy, per-class precision, recall
        and F1, and the confusion matrix; of several, a ``MultiLabelReport``; of numbers, a
        ``RegressionReport``.

    Raises:
        DataError: A picture cannot be read, or the part is empty.
        SettingError: The model has another number of classes, there are not as many groups as pictures, or
            there is no such view or ``top_k``.

    Source:
        Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks, section 4.1
        (crops, mirrored, and their mean); Shanmugam et al. 2021, https://arxiv.org/abs/2011.11156: that mean
        also makes right pictures wrong, so hold it against none.
    """
    choose_top(top_k, task=photos.task, classes=len(photos.classes))
    groups = None if group is None else _given(group, photos, part)
    predictions = predict_part(model, photos, part=part, tta=tta, batch_size=batch_size)
    return judge(replace(predictions, groups=groups) if groups else predictions, top_k=top_k)


def predict_part(
    model: keras.Model,
    photos: Photos,
    *,
    part: Part = "test",
    tta: str | Sequence[str] = (),
    batch_size: int = 32,
) -> Predictions:
    """Return a model's scores beside the truth for one part of a data set, in the order of its records."""
    views = choose_views(tta)
    check_classes(model, photos.classes, task=photos.task)
    names = photos.names(part)
    if not names:
        raise DataError(f"the {part} part of {photos.source} is empty; there is nothing to judge by.")
    said = view_scores_of(model, photos, part, views, batch_size=batch_size)
    return Predictions(
        classes=photos.classes,
        files=tuple(names),
        labels=photos.targets(part),
        task=photos.task,
        groups=_groups(photos, part),
        **over_views(said, views),
    )


def _groups(photos: Photos, part: Part) -> tuple[str | None, ...] | None:
    groups = tuple(photos.records[index].group for index in photos.split[part])
    return groups if any(groups) else None


def _given(group: Sequence[str | None], photos: Photos, part: Part) -> tuple[str | None, ...]:
    """Take groups as they are given, one a picture."""
    images, groups = len(photos.names(part)), () if isinstance(group, str | Mapping) else tuple(group)
    if len(groups) != images:
        raise SettingError(
            f"group must be a sequence of {images} names, one for each picture of the {part} part in the "
            f"order of photos.names({part!r}), got {type(group).__name__} of {len(group)}."
        )
    for name in groups:
        if not isinstance(name, str | None):
            raise SettingError(
                f"group must hold names, and None for a picture of no group, got {name!r}; write it as text."
            )
    return groups

"""A bundle's model is judged by labelled pictures, wherever they are, without those it has learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

import tfxfer
from tfxfer import augment, data, evaluation
from tfxfer.contracts import Predictions
from tfxfer.errors import DataError, SettingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tfxfer.data.pixels.contents import Content

__all__ = ["judge_source"]


def judge_source(
    predictor: tfxfer.Predictor,
    source: Path,
    *,
    columns: Mapping[str, str | Sequence[str]],
    root: Path | None = None,
    separator: str | None = None,
    data_dir: Path | None = None,
    everything: bool = False,
    top_k: int | None = None,
    tta: Sequence[str] = (),
) -> evaluation.Judgement:
    """Judge a model by a folder, a table, shards, or a data set of TensorFlow Datasets.

    Args:
        predictor: The model.
        source: Where pictures are. Of shards and TensorFlow Datasets the test part counts, if there is one.
        columns: Which column, or which feature of TensorFlow Datasets, holds what.
        root: For a table, where its paths start.
        separator: For a table, what stands between labels.
        data_dir: For TensorFlow Datasets, where it is prepared.
        everything: Whether pictures that the model was trained or chosen on count too.
        top_k: Among how many likeliest classes the true one is looked for, as in ``evaluate``.
        tta: Views for test-time augmentation, as there.

    Returns:
        The report of the model's task.

    Raises:
        DataError: A picture or a label is wrong, or the model was trained on every picture.
        SettingError: The pictures are for another task, or a setting is for another kind of source.
    """
    # First, since what judging needs may be missing.
    evaluation.choose_top(top_k, task=predictor.task, classes=len(predictor.classes))
    views = augment.choose_views(tta)
    shards = data.is_shards(source)
    if not shards and not data.is_tfds(source):
        if data_dir is not None:
            raise SettingError(
                "data_dir is for data sets of TensorFlow Datasets; leave it out, or give tfds: and a name."
            )
        listed = data.read_labelled(
            source,
            classes=predictor.classes,
            task=predictor.task,
            root=root,
            columns=columns,
            separator=separator,
        )
        kept = list(range(len(listed.files)))
        if not everything:
            kept = _unseen(predictor, dict(zip(kept, listed.files, strict=True)).items(), source)
        files = [listed.files[index] for index in kept]
        groups = listed.groups and [listed.groups[index] for index in kept]
        said = predictor.predictions(files, listed.targets[kept], groups=groups, tta=views)
        return evaluation.judge(said, top_k=top_k)
    if predictor.task == "regression" and not shards and "label" not in columns:
        columns = {**columns, "label": list(predictor.classes)}
    photos = data.read_photos(
        source,
        columns=columns,
        task=None if shards else predictor.task,
        root=root,
        separator=separator,
        data_dir=data_dir,
    )
    said = _said(predictor, photos, views, everything=everything)
    return evaluation.judge(said, top_k=top_k)


def _said(
    predictor: tfxfer.Predictor, photos: tfxfer.Photos, views: tuple[str, ...], *, everything: bool
) -> Predictions:
    """Return what the model says of the test part, or of all where there is none."""
    if photos.task != predictor.task:
        raise SettingError(
            f"the model is for {predictor.task}, and {photos.source} for {photos.task}; give pictures of the "
            "model's task."
        )
    chosen = photos.split.test if "test" in photos.split.given else range(len(photos))
    targets = _targets(predictor, photos, chosen)
    rows = {index: row for row, index in enumerate(chosen)}
    kept = list(chosen)
    if not everything:
        kept = _unseen(predictor, photos.contents(kept), photos.source)
    # A stream gives its pictures in its own order.
    order: list[int] = []

    def noted() -> Iterator[Content]:
        for index, content in photos.contents(kept):
            order.append(index)
            yield content

    said = predictor.view_scores(noted(), tta=views)
    records = [photos.records[index] for index in order]
    return Predictions(
        classes=predictor.classes,
        files=tuple(record.path for record in records),
        labels=targets[[rows[index] for index in order]],
        task=predictor.task,
        groups=tuple(record.group for record in records),
        **augment.over_views(said, views),
    )


def _targets(
    predictor: tfxfer.Predictor, photos: tfxfer.Photos, chosen: Sequence[int]
) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
    """Return what pictures show, in the model's own order of classes or numbers."""
    known = {name: index for index, name in enumerate(predictor.classes)}
    if photos.task == "regression" and set(known) != set(photos.classes):
        raise SettingError(
            f"the model tells {', '.join(predictor.classes)}, and {photos.source} has "
            f"{', '.join(photos.classes)}; give pictures with the model's numbers."
        )
    shown: list[tuple[int, ...] | tuple[float, ...]] = []
    for record in (photos.records[index] for index in chosen):
        if photos.task == "regression":
            told = dict(zip(photos.classes, record.target or (), strict=True))
            shown.append(tuple(float(told[name]) for name in predictor.classes))
            continue
        labels = (record.label,) if record.target is None else map(int, record.target)
        names = [photos.classes[label] for label in labels]
        if strange := [name for name in names if name not in known]:
            raise DataError(
                f"{photos.source} has a class {strange[0]!r} that is not among the known ones: "
                f"{', '.join(predictor.classes)}."
            )
        shown.append(tuple(sorted(known[name] for name in names)))
    return data.as_array(shown, task=photos.task, classes=len(known))


def _unseen(
    predictor: tfxfer.Predictor, pictures: Iterable[tuple[int, Content]], source: object
) -> list[int]:
    """Return which of the pictures neither trained nor chose the model."""
    seen = predictor.seen_in_training()
    kept, count = [], 0
    for index, content in pictures:
        count += 1
        if data.content_sha256(content) not in seen:
            kept.append(index)
    if not kept:
        raise DataError(
            f"the model was trained on every picture in {source}; give pictures it has not seen, or "
            "--all to count these."
        )
    if len(kept) < count:
        click.echo(
            f"{count - len(kept)} of {count} pictures left out: the model was trained or chosen on them.",
            err=True,
        )
    return kept

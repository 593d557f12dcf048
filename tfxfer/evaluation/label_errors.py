"""Labels that are likely wrong, by what a probe that has not seen a picture says of it."""

from __future__ import annotations

import importlib
import importlib.util
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from tfxfer.contracts import PARTS, Part
from tfxfer.data import Photos
from tfxfer.errors import DataError, MissingExtra, SettingError
from tfxfer.features import pooled_features
from tfxfer.features.probe import classifier

__all__ = ["LabelError", "check_label_errors", "likely_label_errors"]

_STRENGTH = 10.0  # of the probe, as in a ranking


@dataclass(frozen=True, slots=True)
class LabelError:
    """One picture whose label is likely wrong.

    Attributes:
        file: The picture.
        part: The part of the split that it is in.
        given: Its label.
        likely: The class that it likelier shows.
        given_probability: Probability of its label, by a probe that has not learnt from it; in 0..1.
        likely_probability: Of the other; in 0..1.
    """

    file: str
    part: Part
    given: str
    likely: str
    given_probability: float
    likely_probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.file}  labelled {self.given} ({self.given_probability:.1%}), "
            f"likelier {self.likely} ({self.likely_probability:.1%})"
        )


def likely_label_errors(
    model: keras.Model,
    photos: Photos,
    *,
    folds: int = 5,
    seed: int = 0,
    progress: bool = True,
    console: Console | None = None,
) -> tuple[LabelError, ...]:
    """Find pictures of all parts whose label is likely wrong; somebody has to look at them.

    A logistic regression on the backbone's features, which are computed once and kept, says of each picture
    what it shows, without having learnt from it or from what is of its group or looks like it. Confident
    learning estimates from that how many labels of each class are wrong, and which. A class that has fewer
    than five labels that are likely right loses none.

    Args:
        model: A model from ``tfxfer.build``, of which the backbone alone counts: one that has learnt from
            wrong labels may have them by heart, so take it before ``fit``.
        photos: Data set of one label a picture.
        folds: How many folds; at least 2.
        seed: Seed of the folds.
        progress: Whether to show how far it is, on standard error.
        console: Where; None is standard error.

    Returns:
        The likeliest errors first, by how much likelier another class is than the label.

    Raises:
        DataError: A picture cannot be read, or a class has fewer pictures, or groups, than there are folds.
        MissingExtra: cleanlab is not installed.
        SettingError: Pictures do not show one class each, or ``folds`` is below 2.

    Source:
        Northcutt et al. 2021, https://arxiv.org/abs/1911.00068: pruning by noise rate, ranked by the
        normalised margin; by cleanlab.
    """
    check_label_errors(photos)
    if folds < 2:
        raise SettingError(f"folds must be at least 2, got {folds}.")
    filtering = importlib.import_module("cleanlab.filter")
    indices = [index for part in PARTS for index in photos.split[part]]
    parts = [part for part in PARTS for _ in photos.split[part]]
    labels = np.array([photos.records[index].label for index in indices])
    groups = _groups(photos, indices)
    _check_folds(photos, labels, groups, folds)
    features = pooled_features(model, photos, indices, progress=progress, console=console)
    said = _out_of_fold(features, labels, groups, folds=folds, seed=seed)
    found = filtering.find_label_issues(
        labels, said, filter_by="prune_by_noise_rate", return_indices_ranked_by="normalized_margin", n_jobs=1
    )
    names = [photos.source.name_of(photos.records[index].path) for index in indices]
    return tuple(_error(photos, names[row], parts[row], labels[row], said[row]) for row in found)


def check_label_errors(photos: Photos) -> None:
    """Refuse to look for label errors where it cannot be done, before anything is computed.

    Raises:
        MissingExtra: cleanlab is not installed.
        SettingError: Pictures do not show one class each.
    """
    if photos.task != "single_label":
        raise SettingError(f"label errors are found where pictures show one class each, not {photos.task}.")
    if importlib.util.find_spec("cleanlab") is None:
        raise MissingExtra(
            "likely label errors need cleanlab, which is not installed; pip install 'tfxfer[labels]'."
        )


def _groups(photos: Photos, indices: list[int]) -> npt.NDArray[np.int64]:
    """Number what must stay in one fold: records of one group, and what looks alike."""
    homes: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, index in enumerate(indices):
        record = photos.records[index]
        for kind, name in (("group", record.group), ("alike", record.alike)):
            if name is not None:
                homes[kind, name].append(row)
    numbers = np.arange(len(indices))
    settled = False
    while not settled:
        before = numbers.copy()
        for rows in homes.values():
            numbers[rows] = numbers[rows].min()
        settled = bool(np.array_equal(before, numbers))
    return numbers


def _check_folds(
    photos: Photos, labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], folds: int
) -> None:
    for label, name in enumerate(photos.classes):
        count = len(np.unique(groups[labels == label]))
        if count < folds:
            raise DataError(
                f"class {name!r} has {count} pictures or groups, too few for {folds} folds; add some, or "
                "take fewer folds."
            )


def _out_of_fold(
    features: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    *,
    folds: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return probabilities by probes that have not learnt from a picture, shape (pictures, classes)."""
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    probe = classifier(_STRENGTH)
    return np.asarray(
        cross_val_predict(
            probe, features.astype(np.float64), labels, cv=cut, groups=groups, method="predict_proba"
        )
    )


def _error(photos: Photos, file: str, part: Part, label: int, said: npt.NDArray[np.float64]) -> LabelError:
    others = np.where(np.arange(len(said)) == label, -1, said)
    likely = int(others.argmax())
    return LabelError(
        file, part, photos.classes[label], photos.classes[likely], float(said[label]), float(said[likely])
    )

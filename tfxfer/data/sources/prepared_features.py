"""Which features of a data set of TensorFlow Datasets are the picture, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfxfer.contracts import Task
from tfxfer.errors import SettingError

__all__ = ["image_among", "labels_among"]

_CLASS = "a picture is an Image, a label a ClassLabel"
_CLASSES = "several labels are a Sequence of ClassLabel, or several features that are 0 or 1 each"
_NUMBERS = "a number is a feature of shape ()"


def image_among(title: str, features: Mapping[str, Any], asked: str | None, supervised: str | None) -> str:
    """Choose the feature that is the picture.

    Args:
        title: What messages call the data set.
        features: Name -> feature.
        asked: The one that somebody asked for, or None.
        supervised: The one that the data set is supervised by, or None.

    Raises:
        SettingError: There is no such one, or there are several.
    """
    return _chosen(title, features, _is_image, "image", asked, supervised, what=_CLASS)


def labels_among(
    title: str,
    features: Mapping[str, Any],
    asked: str | Sequence[str] | None,
    supervised: str | None,
    *,
    task: Task,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose the features that say what a picture shows, and the names of its classes or numbers.

    Args:
        title: What messages call the data set.
        features: Name -> feature.
        asked: Those that somebody asked for, or None.
        supervised: The one that the data set is supervised by, or None.
        task: What is learnt.

    Returns:
        Features; and names of classes, or of numbers.

    Raises:
        SettingError: There are no such ones, or several to choose from.
    """
    names = (asked,) if isinstance(asked, str) or asked is None else tuple(asked)
    if task == "single_label" and len(names) != 1:
        raise SettingError(
            f"single_label takes one label feature, got {', '.join(map(str, names)) or 'none'}; multi_label "
            "takes several that are 0 or 1 each, regression several numbers."
        )
    if len(set(names)) != len(names):
        raise SettingError(f"{title}: label=… must name no feature twice, got {', '.join(map(str, names))}.")
    if task == "regression" or len(names) != 1:
        numbers = tuple(
            _chosen(title, features, _is_number, "label", name, supervised, what=_NUMBERS) for name in names
        )
        return numbers, numbers
    kind, what = (_is_classes, _CLASSES) if task == "multi_label" else (_is_class, _CLASS)
    name = _chosen(title, features, kind, "label", names[0], supervised, what=what)
    return (name,), tuple(getattr(features[name], "feature", features[name]).names)


def _is_image(feature: Any) -> bool:
    from tensorflow_datasets import features as kinds  # heavy, and needed here alone

    return isinstance(feature, kinds.Image)


def _is_class(feature: Any) -> bool:
    from tensorflow_datasets import features as kinds

    return isinstance(feature, kinds.ClassLabel)


def _is_classes(feature: Any) -> bool:
    from tensorflow_datasets import features as kinds

    return isinstance(feature, kinds.Sequence) and _is_class(feature.feature)


def _is_number(feature: Any) -> bool:
    from tensorflow_datasets import features as kinds

    scalar = isinstance(feature, kinds.Tensor) and feature.shape == () and not _is_class(feature)
    return scalar and np.dtype(feature.np_dtype).kind in "biuf"


def _chosen(
    title: str,
    features: Mapping[str, Any],
    kind: Callable[[Any], bool],
    role: str,
    asked: str | None,
    supervised: str | None,
    *,
    what: str,
) -> str:
    """Choose the feature asked for, or the one it is supervised by, or the only one of its kind."""
    fitting = sorted(name for name, feature in features.items() if kind(feature))
    if asked is None and supervised in fitting:
        asked = supervised
    if asked is None and len(fitting) == 1:
        return fitting[0]
    if asked not in fitting:
        came = f"has no {role} feature {asked!r}" if asked else f"does not say which feature is the {role}"
        raise SettingError(f"{title} {came}; {role}=… takes one of: {', '.join(fitting) or 'none'} ({what}).")
    return asked

"""The door: a model and pictures in, explanations out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from tfxfer.backbones.weights_file import load_safely
from tfxfer.contracts import RESIZES, Resize
from tfxfer.data import read_image
from tfxfer.data.pixels.contents import Pictures
from tfxfer.errors import DataError, SettingError
from tfxfer.explaining.activation_maps import Floats, class_activation
from tfxfer.explaining.asking import MODEL, Asked, Labels, check_asked
from tfxfer.explaining.explanation import Explanation
from tfxfer.explaining.geometry import resized
from tfxfer.explaining.methods import ExplainMethod
from tfxfer.explaining.occluding import occlusion
from tfxfer.explaining.path_gradients import integrated_gradients
from tfxfer.models import check_classes, computing_in, head_layers, input_contract, task_of
from tfxfer.runtime import ModelFacts

__all__ = ["explain"]

Explainer = Callable[[Floats, npt.NDArray[np.intp]], Floats]

_PORTION = 16

_BRIGHT = {"integrated-gradients": 99.0}
"""The percentile of a map that is shown as 1, where single pixels would outshine all others."""


def explain(
    model: keras.Model | str | Path,
    pictures: Pictures,
    *,
    method: ExplainMethod = "grad-cam",
    label: Labels = None,
    classes: Sequence[str] | None = None,
    resize: Resize | None = None,
) -> list[Explanation]:
    """Show what in pictures speaks for a label.

    Grad-CAM and Grad-CAM++ weigh the last map of the backbone, and explain the score before softmax or
    sigmoid. Integrated gradients and occlusion need no map, take longer, and explain the probability; of
    numbers, all explain the number.

    Args:
        model: A model from ``tfxfer.build``, or a folder that ``tfxfer.export`` or ``tfxfer train`` wrote, of
            which ``model.keras`` is loaded, held to its manifest.
        pictures: One picture or several: files, their bytes, or pixels, as ``read_image`` takes them.
        method: ``"grad-cam"``, ``"grad-cam++"``, ``"integrated-gradients"`` or ``"occlusion"``.
        label: A class or the name of a number, or several; None is the class that scores highest in each
            picture, or every number.
        classes: For a model, the names of its classes or numbers, in their order; None calls them ``"0"``,
            ``"1"`` and so on. A folder knows them.
        resize: For a model, how pictures are brought to its size, ``"crop"`` if None. A folder knows it.

    Returns:
        One explanation a picture and label, picture by picture.

    Raises:
        BundleError: The folder is missing, is no bundle, or has no ``model.keras`` that is the one written.
        WeightsError: ``model.keras`` does not open in Keras's safe mode.
        MissingExtra: It needs KerasHub, which is not installed.
        SettingError: No such method or label, other names than the model's, or a backbone without a map of
            the picture.
        DataError: A picture cannot be read, or gets scores that are no numbers.

    Source:
        Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391; Chattopadhay et al. 2018,
        https://arxiv.org/abs/1710.11063; Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365; Zeiler &
        Fergus 2014, https://arxiv.org/abs/1311.2901.

    >>> from tfxfer.models import build
    >>> model = build(classes=("ant", "bee"), backbone="micro", image_size=64)
    >>> noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    >>> (found,) = explain(model, noise, label="bee", classes=("ant", "bee"))
    >>> found.label, found.map.shape, found.overlay(original=True).size
    ('bee', (64, 64), (120, 90))
    """
    if isinstance(model, str | Path):
        if classes is not None or resize is not None:
            raise SettingError("a folder knows its classes and its resize; leave both out.")
        asked = check_asked(model, pictures, method=method, label=label)
        loaded = load_safely(Path(model) / MODEL, advice="export the model again.")
    else:
        asked = Asked.of(_facts(model, classes, resize), pictures, method=method, label=label)
        loaded = model
    with computing_in("float32", loaded):
        return list(_explained(loaded, asked))


def _facts(model: keras.Model, classes: Sequence[str] | None, resize: Resize | None) -> ModelFacts:
    head_layers(model)
    if resize not in (None, *RESIZES):
        raise SettingError(f"resize must be {' or '.join(map(repr, RESIZES))}, got {resize!r}.")
    task = task_of(model) or "single_label"
    names = tuple(map(str, range(model.output_shape[-1]))) if classes is None else tuple(classes)
    check_classes(model, names, task=task)
    return ModelFacts(task, names, input_contract(model), resize or "crop")


def _explained(model: keras.Model, asked: Asked) -> Iterator[Explanation]:
    """Explain a portion of the pictures at a time."""
    explainer, facts = _explainer(model, asked.method), asked.facts
    height, width = facts.input.height, facts.input.width
    for first in range(0, len(asked.pictures), _PORTION):
        portion = asked.pictures[first : first + _PORTION]
        pixels = [
            read_image(content, height=height, width=width, resize=facts.resize, name=name)
            for name, content in portion
        ]
        images = np.stack(pixels).astype(np.float32)
        scores = np.asarray(model(images, training=False), np.float32)
        _check_scores(model, scores, portion)
        # One column a label that is asked for.
        labels = np.tile(asked.labels, (len(portion), 1)) if asked.labels else scores.argmax(1)[:, None]
        raw = [explainer(images, column) for column in labels.T]
        for place, (name, content) in enumerate(portion):
            for column, label in enumerate(labels[place]):
                yield Explanation(
                    file=name,
                    label=facts.classes[label],
                    score=float(scores[place, label]),
                    method=asked.method,
                    map=_shown(raw[column][place], height, width, _BRIGHT.get(asked.method, 100.0)),
                    pixels=pixels[place],
                    task=facts.task,
                    resize=facts.resize,
                    content=content,
                )


def _check_scores(model: keras.Model, scores: Floats, portion: Sequence[tuple[str, object]]) -> None:
    for (name, _), row in zip(portion, scores, strict=True):
        if not np.isfinite(row).all():
            raise DataError(
                f"{model.name} gives {name} scores that are NaN or infinite, so there is nothing to explain; "
                "train it at a lower rate."
            )


def _explainer(model: keras.Model, method: ExplainMethod) -> Explainer:
    if method == "occlusion":
        return partial(occlusion, model)
    if method == "integrated-gradients":
        return lambda images, indices: integrated_gradients(model, images, indices).sum(axis=-1)
    return class_activation(model, plus_plus=method == "grad-cam++")


def _shown(raw: Floats, height: int, width: int, bright: float) -> npt.NDArray[np.float32]:
    """Bring what speaks for a label to 0..1 and to the model's size; what speaks against it is 0."""
    values = resized(np.maximum(raw, 0).astype(np.float32), height=height, width=width)
    top = np.percentile(values, bright)
    return np.asarray(np.clip(values / (top or values.max() or 1.0), 0, 1), np.float32)

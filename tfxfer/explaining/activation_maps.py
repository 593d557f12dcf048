"""Class activation maps by gradients: Grad-CAM and Grad-CAM++."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.explaining.spatial_map import find_spatial_map
from tfxfer.models import task_of

__all__ = ["Floats", "alphas", "class_activation", "grad_cam", "grad_cam_plus_plus"]

Floats: TypeAlias = npt.NDArray[np.floating[Any]]

_LOGITS = "head_logits"


def class_activation(
    model: keras.Model, *, plus_plus: bool = False
) -> Callable[[Floats, npt.NDArray[np.intp]], Floats]:
    """Prepare Grad-CAM, or Grad-CAM++, on the last map of a model.

    Gradients are of the class score before softmax or sigmoid, as in both papers; of numbers, of the number.

    Args:
        model: A model from ``tfxfer.build``.
        plus_plus: Whether each place of a channel is weighed by itself.

    Returns:
        A function of pictures, shape (pictures, height, width, 3), RGB in 0..255, and of one label's index a
        picture, that gives maps, shape (pictures, rows, columns), not negative, in no unit.

    Raises:
        SettingError: The model has no map of the picture.

    Source:
        Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, equations 1 and 2; Chattopadhay et al. 2018,
        https://arxiv.org/abs/1710.11063, section 3.
    """
    found = find_spatial_map(model)
    below = keras.Model(model.inputs[0], found.tensor)
    above = keras.Model(found.tensor, _score(model))
    weigh = grad_cam_plus_plus if plus_plus else grad_cam

    def maps(pictures: Floats, indices: npt.NDArray[np.intp]) -> Floats:
        features = below(tf.constant(pictures, tf.float32), training=False)
        with tf.GradientTape() as tape:
            tape.watch(features)
            score = tf.gather(above(features, training=False), indices, batch_dims=1)
        gradients = tape.gradient(score, features)
        shape = (len(pictures), found.rows, found.columns, -1)
        return weigh(*(np.asarray(each, np.float64).reshape(shape) for each in (features, gradients)))

    return maps


def grad_cam(features: Floats, gradients: Floats) -> Floats:
    """Add a map's channels up, each weighed by the mean of its gradients; what speaks against counts as none.

    Args:
        features: Shape (pictures, rows, columns, channels).
        gradients: Of the score, by each feature; the same shape.

    Returns:
        Shape (pictures, rows, columns), not negative.

    >>> grad_cam(np.array([[[[1.0, 2.0], [3.0, 5.0]]]]), np.array([[[[1.0, 0.0], [1.0, -1.0]]]])).tolist()
    [[[0.0, 0.5]]]
    """
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum((weights * features).sum(axis=-1), 0))


def grad_cam_plus_plus(features: Floats, gradients: Floats) -> Floats:
    """Do as ``grad_cam`` does, but weigh gradients above 0 alone, each place by its ``alphas``.

    The paper's gradients of exp(score) are those of the score times exp(score): one number a picture, which
    is left out here, for nothing but the map's unit depends on it.
    """
    weights = (alphas(features, gradients) * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum((weights * features).sum(axis=-1), 0))


def alphas(features: Floats, gradients: Floats) -> Floats:
    """Weigh each place of each channel: Grad-CAM++'s closed form for exp(score), of a piecewise linear score.

    Args:
        features: Shape (pictures, rows, columns, channels).
        gradients: Of the score, by each feature; the same shape.

    Returns:
        Second derivatives of exp(score) by twice themselves and the channel's sum times the third, which is
        g^2 / (2 g^2 + g^3 * sum of the channel); 0 where the gradient g is. The same shape.
    """
    total = features.sum(axis=(1, 2), keepdims=True)
    below = 2 * gradients**2 + gradients**3 * total
    return np.asarray(np.divide(gradients**2, below, out=np.zeros_like(below), where=below != 0))


def _score(model: keras.Model) -> keras.KerasTensor:
    """Return a class's score before softmax or sigmoid, or the number in its own unit."""
    return model.outputs[0] if task_of(model) == "regression" else model.get_layer(_LOGITS).output

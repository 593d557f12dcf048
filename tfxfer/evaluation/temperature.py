"""One number that logits are divided by, so that probabilities mean what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

from tfxfer.contracts import Predictions, Task
from tfxfer.data import Photos
from tfxfer.errors import SettingError
from tfxfer.evaluation.predictions import predict_part
from tfxfer.evaluation.reliability import judge_reliability
from tfxfer.models import logits_layer

__all__ = ["Calibration", "Quality", "calibrate", "fit_temperature"]

_SUREST = 1 - float(np.finfo(np.float32).epsneg)
_Logits = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """How far probabilities mean what they say, on some pictures; as in ``Reliability``.

    Attributes:
        expected_calibration_error: In 0..1.
        brier_score: In 0..2 of one label, in 0..1 of several.
        log_loss: In nats.
    """

    expected_calibration_error: float
    brier_score: float
    log_loss: float

    @classmethod
    def of(cls, predictions: Predictions) -> Quality:
        """Judge probabilities by their truth."""
        found = judge_reliability(predictions)
        return cls(found.expected_calibration_error, found.brier_score, found.log_loss)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibrating a model did.

    Attributes:
        temperature: What logits were divided by, above 0: more than 1 where the model was too sure.
        reason: Why it is 1 although nobody asked for that; empty otherwise.
        images: Pictures of the validation part, which it was fitted on.
        before: The quality of probabilities there as they were.
        after: As they are now.
    """

    temperature: float
    reason: str
    images: int
    before: Quality
    after: Quality

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return asdict(self)

    def quality_before(self, predictions: Predictions) -> Quality:
        """Say how good probabilities of the calibrated model, as on the test part, would be without.

        Args:
            predictions: What the calibrated model says, with labels.

        Returns:
            Their quality, had their logits not been divided.
        """
        scores = np.clip(predictions.scores.astype(np.float64), np.finfo(np.float32).tiny, 1)
        several = predictions.task == "multi_label"
        logits = scipy.special.logit(np.minimum(scores, _SUREST)) if several else np.log(scores)
        return Quality.of(_probable(predictions, logits * self.temperature))

    def __str__(self) -> str:
        if self.reason:
            return f"not calibrated: {self.reason}"
        return (
            f"temperature {self.temperature:.3f}, which brings the log loss on the {self.images} validation "
            f"pictures from {self.before.log_loss:.3f} to {self.after.log_loss:.3f}; calibration error "
            f"{self.before.expected_calibration_error:.3f} before, "
            f"{self.after.expected_calibration_error:.3f} after"
        )


def calibrate(model: keras.Model, photos: Photos, *, batch_size: int = 32) -> Calibration:
    """Divide a model's logits by the temperature that suits the validation part best.

    The last dense layer's weights are divided, so that the model stays what it was in all else: labels are
    the same (of several, at the threshold of 0.5), it learns on as before, and its files load where they did.
    Its probabilities are as sure as they are right, as far as one number can bring that about.

    Args:
        model: A model from ``tfxfer.build`` that has learnt, changed in place.
        photos: Data set with the classes that it has learnt.
        batch_size: Pictures a step.

    Returns:
        What was done.

    Raises:
        DataError: A picture cannot be read, or the validation part is empty.
        SettingError: The photos are numbers, of which there are no probabilities; or the model is not from
            ``tfxfer.build``, or for other classes.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599, section 4.2.
    """
    if photos.task == "regression":
        raise SettingError("regression gives no probabilities, and there is nothing to calibrate.")
    layer = logits_layer(model)
    # The logits themselves: probabilities near 1 are too coarse to take their logarithm.
    below = keras.Model(model.inputs[0], layer.output, name=model.name)
    said = predict_part(below, photos, part="validation", batch_size=batch_size)
    logits = said.scores.astype(np.float64)
    temperature, reason = fit_temperature(logits, np.asarray(said.labels), task=photos.task)
    for variable in layer.weights:
        variable.assign(variable / temperature)
    return Calibration(
        temperature,
        reason,
        images=len(said.files),
        before=Quality.of(_probable(said, logits)),
        after=Quality.of(_probable(said, logits / temperature)),
    )


def fit_temperature(
    logits: _Logits, labels: npt.NDArray[Any], *, task: Task = "single_label"
) -> tuple[float, str]:
    """Find the temperature with the lowest cross-entropy.

    Args:
        logits: Shape (pictures, classes).
        labels: Class indices, shape (pictures,); for several labels 0 and 1, shape (pictures, classes).
        task: Whether probabilities are the softmax of logits, or the sigmoid of each.

    Returns:
        The temperature, and an empty reason; or 1, and why none is the best.

    >>> logits = np.log(np.array([[9.0, 1.0]] * 4))  # sure to 90 %, right on 3 of 4: 3 to 1 is what holds
    >>> temperature, _ = fit_temperature(logits, np.array([0, 0, 0, 1]))
    >>> round(temperature, 3), round(float(np.log(9) / np.log(3)), 3)
    (2.0, 2.0)
    """
    margins = _margins(logits, labels, task)
    if margins.min() >= 0:
        return 1.0, "every validation label is right, so that no probability would be too sure."
    if margins.mean() <= 0:
        return 1.0, "on validation the logits say no more than chance."

    def loss(log_inverse: float) -> float:
        return _cross_entropy(logits * np.exp(log_inverse), labels, task)

    # Convex in the inverse of the temperature, so that there is one minimum, in its logarithm as well.
    found = scipy.optimize.minimize_scalar(loss, bracket=(-1.0, 1.0), tol=1e-10)
    return float(np.exp(-found.x)), ""


def _margins(logits: _Logits, labels: npt.NDArray[Any], task: Task) -> _Logits:
    """Return by how much the truth's logits are above the others: none below 0 where all labels are right."""
    if task == "multi_label":
        return np.where(labels.astype(bool), logits, -logits)
    own = np.take_along_axis(logits, labels[:, np.newaxis], axis=1)
    others = np.arange(logits.shape[1]) != labels[:, np.newaxis]
    return np.asarray((own - logits)[others])


def _cross_entropy(logits: _Logits, labels: npt.NDArray[Any], task: Task) -> float:
    if task == "multi_label":
        return float(np.logaddexp(0, np.where(labels.astype(bool), -logits, logits)).mean())
    own = np.take_along_axis(logits, labels[:, np.newaxis], axis=1)[:, 0]
    return float((scipy.special.logsumexp(logits, axis=1) - own).mean())


def _probable(said: Predictions, logits: _Logits) -> Predictions:
    several = said.task == "multi_label"
    scores = scipy.special.expit(logits) if several else scipy.special.softmax(logits, axis=1)
    return replace(said, scores=scores.astype(np.float32))

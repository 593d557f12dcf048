"""Learning from another model as data: whose answers, how soft they are, and what labels count beside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfxfer.config.checking import check_types
from tfxfer.errors import SettingError

if TYPE_CHECKING:
    import keras

__all__ = ["Distillation"]


@dataclass(frozen=True, slots=True)
class Distillation:
    """A model learns from the answers of another, a teacher, beside labels.

    The loss of a training picture is ``alpha`` times the cross-entropy of its label, and ``1 - alpha`` times
    the Kullback-Leibler divergence of its scores from the teacher's, where the logits of both are divided by
    the temperature. That part is multiplied by the square of the temperature, as its gradients are divided by
    it. Validation is by labels alone.

    Attributes:
        teacher: A folder that ``tfxfer.export`` or ``tfxfer train`` wrote, ``model.keras`` in it; or a model
            from ``tfxfer.build`` that has learnt. Its classes are the student's, in the same order.
        temperature: What logits are divided by, above 0: the higher, the more counts what the teacher makes
            of classes that it takes to be wrong.
        alpha: What labels count, in [0, 1); 0 goes by the teacher alone.

    Raises:
        SettingError: A number out of range, or a value of another type.

    Source:
        Hinton, Vinyals & Dean 2015, https://arxiv.org/abs/1503.02531, section 2. A temperature of 4, and
        labels at 0.1, are those of the code of Tian, Krishnan & Isola 2020, https://arxiv.org/abs/1910.10699.

    >>> Distillation("saved_models/flowers").temperature
    4.0
    """

    teacher: str | Path | keras.Model
    temperature: float = 4.0
    alpha: float = 0.1

    def __post_init__(self) -> None:
        check_types(self, " of the distillation")
        if not isinstance(self.teacher, str | Path) and not hasattr(self.teacher, "predict"):
            raise SettingError(
                "teacher of the distillation must be a folder or a model of Keras, got "
                f"{type(self.teacher).__name__}."
            )
        if not 0 < self.temperature < math.inf:
            raise SettingError(
                f"temperature of the distillation must be above 0, got {self.temperature:g}; 1 takes the "
                "teacher's answers as they are."
            )
        if not 0 <= self.alpha < 1:
            raise SettingError(
                f"alpha of the distillation must be in [0, 1), got {self.alpha:g}; at 1 the teacher would "
                "count for nothing."
            )

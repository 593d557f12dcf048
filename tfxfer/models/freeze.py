"""The freeze contract: what is frozen does not move, and what learns does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import keras
import numpy as np

from tfxfer.backbones import HubUnit, layers_within
from tfxfer.errors import FreezeError
from tfxfer.models.anatomy import Anatomy, Piece

__all__ = ["FreezeContract", "moving_variables"]


@dataclass(frozen=True, slots=True)
class FreezeContract:
    """Digests of a model's variables, taken before training and held against it afterwards.

    Attributes:
        frozen: Variable path -> digest, of what must not move: BatchNorm statistics included.
        learning: Part name -> variable path -> digest, of what must: at least one variable a part.
    """

    frozen: Mapping[str, str]
    learning: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, model: keras.Model) -> FreezeContract:
        """Take the digests, by what is trainable now."""
        parts = Anatomy.of(model).parts
        learning = {
            name: _digests(v for layer in layers for v in layer.trainable_variables)
            for name, layers in parts.items()
        }
        moving = {id(variable) for variable in moving_variables(model)}
        return cls(
            frozen=_digests(variable for variable in model.weights if id(variable) not in moving),
            learning={name: digests for name, digests in learning.items() if digests},
        )

    def verify(self, model: keras.Model) -> None:
        """Hold the model against the digests.

        Raises:
            FreezeError: A frozen variable moved, or a part that should learn did not.
        """
        now = _digests(model.weights)
        moved = [path for path, digest in self.frozen.items() if now[path] != digest]
        if moved:
            raise FreezeError(
                f"{len(moved)} of {len(self.frozen)} frozen variables moved, {moved[0]} first; keep "
                "their layers' trainable flags as tfxfer.set_trainable left them, and report this "
                "if they were."
            )
        still = [
            name
            for name, digests in self.learning.items()
            if all(now[path] == digest for path, digest in digests.items())
        ]
        if still:
            raise FreezeError(
                f"nothing moved in {', '.join(still)}, though it should learn; compile the model "
                "after set_trainable, and check that the rate is not 0."
            )


def moving_variables(model: keras.Model) -> list[keras.Variable]:
    """Return what training may change as the model is set now, BatchNorm statistics that learn among it."""
    parts = Anatomy.of(model).parts
    return [variable for layers in parts.values() for layer in layers for variable in _may_move(layer)]


def _may_move(layer: Piece) -> Iterable[keras.Variable]:
    """Return what training may change; a layer that learns also moves what it only counts."""
    if isinstance(layer, HubUnit):
        return layer.may_move
    if not layer.trainable_variables:
        return ()
    still = [inner for inner in layers_within(layer) if not inner.trainable]
    held = {id(variable) for inner in still for variable in inner.weights}
    return [variable for variable in layer.weights if id(variable) not in held]


def _digests(variables: Iterable[keras.Variable]) -> dict[str, str]:
    return {
        variable.path: hashlib.sha256(np.asarray(variable).tobytes()).hexdigest() for variable in variables
    }

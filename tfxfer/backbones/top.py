"""What a backbone told its own classes apart by, before it was to learn others."""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import KerasTensor

from tfxfer.backbones.graph import output_within

__all__ = ["PretrainedTop"]


class PretrainedTop(NamedTuple):
    """What a backbone told its own classes apart by.

    Attributes:
        place: The operation whose map it stands on.
        layers: That map, shape (batch, rows, columns, channels) -> logits, shape (batch, classes).
    """

    place: str
    layers: keras.Model

    def logits(self, model: keras.Model) -> KerasTensor:
        """Put the layers on a model that has the map; the model itself stays as it is."""
        operation = next(each for each in model.operations if each.name == self.place)
        logits: KerasTensor = self.layers(output_within(model, operation))
        return logits

    def copy(self) -> PretrainedTop:
        """Make layers of the same weights, that learn without these."""
        layers = keras.models.clone_model(self.layers)
        layers.set_weights(self.layers.get_weights())
        return self._replace(layers=layers)

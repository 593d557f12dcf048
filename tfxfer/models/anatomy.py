"""The parts of a flat model: which layers are its head, and which stage each other layer is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import keras

from tfxfer.backbones import (
    BACKBONES,
    BackboneSpec,
    HubLayer,
    HubUnit,
    is_body,
    layers_below,
    layers_within,
    survey,
)
from tfxfer.contracts import InputContract, Task
from tfxfer.errors import SettingError, did_you_mean

__all__ = [
    "HEAD",
    "Anatomy",
    "Piece",
    "check_classes",
    "head_layers",
    "input_contract",
    "logits_layer",
    "task_of",
]

Piece: TypeAlias = keras.layers.Layer | HubUnit
"""What learns or not as one: a layer, or what plays its part within a module of TensorFlow Hub."""

HEAD = "head"
"""Name of the part that stands on the backbone, and prefix of its layers' names."""

_LOGITS = "head_logits"


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A model taken apart into stages and head.

    Attributes:
        name: The model's name, which is its backbone's.
        stages: Stage name -> its layers, from the pixels to the head.
        head: The layers that stand on the backbone.
        hub: The one layer that is the backbone where it is a module of TensorFlow Hub.
    """

    name: str
    stages: dict[str, tuple[Piece, ...]]
    head: tuple[keras.layers.Layer, ...]
    hub: HubLayer | None = None

    @classmethod
    def of(cls, model: keras.Model) -> Anatomy:
        """Take a model apart by the catalogue's map of its backbone, or by what its graph tells.

        Raises:
            SettingError: The model has no head from ``tfxfer.build``.
        """
        head = head_layers(model)
        hub = next((layer for layer in model.layers if isinstance(layer, HubLayer)), None)
        if hub:
            return cls(model.name, hub.stages, head, hub)
        return cls(model.name, _stages(model), head)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, from the pixels to the head."""
        return tuple(self.stages)

    def stage_position(self, name: str) -> int:
        """Return where a stage stands, 0 being nearest the pixels.

        Raises:
            SettingError: No stage has that name.
        """
        if name not in self.stages:
            hint = did_you_mean(name, self.stages) or "."
            raise SettingError(
                f"{self.name} has no stage {name!r}{hint} Its stages are, from the pixels to the "
                f"head: {', '.join(self.stages)}."
            )
        return self.stage_names.index(name)

    @property
    def backbone(self) -> tuple[Piece, ...]:
        """All layers of the backbone, from the pixels to the head."""
        return tuple(layer for layers in self.stages.values() for layer in layers)

    @property
    def learns_whole(self) -> bool:
        """Whether the whole backbone learns now, BatchNorm too, as it does without pretrained weights."""
        held = self.hub is not None and self.hub.batch_norm == "frozen"
        return bool(self.backbone) and not held and all(map(_learns, self.backbone))

    @property
    def parts(self) -> dict[str, tuple[Piece, ...]]:
        """The stages, then the head."""
        return {**self.stages, HEAD: self.head}


def head_layers(model: keras.Model) -> tuple[keras.layers.Layer, ...]:
    """Return the layers that stand on a model's backbone.

    Raises:
        SettingError: The model has no head from ``tfxfer.build``.
    """
    head = tuple(layer for layer in model.layers if layer.name.startswith("head_"))
    if not head:
        raise SettingError(
            f"the model {model.name!r} has no layer named head_..., so what is backbone and what is head "
            "cannot be told; build it with tfxfer.build, and keep the names it gives."
        )
    return head


def input_contract(model: keras.Model) -> InputContract:
    """Return the picture size that a model takes."""
    _, height, width, _ = model.input_shape
    return InputContract(height, width)


_TASKS: dict[type[keras.layers.Layer], Task] = {
    keras.layers.Softmax: "single_label",
    keras.layers.Activation: "multi_label",
    keras.layers.Rescaling: "regression",
}
"""The last layer of each task's head."""


def task_of(model: keras.Model) -> Task | None:
    """Tell what a model from ``tfxfer.build`` learns by its last layer; None for another's."""
    last = model.layers[-1]
    return _TASKS.get(type(last)) if last.name == "head_scores" else None


def logits_layer(model: keras.Model) -> keras.layers.Layer:
    """Return the dense layer that makes logits of one vector a picture.

    Raises:
        SettingError: The model is not from ``tfxfer.build``.
    """
    layer = next((layer for layer in model.layers if layer.name == _LOGITS), None)
    if layer is None:
        raise SettingError(
            f"the model {model.name!r} has no layer named {_LOGITS}, so there are no logits; build it with "
            "tfxfer.build."
        )
    return layer


def check_classes(model: keras.Model, classes: Sequence[str], *, task: Task = "single_label") -> None:
    """Hold a model's outputs against the classes of a data set, or the names of its numbers.

    Raises:
        SettingError: They are not as many, or for another task.
    """
    outputs = model.output_shape[-1]
    if (found := task_of(model)) not in (None, task):
        raise SettingError(
            f"the model is for {found}, the pictures for {task}; build the model with these photos."
        )
    if outputs != len(classes) and task == "regression":
        raise SettingError(
            f"the model gives {outputs} numbers, the pictures have {len(classes)}; build the model with "
            "these photos."
        )
    if outputs != len(classes):
        raise SettingError(
            f"the model tells {outputs} classes apart, the pictures have {len(classes)}; build the model "
            "with these photos."
        )


def _stages(model: keras.Model) -> dict[str, tuple[Piece, ...]]:
    """Sort layers by the catalogue's map, where the model is what its name says; else by its graph."""
    if model.name in BACKBONES:
        spec = BACKBONES[model.name]
        if {stage.output for stage in spec.stages} <= {layer.name for layer in model.layers}:
            return _mapped(model, spec)
    return dict(survey(model))


def _mapped(model: keras.Model, spec: BackboneSpec) -> dict[str, tuple[Piece, ...]]:
    """Put each layer into the first of a catalogue's stages whose output depends on it."""
    stages: dict[str, tuple[Piece, ...]] = {}
    seen: set[int] = set()
    for stage in spec.stages:
        below = layers_below(model, stage.output)
        stages[stage.name] = tuple(layer for layer in below if is_body(layer) and id(layer) not in seen)
        seen.update(id(layer) for layer in below)
    return stages


def _learns(piece: Piece) -> bool:
    if isinstance(piece, HubUnit):
        return piece.trainable
    return all(layer.trainable for layer in layers_within(piece))

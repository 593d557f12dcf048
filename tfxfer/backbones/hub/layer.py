"""A Keras layer around a SavedModel from TensorFlow Hub, which travels inside the ``.keras`` file."""

from __future__ import annotations

import shutil
import weakref
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from tfxfer.backbones.hub.files import copy_module, private_copy
from tfxfer.backbones.hub.module import ModuleFacts, OpenModule, open_module, output_shape, shape_in_words
from tfxfer.backbones.hub.stages import Group, group_variables
from tfxfer.errors import SettingError, WeightsError
from tfxfer.runtime import folder_sha256

__all__ = ["HubLayer", "HubUnit"]


@keras.saving.register_keras_serializable("tfxfer")
class HubLayer(keras.layers.Layer):
    """A reusable SavedModel as a layer: its variables are the layer's weights, and learn as asked.

    The module is copied when the layer is made, and again into every ``.keras`` file, which then needs
    neither the original nor the network. ``keras.saving.load_model`` loads it in safe mode once this
    class has been imported. What is loaded is a TensorFlow graph, whose digest must be the recorded one
    and which may hold no operator that reaches files, the network or Python.

    Args:
        module: Folder of a SavedModel.
        image_size: (height, width) of the pictures; None takes what the module is bound to.
        label: What messages call it; None is the folder's name.
        signature: The signature to call; None calls the module itself, or else its usual signature.
        output: Key of the output to take, where there are several.
        trainable: Whether its variables learn.
        batch_norm: ``"frozen"`` calls it in inference at all times: gradients flow, statistics stay, its
            dropout is off, and gamma and beta learn no more than in other backbones, where names tell
            them. ``"train"`` hands ``training`` on while the layer is trainable.
        name: The layer's name.

    Raises:
        SettingError: The module takes no pictures, not this size, has nothing to call, or is to be
            trained and cannot.
        WeightsError: Its files are damaged or refused.
    """

    def __init__(
        self,
        module: str | Path | None = None,
        *,
        image_size: tuple[int, int] | None = None,
        label: str | None = None,
        signature: str | None = None,
        output: str | None = None,
        trainable: bool = False,
        batch_norm: Literal["frozen", "train"] = "frozen",
        name: str = "hub_module",
        **saved: Any,
    ) -> None:
        # The types of a SavedModel are fixed when it is written.
        super().__init__(name=name, dtype="float32")
        self._open: OpenModule | None = None
        self._learning: frozenset[str] | None = saved.get("learning")
        self._batch_norm: Literal["frozen", "train"] = "frozen"
        if module is None:
            self.facts = ModuleFacts.from_dict(saved["facts"])
            self.image_size = tuple(image_size or ())
            self.features = tuple(saved["features"])
            self._make_variables([None] * len(self.facts.variables))
        else:
            folder = Path(module)
            self._files = self._kept(private_copy(folder))
            opened = open_module(self._files, label=label or folder.name, signature=signature, output=output)
            self.facts = opened.facts
            self.image_size = self._size(image_size)
            self.features = output_shape(opened, *self.image_size)
            self._make_variables(opened.variables)
            self._hold(opened)
        self._build_at_init()
        self.trainable = False
        self.batch_norm = batch_norm
        self.trainable = trainable

    @property
    def trainable(self) -> bool:
        """Whether any of its variables learns."""
        return bool(self._trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value:
            self.check_trainable()
        keras.layers.Layer.trainable.fset(self, value)
        if value:
            self._apply_learning()

    @property
    def batch_norm(self) -> Literal["frozen", "train"]:
        """Whether it is called in inference at all times, or trains its BatchNorm layers."""
        return self._batch_norm

    @batch_norm.setter
    def batch_norm(self, value: Literal["frozen", "train"]) -> None:
        self.check_batch_norm(value)
        self._batch_norm = value
        if self.trainable:
            self._apply_learning()

    def check_trainable(self) -> None:
        """Raise SettingError where the module is for inference alone."""
        if self.facts.inference_only:
            raise SettingError(
                f"{self.facts.label} cannot be trained: {self.facts.inference_only}; train a head on its "
                "features (set_trainable(model, 'head'))."
            )

    def check_batch_norm(self, value: Literal["frozen", "train"]) -> None:
        """Raise SettingError where BatchNorm is to train and the module cannot be told to."""
        if value == "train" and not self.facts.takes_training:
            raise SettingError(
                f"{self.facts.label} knows no training argument, so its BatchNorm layers cannot train; leave "
                "batch_norm='frozen'."
            )

    @property
    def stages(self) -> dict[str, tuple[HubUnit, ...]]:
        """Stage name -> its units, from the pixels to the head; none where the module cannot be trained."""
        stages: dict[str, tuple[HubUnit, ...]] = {}
        for unit in () if self.facts.inference_only else self.units:
            stages[unit.stage] = (*stages.get(unit.stage, ()), unit)
        return stages

    @property
    def units(self) -> tuple[HubUnit, ...]:
        """Its variables as layers and stages, as far as names tell; from the pixels to the head."""
        weights = self._in_order()
        groups = group_variables([variable.name for variable in self.facts.variables])
        return tuple(HubUnit(self, group, [weights[place] for place in group.members]) for group in groups)

    def learn(self, units: Iterable[str]) -> None:
        """Say which units learn, by name, and that no other does; with none, the layer is frozen."""
        chosen = frozenset(units)
        # Keras passes over an attribute that is set to what it was.
        self.trainable = False
        # Of a frozen layer nothing is remembered: ``trainable = True`` then means all of it, as ever.
        self._learning = chosen or None
        self.trainable = bool(chosen)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Turn pictures into features.

        Args:
            inputs: Shape (batch, height, width, 3), in the module's own range.
            training: Handed on only where the layer is trainable and BatchNorm trains.

        Returns:
            Features, float32, shape (batch, channels) or (batch, rows, columns, channels).
        """
        opened = self._present()
        for_training = bool(training) and self.trainable and self.batch_norm == "train"
        features = opened.call(tf.cast(inputs, self.facts.input_dtype), for_training)
        if training and self.trainable:
            # In training alone, so that losses on validation compare between phases.
            for penalty in opened.penalties:
                self.add_loss(penalty())
        features = tf.cast(features, self.compute_dtype)
        features.set_shape(self.features)
        return features

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:  # noqa: ARG002
        """Tell the shape without running the module, which may not be here yet."""
        return keras.KerasTensor((inputs.shape[0], *self.features[1:]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Describe the layer; the module itself goes with ``save_assets``."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "batch_norm": self.batch_norm,
            "learning": None if self._learning is None else sorted(self._learning),
            "image_size": list(self.image_size),
            "features": list(self.features),
            "facts": self.facts.to_dict(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HubLayer:
        """Make the layer with empty variables; the module comes with ``load_assets``."""
        learning = config["learning"]
        return cls(**{**config, "learning": None if learning is None else frozenset(learning)})

    def save_assets(self, inner_path: str) -> None:
        """Put the module into the file that is being written."""
        self._present()
        copy_module(self._files, Path(inner_path))

    def load_assets(self, inner_path: str) -> None:
        """Take the module out of the file that is being read.

        Raises:
            WeightsError: It is not the module that was saved, or is refused.
        """
        folder = self._kept(private_copy(Path(inner_path)))
        if folder_sha256(folder) != self.facts.sha256:
            raise WeightsError(
                f"the module {self.facts.label} inside the file is not the one that was saved (its SHA-256 "
                "differs); take an undamaged copy of the file."
            )
        learnt = [keras.ops.convert_to_numpy(variable) for variable in self._in_order()]
        pairs = list(zip(self.facts.variables, self._in_order(), strict=True))
        self._files = folder
        opened = open_module(
            folder,
            label=self.facts.label,
            signature=self.facts.signature,
            output=self.facts.output,
            standing={fact.place: variable.value for fact, variable in pairs if fact.place is not None},
        )
        for (fact, variable), loaded in zip(pairs, opened.variables, strict=True):
            if fact.place is None:
                # It never learns, so no optimizer knows it: the module's own may take its place.
                variable._initialize(loaded)
        for variable, value in zip(self._in_order(), learnt, strict=True):
            variable.assign(value)
        self._hold(opened)

    def _hold(self, opened: OpenModule) -> None:
        """Take a module in; its tables are made known to TensorFlow, which would not export them else."""
        self._open = opened
        self._tables = tf.__internal__.tracking.AutoTrackable()
        for number, resource in enumerate(opened.resources):
            setattr(self._tables, f"table_{number}", resource)

    def _present(self) -> OpenModule:
        """Return the module, or raise WeightsError where it never came."""
        if self._open is None:
            raise WeightsError(
                f"{self.facts.label} is not here: the layer was made from a description alone; load the "
                "whole .keras file, which holds the module."
            )
        return self._open

    def _make_variables(self, loaded: Iterable[Any]) -> None:
        """Track the module's variables, or stand-ins of the same shapes."""
        seen: Counter[str] = Counter()
        with keras.name_scope(self.name):
            for fact, value in zip(self.facts.variables, loaded, strict=True):
                name = fact.name.replace("/", "_")
                seen[name] += 1
                variable = keras.Variable(
                    "zeros" if value is None else value,
                    shape=fact.shape,
                    dtype=fact.dtype,
                    trainable=fact.trainable,
                    name=name if seen[name] == 1 else f"{name}_{seen[name]}",
                )
                # TFSMLayer does the same; checked on Keras 3.15.1.
                self._track_variable(variable)

    def _in_order(self) -> list[keras.Variable]:
        """Return the variables in the order of the facts."""
        return [*self._trainable_variables, *self._non_trainable_variables]

    def _apply_learning(self) -> None:
        for unit in self.units:
            learns = self._learning is None or unit.name in self._learning
            held = unit.is_batch_norm and self._batch_norm == "frozen"
            for variable in unit.learnable:
                variable.trainable = learns and not held

    def _size(self, asked: tuple[int, int] | None) -> tuple[int, int]:
        height, width, _ = self.facts.input_shape
        if asked is None and (height is None or width is None):
            raise SettingError(
                f"{self.facts.label} takes pictures of {shape_in_words(self.facts.input_shape)} pixels, so "
                "their size must be chosen; pass image_size (--image-size)."
            )
        return asked or (height or 0, width or 0)

    def _kept(self, folder: Path) -> Path:
        """Keep a private copy of the module as long as the layer lives."""
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder


class HubUnit:
    """A layer within a module, told by the names of its variables.

    Attributes:
        name: What its variables share.
        stage: The block it is in.
        weights: All its variables.
        learnable: Those that the module lists as trainable.
        is_batch_norm: Whether it is a BatchNorm layer.
    """

    def __init__(self, layer: HubLayer, group: Group, weights: list[keras.Variable]) -> None:
        self.name = group.name
        self.stage = group.stage
        self.is_batch_norm = group.batch_norm
        self.weights = weights
        facts = [layer.facts.variables[place] for place in group.members]
        self.learnable = [variable for variable, fact in zip(weights, facts, strict=True) if fact.trainable]
        self._layer = layer

    @property
    def trainable(self) -> bool:
        """Whether all that could learn of it does, as of a layer."""
        return self._layer.trainable and all(variable.trainable for variable in self.learnable)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Those that learn now."""
        return [variable for variable in self.learnable if self._layer.trainable and variable.trainable]

    @property
    def may_move(self) -> list[keras.Variable]:
        """Those that training may change: what learns, and the statistics where BatchNorm trains."""
        return self.weights if self._layer.batch_norm == "train" else self.trainable_variables

    def count_params(self) -> int:
        """Return the number of its parameters."""
        return sum(variable.value.shape.num_elements() for variable in self.weights)

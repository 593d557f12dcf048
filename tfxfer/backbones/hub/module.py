"""A SavedModel from TensorFlow Hub, opened: what it takes, gives and can learn, and how it is called."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfxfer.backbones.hub.files import GraphFacts, read_graph
from tfxfer.errors import SettingError, WeightsError, did_you_mean
from tfxfer.runtime import folder_sha256

__all__ = ["ModuleFacts", "OpenModule", "VariableFacts", "open_module", "output_shape"]

USUAL_SIGNATURES = ("default", "image_feature_vector", "serving_default")
USUAL_OUTPUTS = ("default", "feature_vector")


@dataclass(frozen=True, slots=True)
class VariableFacts:
    """One variable of a module.

    Attributes:
        name: As the module names it, with slashes.
        shape: Its shape.
        dtype: Its type.
        trainable: Whether the module lists it as trainable.
        place: Where it stands in the module's list of variables, or None where it is not listed.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    place: int | None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What is known of a module: enough to rebuild its layer before the module itself is there.

    Attributes:
        label: What people call it.
        sha256: Digest of its files.
        signature: The signature that is called, or None where the module itself is.
        argument: Name of that signature's argument.
        output: Key of the output that is taken, or None where there is but a tensor.
        takes_training: Whether it can be called for training.
        input_shape: Height, width and channels that it takes, None where any.
        input_dtype: The type of pixels that it takes.
        variables: Its variables, the trainable ones first.
        inference_only: Why it cannot be trained, or None where it can.
    """

    label: str
    sha256: str
    signature: str | None
    argument: str | None
    output: str | None
    takes_training: bool
    input_shape: tuple[int | None, ...]
    input_dtype: str
    variables: tuple[VariableFacts, ...]
    inference_only: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModuleFacts:
        """Take them back."""
        variables = tuple(
            VariableFacts(**{**each, "shape": tuple(each["shape"])}) for each in values["variables"]
        )
        return cls(**{**values, "input_shape": tuple(values["input_shape"]), "variables": variables})


@dataclass(frozen=True, slots=True)
class OpenModule:
    """A module in memory.

    Attributes:
        facts: What is known of it.
        call: Pictures (batch, height, width, 3) and whether it is for training, to features.
        variables: Its variables, in the order of the facts.
        penalties: Functions without arguments, each one term of its regularization loss.
        resources: What else its functions hold, such as tables; an export must know of it.
    """

    facts: ModuleFacts
    call: Callable[[Any, bool], Any]
    variables: tuple[Any, ...]
    penalties: tuple[Callable[[], Any], ...]
    resources: tuple[Any, ...]


def open_module(
    folder: Path,
    *,
    label: str,
    signature: str | None = None,
    output: str | None = None,
    standing: dict[int, Any] | None = None,
) -> OpenModule:
    """Load a SavedModel and find out how it is used.

    Checked on TensorFlow 2.21.

    Args:
        folder: The SavedModel.
        label: What people call it, for messages.
        signature: The signature to call; None calls the module itself, or else its usual signature.
        output: Key of the output to take, where there are several.
        standing: Place in the module's list of variables -> a variable that stands there already and
            is used in place of a new one; it is filled with the module's value.

    Raises:
        SettingError: No such signature or output, nothing to call, or it does not take pictures.
        WeightsError: The files are damaged or refused.
    """
    graph = read_graph(folder, label=label)
    try:
        loaded = _loaded(folder, graph, standing or {})
    except (OSError, ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
        raise WeightsError(
            f"{label} does not load, though its graph can be read: its variables or assets are missing or "
            "damaged; get the module again."
        ) from error
    if callable(loaded) and signature is None:
        return _opened_object(loaded, folder, label, output)
    return _opened_signature(loaded, folder, label, signature, output, objects=graph.objects)


def _loaded(folder: Path, graph: GraphFacts, standing: dict[int, Any]) -> Any:
    """Load a SavedModel, with variables that are there already in the places of new ones."""
    if standing:
        paths = {f"root.variables.{place}": variable for place, variable in standing.items()}
        # Private to TensorFlow, and what tf_keras loads by: an optimizer goes on knowing the variables.
        return tf.__internal__.saved_model.load_partial(str(folder), {"root": None, **paths})["root"]
    return tf.saved_model.load(str(folder), tags=None if graph.objects else list(graph.tags))


def output_shape(module: OpenModule, height: int, width: int) -> tuple[int | None, ...]:
    """Trace a module on pictures of a size, and return the shape of its features.

    Raises:
        SettingError: It does not take pictures of that size.
    """
    spec = tf.TensorSpec((None, height, width, 3), module.facts.input_dtype)
    try:
        traced = tf.function(lambda pixels: module.call(pixels, False)).get_concrete_function(spec)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise SettingError(
            f"{module.facts.label} takes no pictures of {height} x {width} pixels: it was traced for "
            f"{shape_in_words(module.facts.input_shape)}; pass that as image_size."
        ) from error
    return tuple(traced.structured_outputs.shape.as_list())


def shape_in_words(shape: Sequence[int | None]) -> str:
    """Write a shape as people do, e.g. ``224 x 224 x 3``, with ``any`` where nothing is fixed."""
    return " x ".join("any" if side is None else str(side) for side in shape)


def _opened_object(loaded: Any, folder: Path, label: str, output: str | None) -> OpenModule:
    """Open a module that can be called itself."""
    function = loaded.__call__
    traces = function.concrete_functions
    takes_training = "training" in function.function_type.parameters
    pictures = [trace.structured_input_signature[0][:1] for trace in traces]
    spec = next((arguments[0] for arguments in pictures if arguments), None)
    _require_pictures(spec, label)
    listed = list(getattr(loaded, "variables", None) or ())
    learning = {id(variable) for variable in getattr(loaded, "trainable_variables", None) or ()}
    captured = [variable for trace in traces for variable in trace.variables]
    kept, facts = _variables(listed, captured, learning)
    key = _output_key(traces[0].structured_outputs, label, output)
    reason = None if learning else "it lists no trainable variables"

    def call(pixels: Any, training: bool) -> Any:
        made = function(pixels, training=training) if takes_training else function(pixels)
        return made if key is None else made[key]

    described = _described(folder, label, spec, takes_training=takes_training)
    module_facts = ModuleFacts(
        **described, signature=None, argument=None, output=key, variables=facts, inference_only=reason
    )
    call.__dict__["loaded"] = loaded  # a function does not keep alive what it was loaded with
    penalties = tuple(getattr(loaded, "regularization_losses", None) or ())
    return OpenModule(module_facts, call, kept, penalties, _resources(loaded))


def _opened_signature(
    loaded: Any, folder: Path, label: str, signature: str | None, output: str | None, *, objects: bool
) -> OpenModule:
    """Open a module through a signature, which is for inference alone."""
    name = _signature_name(loaded, label, signature)
    function = loaded.signatures[name]
    arguments = function.structured_input_signature[1]
    argument, spec = next(iter(arguments.items()), ("", None))
    _require_pictures(spec if len(arguments) == 1 else None, label)
    kept, facts = _variables([], list(function.variables), set())
    key = _output_key(dict(function.structured_outputs), label, output)
    reason = (
        f"it is called through its signature {name!r}, which knows no training"
        if objects
        else "it is in TensorFlow 1's format, whose graph is for inference alone"
    )

    def call(pixels: Any, training: bool) -> Any:  # noqa: ARG001 a signature knows no training
        return function(**{argument: pixels})[key]

    described = _described(folder, label, spec, takes_training=False)
    module_facts = ModuleFacts(
        **described, signature=name, argument=argument, output=key, variables=facts, inference_only=reason
    )
    call.__dict__["loaded"] = loaded  # a function does not keep alive what it was loaded with
    return OpenModule(module_facts, call, kept, (), _resources(loaded))


def _resources(loaded: Any) -> tuple[Any, ...]:
    kind = tf.saved_model.experimental.TrackableResource
    return tuple(each for each in tf.train.TrackableView(loaded).descendants() if isinstance(each, kind))


def _described(folder: Path, label: str, spec: Any, *, takes_training: bool) -> dict[str, Any]:
    return {
        "label": label,
        "sha256": folder_sha256(folder),
        "takes_training": takes_training,
        "input_shape": tuple(spec.shape.as_list()[1:]),
        "input_dtype": spec.dtype.name,
    }


def _signature_name(loaded: Any, label: str, wanted: str | None) -> str:
    names = sorted(getattr(loaded, "signatures", None) or ())
    if not names:
        raise SettingError(
            f"{label} has nothing to call: it is no reusable SavedModel and has no signature; take a module "
            "with __call__ or a signature."
        )
    if wanted is not None and wanted not in names:
        hint = did_you_mean(wanted, names) or "."
        raise SettingError(f"{label} has no signature {wanted!r}{hint} It has: {', '.join(names)}.")
    usual = [wanted] if wanted else [name for name in USUAL_SIGNATURES if name in names]
    if not usual and len(names) > 1:
        raise SettingError(
            f"{label} has several signatures, none of them usual: {', '.join(names)}; make a "
            "tfxfer.backbones.HubLayer with signature=... to choose one."
        )
    return usual[0] if usual else names[0]


def _output_key(outputs: Any, label: str, wanted: str | None) -> str | None:
    """Choose among several outputs; of the shapes, none is looked at here."""
    if not isinstance(outputs, dict):
        return None
    keys = sorted(outputs)
    usual = [key for key in ([wanted] if wanted else USUAL_OUTPUTS) if key in keys]
    if usual or (len(keys) == 1 and wanted is None):
        return usual[0] if usual else keys[0]
    raise SettingError(
        f"{label} has the outputs {', '.join(keys)}, and "
        f"{f'no {wanted!r}' if wanted else 'none of them is usual'}; make a tfxfer.backbones.HubLayer with "
        "output=... to choose one."
    )


def _require_pictures(spec: Any, label: str) -> None:
    """Refuse what does not take one batch of RGB pictures."""
    if not isinstance(spec, tf.TensorSpec):
        raise SettingError(f"{label} does not take one tensor of pictures; take a module for images.")
    if spec.dtype == tf.string:
        raise SettingError(f"{label} takes text (strings), not pictures; take a module for images.")
    if spec.shape.rank != 4 or spec.shape[3] not in (3, None):
        raise SettingError(
            f"{label} takes tensors of shape {spec.shape}, not RGB pictures (batch, height, width, 3); take "
            "a module for images."
        )


def _variables(
    listed: list[Any], captured: list[Any], learning: set[int]
) -> tuple[tuple[Any, ...], tuple[VariableFacts, ...]]:
    """Put the trainable variables first, then the other listed ones, then what is used but not listed."""
    places = {id(variable): place for place, variable in enumerate(listed)}
    every = list({id(variable): variable for variable in [*listed, *captured]}.values())
    every.sort(key=lambda variable: id(variable) not in learning)
    facts = tuple(
        VariableFacts(
            name=variable.name.partition(":")[0],
            shape=tuple(variable.shape.as_list()),
            dtype=variable.dtype.name,
            trainable=id(variable) in learning,
            place=places.get(id(variable)),
        )
        for variable in every
    )
    return tuple(every), facts

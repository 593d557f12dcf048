"""One door to every backbone: built, filled with weights, and held to what is said of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import keras
from keras import KerasTensor

from tfxfer.backbones.from_applications import build_application
from tfxfer.backbones.origin import Origin, with_origin
from tfxfer.backbones.preprocess import scaled
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.backbones.weights_file import embedded_file, fill_from_file, require_weights_file
from tfxfer.errors import SettingError, TfxferError

__all__ = ["build_backbone"]


def build_backbone(
    spec: BackboneSpec,
    *,
    input_shape: tuple[int, int, int] | None = None,
    weights: str | Path | None = "pretrained",
    sha256: str | None = None,
) -> keras.Model:
    """Build a backbone as a flat functional model from raw RGB to its last feature map.

    Args:
        spec: An entry of ``BACKBONES``.
        input_shape: (height, width, 3); None is the size it was pretrained with.
        weights: ``"pretrained"``, the name of the pretrained weights, a ``.weights.h5``, ``.h5``
            or ``.keras`` file of the same backbone, or None for random ones.
        sha256: What the file of the weights must have; None takes any, but for the embedded ones.

    Returns:
        A model from ``image``, shape (batch, height, width, 3), RGB in 0..255, float32 or uint8,
        to its last map, shape (batch, rows, columns, ``spec.features``). Its first layers, whose
        names start with ``preprocess_``, scale the pixels.

    Raises:
        SettingError: A shape or a name of weights that this backbone does not take.
        WeightsError: The weights cannot be had, have another digest, or do not fit.
        TfxferError: The installed Keras builds something else than ``spec`` says.
    """
    shape = _checked_shape(spec, input_shape)
    source = _checked_weights(spec, weights)
    origin = Origin("random")
    if isinstance(source, Path):
        origin = _checked_file(spec, source, sha256)
    image = keras.Input(shape, dtype="float32", name="image")
    pixels = scaled(image, spec.scaling)
    if spec.builder.startswith("keras.applications:"):
        model, fetched = build_application(spec, pixels, image=image, weights=source, sha256=sha256)
        origin = fetched or origin
    else:
        model = _found(spec.builder)(pixels)
        if isinstance(source, Path):
            fill_from_file(model, source, spec.name)
    model = keras.Model(image, model.output, name=spec.name)
    _hold(model, spec)
    return with_origin(model, origin)


def _checked_shape(spec: BackboneSpec, input_shape: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """Return the input's shape, or raise SettingError."""
    if input_shape is None:
        return spec.input.shape
    if len(input_shape) != 3 or input_shape[2] != 3:
        raise SettingError(f"input_shape must be (height, width, 3), got {input_shape}; pictures are RGB.")
    height, width, _ = input_shape
    if min(height, width) < spec.minimum:
        raise SettingError(
            f"{spec.name} takes pictures of at least {spec.minimum} x {spec.minimum} pixels, got "
            f"{height} x {width}; it was pretrained at {spec.input.height} x {spec.input.width}."
        )
    return (height, width, 3)


def _checked_weights(spec: BackboneSpec, weights: str | Path | None) -> Path | str | None:
    """Return where the weights come from: a file, ``"imagenet"`` or None."""
    if weights is None:
        return None
    if weights in ("pretrained", spec.weights):
        return embedded_file(spec.name) if spec.weights == "embedded" else spec.weights
    if isinstance(weights, Path) or Path(weights).suffix or "/" in weights:
        return Path(weights)
    raise SettingError(
        f"{spec.name} has no weights {weights!r}; weights must be 'pretrained' (here "
        f"{spec.weights!r}), a .weights.h5, .h5 or .keras file, or None for random ones."
    )


def _checked_file(spec: BackboneSpec, file: Path, sha256: str | None) -> Origin:
    """Hold a weights file against its name, its digest and its end, before anything is built."""
    require_weights_file(file, spec.name)
    embedded = spec.weights == "embedded" and file == embedded_file(spec.name)
    origin = Origin.of_file("embedded" if embedded else "file", file)
    origin.hold(sha256 or (spec.weights_sha256 if embedded else None))
    return origin


def _found(builder: str) -> Callable[[KerasTensor], keras.Model]:
    """Import a builder by ``module:function``."""
    module, _, name = builder.partition(":")
    function: Callable[[KerasTensor], keras.Model] = getattr(importlib.import_module(module), name)
    return function


def _hold(model: keras.Model, spec: BackboneSpec) -> None:
    """Hold a built backbone to its facts.

    Raises:
        TfxferError: A fact is no longer true.
    """
    layers = {operation.name for operation in model.operations}
    facts = {
        "features": (spec.features, model.output_shape[-1]),
        "parameters": (spec.parameters, model.count_params()),
        "the last layer": (spec.stages[-1].output, model.operations[-1].name),
        "stages without their layer": ([], [s.name for s in spec.stages if s.output not in layers]),
    }
    for fact, (said, built) in facts.items():
        if said != built:
            raise TfxferError(
                f"Keras {keras.__version__} builds {spec.name} otherwise than tfxfer knows it: "
                f"{fact} should be {said}, got {built}; install another Keras (tfxfer was checked "
                "with 3.15.1), or tell its authors."
            )

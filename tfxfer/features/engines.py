"""What runs a frozen part: LiteRT on the processor, TensorFlow where that cannot, or where there is a GPU."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

# TensorFlow has no public way to a graph that holds its weights; checked on 2.21.
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tfxfer.backbones import copy_variables
from tfxfer.features.cut import multiply_adds
from tfxfer.models import set_precision

__all__ = ["Engine", "LiteRTEngine", "TensorFlowEngine", "choose_engine", "convert"]

Maps = tuple[npt.NDArray[np.float32], ...]

_AGREEMENT = {"LiteRT": 1e-3, "mixed precision": 2e-2}
"""Largest difference from float32 in TensorFlow that is put up with, as a share of the largest number."""

_GPU_WORK = 1e11
"""Multiply-adds from which a GPU is worth its start: by LiteRT they are some seconds of one core."""


class Engine(ABC):
    """Runs a frozen part on pictures; threads may share it."""

    name: ClassVar[str]
    batch: ClassVar[int]
    """How many pictures at a time it is fastest with."""

    @abstractmethod
    def __call__(self, images: npt.NDArray[np.uint8]) -> Maps:
        """Compute the tensors that cross.

        Args:
            images: RGB, shape (pictures, height, width, 3), uint8 in 0..255.

        Returns:
            One array a tensor, the first dimension that of the pictures, float32.
        """


@dataclass(frozen=True, slots=True, eq=False)
class LiteRTEngine(Engine):
    """A converted model, with an interpreter of its own for each thread.

    LiteRT leaves Python's lock while it computes, so as many threads as cores keep all of them busy; several
    pictures at a time are no faster than one. Checked on ai-edge-litert 2.3.0.

    Attributes:
        content: The ``.tflite`` file's bytes.
    """

    content: bytes = field(repr=False)
    _own: threading.local = field(default_factory=threading.local, repr=False)

    name: ClassVar[str] = "LiteRT"
    batch: ClassVar[int] = 1

    def __call__(self, images: npt.NDArray[np.uint8]) -> Maps:
        """Compute picture by picture."""
        if not hasattr(self._own, "interpreter"):
            interpreter = Interpreter(model_content=self.content, num_threads=1)
            interpreter.allocate_tensors()
            self._own.interpreter = interpreter
            self._own.picture = interpreter.get_input_details()[0]["index"]
            self._own.maps = _output_indices(interpreter)
        own = self._own
        rows = []
        for image in images:
            own.interpreter.set_tensor(own.picture, image[np.newaxis].astype(np.float32))
            own.interpreter.invoke()
            rows.append([own.interpreter.get_tensor(index)[0] for index in own.maps])
        return tuple(np.stack(maps) for maps in zip(*rows, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class TensorFlowEngine(Engine):
    """The model itself, compiled into one TensorFlow function, which one thread runs at a time.

    On a GPU cuDNN tries its algorithms for each new shape, and once more for each thread that comes
    meanwhile: by eight threads, 245 pictures took MobileNetV2 38 s on an H100.

    Attributes:
        prefix: The frozen part, in whatever precision its layers compute.
    """

    prefix: keras.Model
    _function: Any = field(init=False, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    name: ClassVar[str] = "TensorFlow"
    batch: ClassVar[int] = 32

    def __post_init__(self) -> None:
        signature = [tf.TensorSpec((None, *self.prefix.input_shape[1:]), tf.float32)]
        function = tf.function(
            lambda pixels: _listed(self.prefix(pixels, training=False)),
            input_signature=signature,
            autograph=False,
        )
        object.__setattr__(self, "_function", function)

    def __call__(self, images: npt.NDArray[np.uint8]) -> Maps:
        """Compute a batch at a time, the last one filled up with zeros."""
        parts = []
        for start in range(0, len(images), self.batch):
            part = images[start : start + self.batch].astype(np.float32)
            filled = np.zeros((self.batch, *part.shape[1:]), np.float32)
            filled[: len(part)] = part
            with self._turn:
                maps = self._function(tf.constant(filled))
            parts.append([np.asarray(each[: len(part)], np.float32) for each in maps])
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def choose_engine(prefix: keras.Model, *, pictures: int | None = None) -> tuple[Engine, str]:
    """Convert a frozen part for LiteRT, or take TensorFlow where that cannot be or a GPU has enough to do.

    A converted one is held against TensorFlow on a picture of noise; so is one in mixed precision, which a
    GPU gets where it can be.

    Args:
        prefix: Pictures -> the tensors that cross, as ``Cut.prefix`` is.
        pictures: How many it is to run on; None is many.

    Returns:
        The engine, and why it is not LiteRT; nothing where it is.
    """
    much = pictures is None or pictures * multiply_adds(prefix) >= _GPU_WORK
    if much and tf.config.list_physical_devices("GPU"):
        engine, why = _held(_in_mixed_precision, prefix, "mixed precision")
        return engine, f"there is a GPU; in float32, since {why}" if why else "there is a GPU"
    return _held(_in_litert, prefix, "LiteRT")


def _held(
    make: Callable[[keras.Model], tuple[Engine, Callable[[Any], Any]]], prefix: keras.Model, name: str
) -> tuple[Engine, str]:
    """Make an engine, and fall back on TensorFlow in float32 where it fails or gives other numbers."""
    noise = np.random.default_rng(0).integers(0, 256, (1, *prefix.input_shape[1:]), np.uint8)
    try:
        engine, function = make(prefix)
        found = engine(noise)
    except Exception as error:  # converter and interpreter raise whatever their C++ side does
        first_line = str(error).strip().partition("\n")[0]
        return TensorFlowEngine(prefix), f"{name} cannot run it ({type(error).__name__}: {first_line})"
    wanted = [np.asarray(each) for each in _listed(function(tf.constant(noise, tf.float32)))]
    if apart := [each for each in map(_difference, found, wanted) if not each <= _AGREEMENT[name]]:
        return TensorFlowEngine(prefix), f"{name} gives other numbers ({max(apart):.1%} apart)"
    return engine, ""


def _in_litert(prefix: keras.Model) -> tuple[Engine, Callable[[Any], Any]]:
    function = _frozen(prefix)
    return LiteRTEngine(convert(function)), function


def _in_mixed_precision(prefix: keras.Model) -> tuple[Engine, Callable[[Any], Any]]:
    return TensorFlowEngine(_mixed(prefix)), prefix


def _mixed(prefix: keras.Model) -> keras.Model:
    """Make the same model anew, to compute in float16 what float16 is enough for."""
    mixed = keras.models.clone_model(prefix)
    for old, new in zip(prefix.layers, mixed.layers, strict=True):
        copy_variables(old, new)
    set_precision(mixed, "mixed_float16")
    return mixed


def _frozen(prefix: keras.Model) -> Any:
    """Trace a model for one picture, its weights as constants: so it converts in half of the time."""
    picture = tf.TensorSpec((1, *prefix.input_shape[1:]), tf.float32)
    weights = [
        [np.asarray(each) for each in some]
        for some in (prefix.trainable_variables, prefix.non_trainable_variables)
    ]
    function = tf.function(
        lambda pixels: _listed(prefix.stateless_call(*weights, pixels, training=False)[0]),
        input_signature=[picture],
        autograph=False,
    ).get_concrete_function()
    # A module of TensorFlow Hub reads its variables itself.
    return convert_variables_to_constants_v2(function) if function.captured_inputs else function


def convert(function: Any) -> bytes:
    """Convert a concrete function of one picture for LiteRT, built-in operators only.

    Args:
        function: Of one input; its outputs keep their order.

    Returns:
        The content of a ``.tflite`` file.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    content: bytes = converter.convert()
    return content


def _output_indices(interpreter: Interpreter) -> list[int]:
    """Return where the outputs are, in the order of the model's: they are named by TensorFlow's count."""
    details = interpreter.get_output_details()
    return [each["index"] for each in sorted(details, key=lambda each: _count(each["name"]))]


def _count(name: str) -> int:
    """Read the count off ``PartitionedCall:1``, or ``Identity_1`` where TensorFlow wrote the function out."""
    found = re.fullmatch(r"\w+:(\d+)|Identity(?:_(\d+))?", name)
    if found is None:
        raise ValueError(f"an output is called {name!r}")
    return int(found[1] or found[2] or 0)


def _listed(outputs: Any) -> Sequence[Any]:
    """Keras gives one output as it is, and several as a list."""
    return outputs if isinstance(outputs, list | tuple) else [outputs]


def _difference(found: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> float:
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.abs(found - wanted).max() / max(float(np.abs(wanted).max()), 1e-6))

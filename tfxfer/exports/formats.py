"""The forms a model leaves in: how each is written, and how it is loaded again to be compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.errors import SettingError
from tfxfer.exports.litert import LiteRTModel
from tfxfer.registry import Registry

__all__ = ["FORMATS", "Format", "choose_formats"]

Images = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Format:
    """One form a model leaves in.

    Attributes:
        name: What people ask for.
        filename: File or folder inside the bundle.
        write: Writes a model to a path inside the bundle.
        scores: Loads that path with nothing but its own runtime, and scores pictures of shape
            (pictures, height, width, 3), uint8.
        known: Likewise, how far pictures are from being none of the classes, shape (pictures,); None where
            the form is the plain classifier in any case.
    """

    name: str
    filename: str
    write: Callable[[keras.Model, Path], None]
    scores: Callable[[Path, Images], Scores]
    known: Callable[[Path, Images], Scores] | None = None


FORMATS: Registry[Format] = Registry("export format", listing="tfxfer.exports.FORMATS")

_BATCH = 32


def choose_formats(names: Sequence[str]) -> list[Format]:
    """Return the formats of these names.

    Raises:
        SettingError: There are none, or one is unknown.
    """
    if not names:
        raise SettingError(f"formats must name at least one of {', '.join(form.name for form in FORMATS)}.")
    return [FORMATS[name] for name in names]


def _write_keras(model: keras.Model, path: Path) -> None:
    model.save(path)


def _keras_scores(path: Path, images: Images) -> Scores:
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return np.asarray(model.predict(images, batch_size=_BATCH, verbose=0), np.float32)


def _write_saved_model(model: keras.Model, path: Path) -> None:
    model.export(path, format="tf_saved_model", verbose=False)


def _saved_model_scores(path: Path, images: Images) -> Scores:
    return _saved_model_output(path, images, "scores")


def _saved_model_known(path: Path, images: Images) -> Scores:
    return _saved_model_output(path, images, "known")


def _saved_model_output(path: Path, images: Images, name: str) -> Scores:
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    (argument,) = serve.structured_input_signature[1]
    outputs = list(serve.structured_outputs)
    output = name if name in outputs else outputs[0]  # one alone is called output_0

    def computed(batch: Images) -> Any:
        return serve(**{argument: tf.constant(batch, tf.float32)})[output].numpy()

    starts = range(0, len(images), _BATCH)
    return np.concatenate([computed(images[start : start + _BATCH]) for start in starts])


def _write_tflite(model: keras.Model, path: Path) -> None:
    """Convert by way of a SavedModel, the bundle's own where there is one.

    Checked on TensorFlow 2.21. Built-in operators only: what needs others fails here, and not on a
    phone.
    """
    neighbour = path.parent / FORMATS["saved_model"].filename
    with tempfile.TemporaryDirectory() as scratch:
        source = neighbour if neighbour.exists() else Path(scratch) / "saved_model"
        if source is not neighbour:
            _write_saved_model(model, source)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(source))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        path.write_bytes(converter.convert())


def _tflite_scores(path: Path, images: Images) -> Scores:
    model = LiteRTModel(path)
    return np.stack([model.scores(image) for image in images])


def _tflite_known(path: Path, images: Images) -> Scores:
    model = LiteRTModel(path)
    return np.array([model.outputs(image).known for image in images], np.float32)


FORMATS.add(Format("keras", "model.keras", _write_keras, _keras_scores))
FORMATS.add(Format("saved_model", "saved_model", _write_saved_model, _saved_model_scores, _saved_model_known))
FORMATS.add(Format("tflite", "model.tflite", _write_tflite, _tflite_scores, _tflite_known))

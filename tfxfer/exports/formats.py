"""The forms a model leaves in: how each is written, how it is loaded again, and what it may lose."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.errors import MissingExtra, SettingError
from tfxfer.exports.known import KnownYardstick
from tfxfer.exports.litert import LiteRTModel
from tfxfer.exports.material import Material
from tfxfer.exports.onnx_files import onnx_output, write_onnx
from tfxfer.exports.parity import EXACT, Bounds, Yardstick
from tfxfer.exports.quantizing.converter import Numbers, converted
from tfxfer.exports.quantizing.doctor import Referee, best_float16, best_int8, best_int16x8
from tfxfer.exports.quantizing.halving import halved
from tfxfer.exports.quantizing.quantizer import Quantizer
from tfxfer.exports.serving.signatures import write_served
from tfxfer.registry import Registry

__all__ = ["FORMATS", "Format", "choose_formats"]

Images = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Making = list[dict[str, Any]]
"""What was tried, and what came of it, the last being what was taken; nothing where there is one way."""


@dataclass(frozen=True, slots=True)
class Format:
    """One form a model leaves in.

    Attributes:
        name: What people ask for.
        filename: File or folder inside the bundle.
        bounds: What it may lose.
        write: Writes a model to a path inside the bundle, by pictures of what it was trained on where those
            are needed.
        scores: Loads that path with nothing but its own runtime, and scores pictures of shape
            (pictures, height, width, 3), uint8.
        quantized: Whether it needs training pictures.
        known: Likewise as ``scores``, how far pictures are from being none of the classes, shape (pictures,),
            below 0 where they are; None where the form is the plain classifier in any case.
        files: Likewise as ``scores``, of encoded pictures; None where the form takes pixels alone.
        packages: What it needs beyond what tfxfer always brings; the extra of the form's name brings them.
    """

    name: str
    filename: str
    bounds: Bounds
    write: Callable[[keras.Model, Path, Material], Making]
    scores: Callable[[Path, Images], Scores]
    quantized: bool = False
    known: Callable[[Path, Images], Scores] | None = None
    files: Callable[[Path, Sequence[bytes]], Scores] | None = None
    packages: tuple[str, ...] = ()


FORMATS: Registry[Format] = Registry("export format", listing="tfxfer.exports.FORMATS")

_BATCH = 32
_FLOAT16 = Bounds(agreement=0.995, loss=0.005, known=0.05)
_INT16X8 = Bounds(agreement=0.97, loss=0.01, known=0.25)
_INT8 = Bounds(agreement=0.95, loss=0.015, known=0.25)
_VERSION = "1"
"""TensorFlow Serving takes the highest of the numbered folders."""


def choose_formats(names: Sequence[str]) -> list[Format]:
    """Return the formats of these names, in which ``_`` is ``-``.

    Raises:
        SettingError: There are none, or one is unknown.
        MissingExtra: One needs packages that are not installed.
    """
    if not names:
        raise SettingError(f"formats must name at least one of {', '.join(form.name for form in FORMATS)}.")
    chosen = [FORMATS[name.replace("_", "-")] for name in names]
    for form in chosen:
        missing = [package for package in form.packages if importlib.util.find_spec(package) is None]
        if missing:
            raise MissingExtra(
                f"the format {form.name} needs {' and '.join(missing)}, which "
                f"{'is' if len(missing) == 1 else 'are'} not installed; pip install 'tfxfer[{form.name}]'."
            )
    return chosen


def _write_keras(model: keras.Model, path: Path, _: Material) -> Making:
    model.save(path)
    return []


def _keras_scores(path: Path, images: Images) -> Scores:
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return np.asarray(model.predict(images, batch_size=_BATCH, verbose=0), np.float32)


def _write_saved_model(model: keras.Model, path: Path, material: Material) -> Making:
    write_served(model, path / _VERSION, material.facts)
    return []


def _saved_model_scores(path: Path, images: Images) -> Scores:
    return _saved_model_output(path, images, "scores")


def _saved_model_known(path: Path, images: Images) -> Scores:
    return _saved_model_output(path, images, "known")


def _saved_model_output(path: Path, images: Images, name: str) -> Scores:
    serve = tf.saved_model.load(str(path / _VERSION)).signatures["serving_default"]
    (argument,) = serve.structured_input_signature[1]
    outputs = list(serve.structured_outputs)
    output = name if name in outputs else outputs[0]  # one alone is called output_0

    def computed(batch: Images) -> Any:
        return serve(**{argument: tf.constant(batch, tf.float32)})[output].numpy()

    starts = range(0, len(images), _BATCH)
    return np.concatenate([computed(images[start : start + _BATCH]) for start in starts])


def _saved_model_files(path: Path, files: Sequence[bytes]) -> Scores:
    answer = tf.saved_model.load(str(path / _VERSION)).signatures["image_bytes"]
    return np.asarray(answer(image_bytes=tf.constant(files))["scores"])


def _write_onnx(model: keras.Model, path: Path, material: Material) -> Making:
    write_onnx(model, path, material.facts)
    return []


def _lite(numbers: Numbers) -> Callable[[keras.Model, Path, Material], Making]:
    """Write what TensorFlow's converter makes."""

    def write(model: keras.Model, path: Path, _: Material) -> Making:
        with _saved(model, path.parent) as source:
            path.write_bytes(converted(source, numbers))
        return []

    return write


def _write_float16(model: keras.Model, path: Path, material: Material) -> Making:
    """Write the nearer of what two converters make, by the validation pictures."""
    with _saved(model, path.parent) as source:
        trials = best_float16(
            _referee(model, material, _FLOAT16),
            by_tensorflow=converted(source, "float16"),
            by_quantizer=halved(_float32(source, path.parent)),
        )
    path.write_bytes(trials[-1].model)
    return [trial.to_dict() for trial in trials]


def _write_int8(model: keras.Model, path: Path, material: Material) -> Making:
    """Write the better of what two converters make, by the validation pictures."""
    with _saved(model, path.parent) as source:
        float32 = _float32(source, path.parent)
        trials = best_int8(
            _referee(model, material, _INT8),
            lambda: converted(source, "int8", representative=material.representative),
            Quantizer(float32, material.representative),
            largest=len(float32),
        )
    path.write_bytes(trials[-1].model)
    return [trial.to_dict() for trial in trials]


def _write_int16x8(model: keras.Model, path: Path, material: Material) -> Making:
    """Write it whole, or where that falls short, with the first operations in float32."""
    with _saved(model, path.parent) as source:
        quantizer = Quantizer(_float32(source, path.parent), material.representative, "int16x8")
    trials = best_int16x8(_referee(model, material, _INT16X8), quantizer)
    path.write_bytes(trials[-1].model)
    return [trial.to_dict() for trial in trials]


def _float32(source: Path, folder: Path) -> bytes:
    """Give the float32 file of a SavedModel, the bundle's own where there is one."""
    whole = folder / FORMATS["tflite"].filename
    return whole.read_bytes() if whole.exists() else converted(source, "float32")


def _referee(model: keras.Model, material: Material, bounds: Bounds) -> Referee:
    images, truth = material.choosing
    said = model.predict(images, batch_size=_BATCH, verbose=0)
    said = said if isinstance(said, dict) else {"scores": said}
    known = None
    if "known" in said:
        known = KnownYardstick(np.asarray(said["known"], np.float32), float(np.std(said["known"])))
    expected = np.asarray(said["scores"], np.float32)
    return Referee(images, Yardstick.of(material.photos, expected, truth), bounds, known)


@contextmanager
def _saved(model: keras.Model, folder: Path) -> Iterator[Path]:
    """Give a SavedModel to convert, the bundle's own where there is one."""
    neighbour = folder / FORMATS["saved-model"].filename / _VERSION
    with tempfile.TemporaryDirectory() as scratch:
        source = neighbour if neighbour.exists() else Path(scratch) / "saved_model"
        if source is not neighbour:
            model.export(source, format="tf_saved_model", verbose=False)
        yield source


def _lite_scores(path: Path, images: Images) -> Scores:
    return LiteRTModel(path).all_scores(images)


def _lite_known(path: Path, images: Images) -> Scores:
    model = LiteRTModel(path)
    return np.array([model.outputs(image).known for image in images], np.float32)


def _small(numbers: str, write: Callable[[keras.Model, Path, Material], Making], bounds: Bounds) -> Format:
    quantized = numbers in ("int8", "int16x8")
    return Format(
        f"tflite-{numbers}", f"model-{numbers}.tflite", bounds, write, _lite_scores, quantized, _lite_known
    )


FORMATS.add(Format("keras", "model.keras", EXACT, _write_keras, _keras_scores))
FORMATS.add(
    Format(
        "saved-model",
        "saved_model",
        EXACT,
        _write_saved_model,
        _saved_model_scores,
        known=_saved_model_known,
        files=_saved_model_files,
    )
)
FORMATS.add(Format("tflite", "model.tflite", EXACT, _lite("float32"), _lite_scores, known=_lite_known))
FORMATS.add(_small("float16", _write_float16, _FLOAT16))
FORMATS.add(_small("dynamic", _lite("dynamic"), Bounds(agreement=0.97, loss=0.01, known=0.15)))
FORMATS.add(_small("int8", _write_int8, _INT8))
FORMATS.add(_small("int16x8", _write_int16x8, _INT16X8))
FORMATS.add(
    Format(
        "onnx",
        "model.onnx",
        EXACT,
        _write_onnx,
        partial(onnx_output, name="scores"),
        known=partial(onnx_output, name="known"),
        packages=("onnx", "onnxruntime", "tf2onnx"),
    )
)

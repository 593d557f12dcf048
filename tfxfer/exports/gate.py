"""The gate: each form is written, loaded again, held beside the model, and handed out within its bounds."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfxfer.errors import ParityError, TfxferWarning
from tfxfer.exports.artifact import Artifact
from tfxfer.exports.formats import Format, Images, Scores
from tfxfer.exports.material import Material
from tfxfer.exports.metadata.facts import FileFacts
from tfxfer.exports.metadata.write import describe
from tfxfer.exports.parity import Yardstick
from tfxfer.models import computing_in
from tfxfer.runtime import file_sha256

__all__ = ["write_forms"]


def write_forms(
    chosen: Sequence[Format], model: keras.Model, folder: Path, material: Material, *, accept: bool
) -> list[Artifact]:
    """Write the forms of a model into a folder; a .tflite file says of itself what the bundle does.

    Args:
        chosen: The forms.
        model: The model.
        folder: The bundle to be, with its card.
        material: Pictures to quantize and judge by.
        accept: Whether a form is handed out that loses more than it may.

    Returns:
        One artifact a form; refused ones have no file.

    Raises:
        ParityError: One that must not differ does.

    Warns:
        TfxferWarning: One is refused, or accepted past its bounds.
    """
    images, truth = material.judging
    # A twin that shares the layers but was never compiled: files carry no optimizer.
    plain = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    with computing_in("float32", plain):
        yardstick = Yardstick.of(material.photos, _full_precision_scores(plain, images), truth)
        facts = _facts(plain, folder, material)
        return [_written(each, plain, facts, folder, material, yardstick, accept=accept) for each in chosen]


def _facts(model: keras.Model, folder: Path, material: Material) -> FileFacts:
    photos = material.photos
    digest = file_sha256(folder / "card.json")
    return FileFacts(model.name, photos.task, photos.classes, photos.resize, card_sha256=digest)


def _written(
    form: Format,
    model: keras.Model,
    facts: FileFacts,
    folder: Path,
    material: Material,
    yardstick: Yardstick,
    *,
    accept: bool,
) -> Artifact:
    path = folder / form.filename
    tried = form.write(model, path, material)
    if path.suffix == ".tflite":
        describe(path, facts)
    found = yardstick.compare(form.scores(path, material.judging[0]))
    complaint = yardstick.complaint(found, form.bounds)
    if complaint and form.bounds.exact:
        raise ParityError(
            f"{form.filename} {complaint}; leave this format out with formats=…, and report this."
        )
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    made = str(tried[-1]["made"]) if tried else ""
    if complaint:
        _tell(form, complaint, accept=accept)
    if complaint and not accept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Artifact(form.name, path, size, found, "" if accept else complaint, made, tuple(tried))


def _tell(form: Format, complaint: str, *, accept: bool) -> None:
    done = "it is handed out all the same, since accept was given."
    if not accept:
        done = "it is not handed out. Take another format, more test pictures, or accept=True (--accept)."
    warnings.warn(f"{form.filename} {complaint}; {done}", TfxferWarning, stacklevel=4)


def _full_precision_scores(model: keras.Model, images: Images) -> Scores:
    """Score in whole float32: on some GPUs TensorFlow would round products to 10 bits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        return np.asarray(model.predict(images, batch_size=32, verbose=0), np.float32)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)

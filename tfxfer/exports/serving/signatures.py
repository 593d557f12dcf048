"""What a SavedModel is asked: by pixels, or by picture files, with names in the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfxfer.exports.serving.pictures import pixels_of
from tfxfer.runtime import ModelFacts

__all__ = ["write_served"]


def write_served(model: keras.Model, folder: Path, facts: ModelFacts) -> None:
    """Write a SavedModel with three signatures.

    ``serving_default`` takes pixels as float32 and gives what the model gives. ``uint8`` takes them as uint8,
    and ``image_bytes`` files, strings of shape (pictures,); both give ``scores``, shape (pictures, classes),
    ``names`` of these, likewise, of one label a picture ``label``, shape (pictures,), and ``known`` where the
    model tells it.

    Args:
        model: The model, with one output, or with ``scores`` and ``known``.
        folder: Where to.
        facts: What it takes and tells.
    """
    shape = (None, facts.input.height, facts.input.width, 3)

    def serve(pixels: tf.Tensor) -> Any:
        return model(pixels, training=False)

    def uint8(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return _named(serve(tf.cast(pixels, tf.float32)), facts)

    def image_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        size = {"height": facts.input.height, "width": facts.input.width}
        return uint8(pixels_of(image_bytes, **size, resize=facts.resize))

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, [tf.TensorSpec(shape, tf.float32, "pixels")])
    archive.add_endpoint("uint8", uint8, [tf.TensorSpec(shape, tf.uint8, "pixels")])
    archive.add_endpoint("image_bytes", image_bytes, [tf.TensorSpec((None,), tf.string, "image_bytes")])
    archive.write_out(folder, verbose=False)


def _named(said: Any, facts: ModelFacts) -> dict[str, tf.Tensor]:
    answer = dict(said) if isinstance(said, dict) else {"scores": said}
    names, scores = tf.constant(facts.classes), answer["scores"]
    answer["names"] = tf.repeat(names[tf.newaxis], tf.shape(scores)[0], axis=0)
    if facts.task == "single_label":
        answer["label"] = tf.gather(names, tf.argmax(scores, axis=-1))
    return answer

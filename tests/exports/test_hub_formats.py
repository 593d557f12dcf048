"""A model on a hub module leaves in every form, and in eight-bit numbers."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tfxfer.contracts import InputContract
from tfxfer.exports import FORMATS
from tfxfer.exports.litert import LiteRTModel
from tfxfer.models import build, set_trainable
from tfxfer.runtime import ModelFacts

FACTS = ModelFacts("single_label", tuple("abcd"), InputContract(32, 32), "crop")
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module", params=["reusable", pytest.param("signature", marks=pytest.mark.slow)])
def model(request, hub_module, frozen_hub_module):
    folder = hub_module if request.param == "reusable" else frozen_hub_module
    model = build(classes=4, backbone=f"hub:{folder}", image_size=32, pixel_range=(0, 1))
    if request.param == "reusable":
        set_trainable(model, "all", batch_norm="train")
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(IMAGES, np.arange(6) % 4, epochs=3, verbose=0)
    return model


@pytest.mark.parametrize("form", [form for form in FORMATS if form.bounds.exact], ids=lambda form: form.name)
def test_what_is_written_scores_alike(model, form, tmp_path):
    form.write(model, tmp_path / form.filename, SimpleNamespace(facts=FACTS))
    scores = form.scores(tmp_path / form.filename, IMAGES)
    np.testing.assert_allclose(scores, model.predict(IMAGES, verbose=0), atol=1e-5)


def test_it_converts_to_eight_bits_and_runs(model, tmp_path):
    model.export(tmp_path / "saved_model", format="tf_saved_model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved_model"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[np.newaxis].astype("float32")] for image in IMAGES)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    small = LiteRTModel(tmp_path / "model.tflite")
    scores = np.stack([small.scores(image) for image in IMAGES])
    np.testing.assert_allclose(scores, model.predict(IMAGES, verbose=0), atol=0.1)

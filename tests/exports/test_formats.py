"""FORMATS: every entry writes a model and reads the same scores back."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tfxfer.contracts import InputContract
from tfxfer.exports import FORMATS
from tfxfer.models import build
from tfxfer.runtime import ModelFacts

FACTS = ModelFacts("single_label", tuple("abcd"), InputContract(32, 32), "crop")
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)


@pytest.mark.parametrize("form", [form for form in FORMATS if form.bounds.exact], ids=lambda form: form.name)
def test_what_is_written_scores_alike(form, tmp_path):
    model = build(classes=4, backbone="micro", image_size=32)
    form.write(model, tmp_path / form.filename, SimpleNamespace(facts=FACTS))
    scores = form.scores(tmp_path / form.filename, IMAGES)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, model.predict(IMAGES, verbose=0), atol=1e-5)


def test_an_operator_that_a_phone_lacks_fails_at_export(tmp_path):
    """A bicubic resize needs an operator outside the built-in set."""
    image = keras.Input((8, 8, 3))
    bigger = keras.layers.Resizing(16, 16, interpolation="bicubic")(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(bigger))
    with pytest.raises(Exception, match="ResizeBicubic"):
        FORMATS["tflite"].write(model, tmp_path / "model.tflite", None)

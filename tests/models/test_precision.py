"""A model computes in mixed precision for a while; its weights, scores and files are float32."""

import keras
import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.models import build, computing_in, precision_of, set_precision

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("float32")


def small_model(**settings):
    return build(classes=3, backbone="micro", image_size=32, dropout=0, seed=1, **settings)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_it_computes_in_it_and_in_float32_again(precision):
    model = small_model()
    whole = model(PIXELS, training=False).numpy()
    with computing_in(precision, model):
        assert precision_of(model) == precision
        mixed = model(PIXELS, training=False)
        logits = keras.Model(model.inputs[0], model.get_layer("head_logits").output)(PIXELS)
    assert keras.backend.standardize_dtype(logits.dtype) == precision.removeprefix("mixed_")
    assert mixed.dtype == "float32"
    assert np.abs(mixed - whole).max() > 0
    np.testing.assert_allclose(mixed, whole, atol=0.05)
    assert {variable.dtype for variable in model.weights} == {"float32"}
    assert precision_of(model) == "float32"
    np.testing.assert_array_equal(model(PIXELS, training=False), whole)


def test_what_was_traced_is_traced_anew():
    model = small_model()
    whole = model.predict(PIXELS, verbose=0)
    with computing_in("mixed_bfloat16", model):
        model.predict_function = None
        model.predict(PIXELS, verbose=0)
    np.testing.assert_array_equal(model.predict(PIXELS, verbose=0), whole)


def test_losses_are_scaled_by_keras_where_float16_is_built_in():
    model = small_model(precision="mixed_float16")
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    set_precision(model, "float32")
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert type(model.optimizer).__name__ == "SGD"


def test_pixels_are_scaled_and_scores_are_given_in_float32():
    settings = {"backbone": "efficientnet_b0", "image_size": 32, "weights": None}
    model = build(classes=3, precision="mixed_float16", **settings)
    exact = {layer.name for layer in model.layers if layer.dtype_policy.name == "float32"}
    scaling = (keras.layers.Rescaling, keras.layers.Normalization)
    assert exact == {layer.name for layer in model.layers if isinstance(layer, scaling)} | {"head_scores"}
    assert len(exact) > 1


def test_no_such_precision(says):
    message = "no precision 'fp16'. There are auto, float32, mixed_float16, mixed_bfloat16."
    with pytest.raises(SettingError, match=says(message)):
        small_model(precision="fp16")

"""scaled: what keras.applications does to pixels, as layers."""

import keras
import numpy as np
import pytest

from tfxfer.backbones.preprocess import rescaled, scaled

PIXELS = np.random.default_rng(7).integers(0, 256, (2, 5, 4, 3)).astype("float32")


@pytest.mark.parametrize(
    ("scaling", "reference"),
    [
        ("symmetric", keras.applications.mobilenet_v2.preprocess_input),
        ("imagenet", keras.applications.densenet.preprocess_input),
        ("imagenet-bgr", keras.applications.resnet50.preprocess_input),
        ("none", keras.applications.efficientnet.preprocess_input),
    ],
)
def test_layers_do_what_keras_applications_does(scaling, reference):
    image = keras.Input((5, 4, 3), name="image")
    model = keras.Model(image, scaled(image, scaling))
    np.testing.assert_allclose(model(PIXELS), reference(PIXELS.copy()), rtol=1e-5, atol=1e-5)
    names = [operation.name for operation in model.operations if operation.name != "image"]
    assert all(name.startswith("preprocess_") for name in names)
    assert bool(names) == (scaling != "none")


@pytest.mark.parametrize("scaling", ["symmetric", "imagenet", "imagenet-bgr"])
def test_layers_come_back_from_a_file(scaling, tmp_path):
    image = keras.Input((5, 4, 3), name="image")
    model = keras.Model(image, scaled(image, scaling))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(PIXELS), model(PIXELS))
    assert [o.name for o in loaded.operations] == [o.name for o in model.operations]


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(0.5, -1), ((0.1, 0.2, 0.3), (1, 2, 3)), (None, [1.0, 2.0, 3.0]), ([2.0, 3.0, 4.0], None), (None, None)],
    ids=str,
)
def test_a_scale_and_an_offset_are_applied_by_channel(scale, offset):
    image = keras.Input((5, 4, 3), name="image")
    model = keras.Model(image, rescaled(image, scale=scale, offset=offset))
    expected = PIXELS * (1 if scale is None else np.array(scale)) + (
        0 if offset is None else np.array(offset)
    )
    np.testing.assert_allclose(model(PIXELS), expected, rtol=1e-6)
    assert len(model.layers) == (1 if scale is None and offset is None else 2)
    again = keras.Model.from_config(model.get_config())
    np.testing.assert_allclose(again(PIXELS), expected, rtol=1e-6)

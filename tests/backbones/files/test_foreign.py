"""build_foreign: anybody's model becomes flat and loses its top; size and range are found or asked for."""

import keras
import numpy as np
import pytest
from keras import layers

from tfxfer.backbones.files.foreign import build_foreign
from tfxfer.backbones.hub.builder import build_hub
from tfxfer.errors import SettingError

PIXELS = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3)).astype("float32")
ASKED = (
    "pass pixel_range as it was trained: (0, 255) (--pixel-range 0..255) for raw pixels, (0, 1) for pixels "
    "divided by 255, (-1, 1) for those divided by 127.5, less 1."
)


def classifier(*front, size=16, top=True):
    """Build the usual transfer model: layers in front, a base that is a model itself, a new top."""
    inner = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(inner)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Add(name="join")([x, layers.Conv2D(4, 1, name="skip")(x)])
    base = keras.Model(inner, layers.ReLU(name="out")(x), name="base")
    image = keras.Input((size, size, 3))
    x = image
    for layer in front:
        x = layer(x)
    x = base(x, training=False)
    if top:
        x = layers.Dense(3, activation="softmax", name="scores")(layers.GlobalAveragePooling2D()(x))
    generator = np.random.default_rng(4)
    base.set_weights([generator.uniform(0.1, 1, weight.shape) for weight in base.get_weights()])
    return keras.Model(image, x)


def built(model, **settings):
    settings = {"image_size": None, "pixel_range": None, **settings}
    return build_foreign(model, label="m.keras", name="file_m", **settings)


def test_the_base_lies_flat_and_the_top_is_gone():
    model = classifier(layers.RandomFlip(), layers.Rescaling(1 / 127.5, offset=-1))
    expected = model.get_layer("base")(PIXELS / 127.5 - 1)
    body = built(model)
    assert body.name == "file_m"
    assert [operation.name for operation in body.operations] == [
        "image",
        "preprocess_rescaling_1",
        "conv",
        "norm",
        "skip",
        "join",
        "out",
    ]
    np.testing.assert_allclose(body(PIXELS, training=False), expected, rtol=1e-4, atol=1e-5)


def test_a_row_of_augmentations_is_opened_and_left_out():
    row = layers.Pipeline([layers.RandomFlip(), layers.RandomRotation(0.1)])
    body = built(classifier(row, layers.Rescaling(1 / 127.5, offset=-1)))
    assert [operation.name for operation in body.operations][:3] == [
        "image",
        "preprocess_rescaling_1",
        "conv",
    ]


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (0, 255)], ids=str)
def test_pixels_are_brought_to_the_range_that_was_given(values):
    model = classifier(top=False)
    low, high = values
    expected = model(PIXELS / 255 * (high - low) + low, training=False)
    body = built(model, pixel_range=values)
    np.testing.assert_allclose(body(PIXELS, training=False), expected, rtol=1e-4, atol=1e-5)
    scaling = [layer.name for layer in body.layers if layer.name.startswith("preprocess_")]
    assert scaling == ([] if values == (0, 255) else ["preprocess_rescaling"])


@pytest.mark.parametrize(
    ("front", "names"),
    [
        ([layers.Rescaling(1 / 255)], ["preprocess_rescaling_1"]),
        (
            [layers.Resizing(16, 16), layers.Rescaling(1 / 255, name="mine")],
            ["preprocess_resizing_1", "preprocess_mine"],
        ),
        (
            [layers.Rescaling(1 / 255), layers.Normalization(mean=[0.5] * 3, variance=[0.05] * 3)],
            ["preprocess_rescaling_1", "preprocess_normalization_1"],
        ),
        (
            [layers.Normalization(mean=[120.0] * 3, variance=[3600.0] * 3)],
            ["preprocess_normalization_1"],
        ),
        (
            [keras.applications.mobilenet_v2.preprocess_input],
            ["preprocess_true_divide_1", "preprocess_subtract_1"],
        ),
    ],
    ids=["rescaling", "resizing", "both", "normalization", "keras.applications"],
)
def test_a_model_that_scales_0_to_255_itself_needs_no_range(front, names):
    model = classifier(*front, top=False)
    expected = model(PIXELS, training=False)
    body = built(model)
    assert [each.name for each in body.operations if each.name.startswith("preprocess_")] == names
    np.testing.assert_allclose(body(PIXELS, training=False), expected, rtol=1e-4, atol=1e-5)


def test_pictures_of_another_size_go_through_the_same_layers():
    model = classifier(layers.Rescaling(1 / 255), top=False)
    body = built(model, image_size=(24, 20))
    assert body.input_shape == (None, 24, 20, 3)
    assert body.output_shape == (None, 24, 20, 4)
    corner = PIXELS[:, :5, :5]
    padded = np.zeros((2, 24, 20, 3), "float32")
    padded[:, :5, :5] = corner
    own = np.zeros((2, 16, 16, 3), "float32")
    own[:, :5, :5] = corner
    mine, theirs = body(padded, training=False), model(own, training=False)
    np.testing.assert_allclose(mine[:, :10, :10], theirs[:, :10, :10], rtol=1e-4, atol=1e-5)


def test_random_weights_are_asked_for_with_fresh():
    body = built(classifier(layers.Normalization(mean=[120.0] * 3, variance=[3600.0] * 3)), fresh=True)
    np.testing.assert_array_equal(body.get_layer("norm").moving_mean, np.zeros(4))
    front = body.get_layer("preprocess_normalization_1")
    np.testing.assert_allclose(front(np.full((1, 1, 1, 3), 180.0)), np.ones((1, 1, 1, 3)), rtol=1e-6)


def test_a_sequential_model_and_a_free_size_will_do():
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    body = built(model, image_size=(9, 8))
    assert (body.input_shape, body.output_shape) == ((None, 9, 8, 3), (None, 7, 6, 4))


def test_mixed_precision_becomes_whole():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = classifier(layers.Rescaling(1 / 255))
    finally:
        keras.config.set_dtype_policy("float32")
    body = built(model)
    assert {layer.dtype_policy.name for layer in body.layers} == {"float32"}
    assert body.outputs[0].dtype == "float32"
    kernel = body.get_layer("conv").get_weights()[0]
    np.testing.assert_array_equal(kernel, model.get_layer("base").get_layer("conv").get_weights()[0])


def free():
    return keras.Sequential([keras.Input((None, None, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3)])


def bound():
    image = keras.Input((16, 16, 3))
    x = layers.Reshape((256, 3))(layers.Rescaling(1 / 255)(image))
    x = layers.Dense(4)(layers.GlobalAveragePooling1D()(layers.Dense(4)(x)))
    return keras.Model(image, x)


def on_hub(folder):
    """Put a head on a module as one does without tfxfer."""
    body = build_hub(str(folder), image_size=(32, 32), pixel_range=(0, 1))
    return keras.Model(body.inputs, layers.Dense(2)(body.outputs[0]))


def quantized():
    model = classifier(layers.Rescaling(1 / 255))
    model.get_layer("scores").quantize("int8")
    return model


def two_inputs():
    one, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    return keras.Model([one, other], layers.Add()([one, other]))


def of_shape(*shape, name="picture"):
    image = keras.Input(shape, name=name)
    return keras.Model(image, layers.ReLU()(image))


class Own(keras.Model):
    """A model whose layers only its code knows."""

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (
            lambda: classifier(),
            {},
            "m.keras does not say which values it takes for black and white; " + ASKED,
        ),
        (
            lambda: classifier(layers.Rescaling(2.0, offset=-1.0)),
            {},
            "m.keras scales pixels (its first layers bring 0..255 to -1..509), but does not say which values "
            "it takes for black and white; " + ASKED,
        ),
        (
            lambda: classifier(layers.Rescaling(1 / 255)),
            {"pixel_range": (0, 1)},
            "m.keras takes raw pixels (its first layers bring 0..255 to 0..1), so pixel_range must be "
            "(0, 255) or left out, got (0, 1).",
        ),
        (
            lambda: classifier(layers.SpectralNormalization(layers.Conv2D(3, 1))),
            {},
            "m.keras holds SpectralNormalization, which moves its kernel in training even while it is "
            "frozen; give a model without it.",
        ),
        (
            quantized,
            {},
            "m.keras is quantized (int8), so its kernels cannot learn; give the model as it was before.",
        ),
        (
            free,
            {},
            "m.keras takes pictures of any size, so it must be chosen; pass image_size (--image-size), best "
            "the size it was trained with.",
        ),
        (
            free,
            {"image_size": (2, 2)},
            "m.keras takes no pictures of 2 x 2 pixels: its layers do not fit; pass another image_size.",
        ),
        (
            bound,
            {"image_size": (8, 8)},
            "m.keras takes no pictures of 8 x 8 pixels, only of 16 x 16: its layers do not fit; pass another "
            "image_size.",
        ),
        (
            on_hub,
            {},
            "m.keras holds a hub module under a head that tfxfer did not make; build on the module itself "
            "(hub:...).",
        ),
        (
            two_inputs,
            {},
            "m.keras has 2 inputs and 1 outputs; give a model from one picture to one output.",
        ),
        (
            lambda: of_shape(3, 8, 8),
            {},
            "m.keras takes 'picture' of shape (None, 3, 8, 8); give a model of RGB pictures, shape (batch, "
            "height, width, 3).",
        ),
        (
            lambda: of_shape(8, 8, 1),
            {},
            "m.keras takes 'picture' of shape (None, 8, 8, 1); give a model of RGB pictures, shape (batch, "
            "height, width, 3).",
        ),
        (
            Own,
            {},
            "m.keras holds a Own, whose layers cannot be told; give a functional or Sequential model.",
        ),
        (
            lambda: keras.Sequential([layers.Dense(2)]),
            {},
            "m.keras has 0 inputs and 0 outputs; give a model from one picture to one output.",
        ),
    ],
    ids=[
        "no range",
        "another range",
        "contrary range",
        "spectral",
        "quantized",
        "no size",
        "too small",
        "bound size",
        "hub module",
        "two inputs",
        "channels first",
        "grey",
        "code",
        "no shape",
    ],
)
def test_what_cannot_be_known_is_said(model, settings, message, hub_module, says):
    made = model(hub_module) if model is on_hub else model()
    with pytest.raises(SettingError, match=says(message)):
        built(made, **settings)

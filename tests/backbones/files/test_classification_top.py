"""features_of: a classifier's top goes, and nothing else."""

import keras
import pytest
from keras import layers

from tfxfer.backbones.files.classification_top import features_of
from tfxfer.errors import SettingError

NOTHING = (
    "m.keras has no layers with weights in front of its classification, that end in one feature map or one "
    "vector a picture; give a model that has."
)


def end(*tops, size=16):
    """Put layers on a stem, and name the layer that the features come from."""
    image = keras.Input((size, size, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, name="stem")(image)
    for top in tops:
        x = top(x)
    return source(keras.Model(image, x))


def source(model):
    return features_of(model, "m.keras")._keras_history.operation.name


@pytest.mark.parametrize(
    ("tops", "name"),
    [
        ([], "stem"),
        ([layers.GlobalAveragePooling2D()], "stem"),
        ([layers.ReLU(name="out"), layers.GlobalMaxPooling2D(), layers.Dense(9), layers.Dense(2)], "out"),
        ([layers.Flatten(), layers.Dense(9, activation="relu"), layers.Dense(2)], "stem"),
        ([layers.SpatialDropout2D(0.1), layers.Dropout(0.1), layers.GlobalAveragePooling2D()], "stem"),
        (
            [layers.GlobalAveragePooling2D(keepdims=True), layers.Conv2D(2, 1), layers.Flatten()],
            "stem",
        ),
        ([lambda x: keras.ops.mean(x, axis=(1, 2), keepdims=True), layers.Conv2D(2, 1)], "stem"),
        (
            [
                layers.ReLU(name="out"),
                layers.Dropout(0.1),
                layers.Conv2D(2, 1),
                layers.GlobalAveragePooling2D(),
                layers.Softmax(),
            ],
            "out",
        ),
        (
            [layers.UpSampling2D(name="up"), layers.Conv2D(2, 1, activation="softmax")],
            "up",
        ),
        (
            [
                lambda x: layers.Concatenate()(
                    [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
                ),
                layers.Dense(2, activation="softmax"),
            ],
            "stem",
        ),
        (
            [
                layers.Reshape((-1, 8)),
                layers.Dense(8, name="mix"),
                layers.GlobalAveragePooling1D(name="pool"),
                layers.Dropout(0.1),
                layers.Dense(2),
            ],
            "pool",
        ),
        (
            [
                layers.Reshape((-1, 8)),
                layers.Dense(8, name="mix"),
                layers.GlobalAveragePooling1D(name="pool"),
            ],
            "pool",
        ),
    ],
    ids=[
        "map",
        "pooled",
        "dense",
        "flattened",
        "dropout",
        "pooled point",
        "mean",
        "channel a class",
        "class a pixel",
        "two pools",
        "tokens",
        "tokens without a top",
    ],
)
def test_features_end_before_the_top(tops, name):
    assert end(*tops) == name


def test_a_small_map_is_still_a_map():
    last = layers.MaxPooling2D(7, name="last")
    assert end(last, layers.Flatten(), layers.Dense(2)) == "last"


def test_pools_at_several_depths_leave_the_vector():
    image = keras.Input((16, 16, 3), name="image")
    low = layers.Conv2D(4, 3)(image)
    high = layers.Conv2D(4, 3)(low)
    pooled = [layers.GlobalAveragePooling2D()(x) for x in (low, high)]
    x = layers.Concatenate(name="both")(pooled)
    assert source(keras.Model(image, layers.Dense(2)(x))) == "both"


def test_a_network_of_dense_layers_keeps_all_but_the_last():
    image = keras.Input((4, 4, 3), name="image")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    x = layers.Dense(8, name="hidden")(x)
    assert source(keras.Model(image, layers.Dense(2)(x))) == "hidden"


@pytest.mark.parametrize(
    "tops",
    [
        [layers.Flatten(), layers.Dense(2)],
        [layers.GlobalAveragePooling2D(), layers.Dense(2)],
        [layers.Reshape((-1, 3)), layers.Dense(4)],
    ],
    ids=["flat", "pooled", "tokens"],
)
def test_where_nothing_would_be_left_it_says_so(tops, says):
    image = keras.Input((4, 4, 3), name="image")
    x = image
    for top in tops:
        x = top(x)
    with pytest.raises(SettingError, match=says(NOTHING)):
        features_of(keras.Model(image, x), "m.keras")

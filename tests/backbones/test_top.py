"""PretrainedTop: layers that go beside a model's own."""

import keras
import numpy as np

from tfxfer.backbones import PretrainedTop


def test_layers_stand_on_the_map_and_a_copy_learns_without_them():
    image = keras.Input((4, 4, 3))
    body = keras.Model(image, keras.layers.Conv2D(5, 1, name="last")(image))
    features = keras.Input((4, 4, 5))
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    top = PretrainedTop("last", keras.Model(features, keras.layers.Dense(7)(pooled)))
    pixels = np.random.default_rng(0).uniform(size=(2, 4, 4, 3)).astype(np.float32)
    expected = top.layers(body(pixels))
    np.testing.assert_array_equal(keras.Model(image, top.logits(body))(pixels), expected)
    copy = top.copy()
    np.testing.assert_array_equal(copy.layers(body(pixels)), expected)
    copy.layers.set_weights([weight + 1 for weight in copy.layers.get_weights()])
    np.testing.assert_array_equal(top.layers(body(pixels)), expected)

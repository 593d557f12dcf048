"""settled: one flat graph whatever the session built before."""

import keras
import numpy as np
import pytest

from tfxfer.backbones.graph import (
    christen,
    copy_variables,
    cut_points,
    flat_operations,
    model_name,
    needs_settling,
    replayed,
    settled,
    steady_names,
)


def small(image):
    """Build a model with automatic names, an operation that is no layer, and a Sequential."""
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Normalization()(x)
    x = keras.layers.Conv2D(4, 3, name="chosen")(x)
    x = keras.layers.ReLU()(x + 3.0)
    x = keras.Sequential([keras.layers.Conv2D(4, 1, name="inner"), keras.layers.BatchNormalization()])(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1)(x))


def test_names_do_not_depend_on_what_was_built_before():
    names = []
    for _ in range(2):
        image = keras.Input((8, 8, 3), name="image")
        names.append([operation.name for operation in settled(small(image), image).operations])
    assert names[0] == names[1]
    assert names[0] == [
        "image",
        "preprocess_rescaling_1",
        "preprocess_normalization_1",
        "chosen",
        "body_add_1",
        "body_re_lu_1",
        "inner",
        "body_batch_normalization_1",
        "body_conv2d_1",
    ]


def test_the_settled_model_computes_the_same():
    image = keras.Input((8, 8, 3), name="image")
    model = small(image)
    model.layers[2].adapt(np.random.default_rng(1).uniform(size=(9, 8, 8, 3)))
    pixels = np.random.default_rng(2).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    other = settled(model, image)
    np.testing.assert_allclose(other(pixels), model(pixels), rtol=1e-5)
    assert not needs_settling(other)
    assert needs_settling(model)


def test_the_root_of_the_deviation_comes_in_once():
    image = keras.Input((8, 8, 3), name="image")
    once = settled(small(image), image, standardise=True)
    assert once.operations[3].name == "preprocess_rescaling_2"
    np.testing.assert_allclose(once.operations[3].scale, [0.229**-0.5, 0.224**-0.5, 0.225**-0.5])
    twice = settled(once, image, standardise=True)
    assert len(twice.operations) == len(once.operations)


def test_chosen_names_stay():
    layers = [keras.layers.Conv2D(1, 1, name="conv2d_a"), keras.layers.ReLU(name="conv_relu_2")]
    assert steady_names(layers) == {"conv2d_a": "conv2d_a", "conv_relu_2": "conv_relu_2"}


def test_variables_of_other_shapes_are_refused():
    old, new = keras.layers.Dense(2), keras.layers.Dense(3)
    old.build((None, 4))
    new.build((None, 4))
    with pytest.raises(ValueError, match="shape"):
        copy_variables(old, new)


def names_of_cuts(inputs, outputs):
    return [operation.name for operation in cut_points(keras.Model(inputs, outputs))]


def test_a_path_around_an_operation_makes_it_no_cut():
    image = keras.Input((8, 8, 4), name="image")
    stem = keras.layers.Conv2D(4, 3, padding="same", name="stem")(image)
    left = keras.layers.ReLU(name="left")(keras.layers.BatchNormalization(name="norm")(stem))
    joined = keras.layers.Add(name="joined")([left, stem])
    top = keras.layers.Conv2D(4, 1, name="top")(joined)
    assert names_of_cuts(image, top) == ["image", "stem", "joined", "top"]
    assert names_of_cuts(image, keras.layers.Add(name="late")([top, image])) == ["image", "late"]


def test_the_operation_before_a_chain_within_a_branch_is_a_cut_and_the_chain_is_none():
    image = keras.Input((8, 8, 4), name="image")
    squeezed = keras.layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(image)
    scales = keras.layers.Conv2D(4, 1, activation="sigmoid", name="excite")(squeezed)
    scaled = keras.layers.Multiply(name="scaled")([image, scales])
    assert names_of_cuts(image, keras.layers.ReLU(name="top")(scaled)) == ["image", "scaled", "top"]


def test_a_layer_called_twice_is_no_cut_nor_is_what_lies_between():
    image = keras.Input((8, 8, 4), name="image")
    twice = keras.layers.Conv2D(4, 1, name="twice")
    between = keras.layers.ReLU(name="between")(twice(image))
    assert names_of_cuts(image, keras.layers.ReLU(name="top")(twice(between))) == ["image", "top"]


def test_several_inputs_or_outputs_leave_no_cut_beside_one_of_them():
    one, other = keras.Input((4,), name="one"), keras.Input((4,), name="other")
    deep = keras.layers.Dense(4, name="deep")(one)
    both = keras.layers.Add(name="both")([deep, other])
    top = keras.layers.Dense(4, name="top")(both)
    assert names_of_cuts([one, other], top) == ["both", "top"]
    assert names_of_cuts([one, other], [both, top]) == ["both"]


@keras.saving.register_keras_serializable("tests")
class Pair(keras.layers.Layer):
    """A layer with a weight of its own and two layers within."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = keras.layers.Conv2D(4, 1)
        self.norm = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(1,), name="factor")
        self.inner.build(input_shape)
        self.norm.build((*input_shape[:-1], 4))

    def call(self, inputs):
        return self.norm(self.inner(inputs)) * self.factor


def nested():
    """Build a model in a model in a model, two of whose layers bear one name, and one is called twice."""
    image = keras.Input((8, 8, 4))
    inner = keras.Model(image, Pair(name="block")(keras.layers.Conv2D(4, 1, name="conv")(image)))
    image = keras.Input((8, 8, 4))
    middle = keras.Sequential([image, inner, keras.layers.ReLU()])
    image = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(4, 1, name="conv")(image)
    x = keras.layers.RandomFlip()(middle(x, training=False))
    return keras.Model(image, middle(x))


def randomised(model):
    generator = np.random.default_rng(5)
    model.set_weights([generator.uniform(0.1, 1, weight.shape) for weight in model.get_weights()])
    return model


def test_models_within_models_are_opened_at_any_size():
    model = randomised(nested())
    christen(model, reserved=("image",))
    image = keras.Input((6, 5, 4), name="image")
    flat = keras.Model(image, replayed(model, image, left_out=(keras.layers.RandomFlip,)))
    assert [operation.name for operation in flat.operations] == [
        "image",
        "conv",
        "conv_2",
        "block",
        "body_re_lu_1",
    ]
    pixels = np.random.default_rng(2).uniform(size=(2, 8, 8, 4)).astype("float32")
    again = keras.Input((8, 8, 4), name="image")
    same = keras.Model(again, replayed(flat, again))
    np.testing.assert_allclose(same(pixels), model(pixels, training=False), rtol=1e-5)
    assert flat.output_shape == (None, 6, 5, 4)


def test_fresh_layers_are_random_but_for_those_that_scale():
    image = keras.Input((8, 8, 3), name="image")
    model = small(image)
    model.layers[2].adapt(np.full((1, 8, 8, 3), 7.0))
    other = keras.Model(image, replayed(model, image, fresh=True))
    np.testing.assert_array_equal(
        other.get_layer("preprocess_normalization_1").mean, np.full((1, 1, 1, 3), 7)
    )
    assert (other.get_layer("chosen").get_weights()[0] != model.get_layer("chosen").get_weights()[0]).any()


def test_a_size_that_a_layer_is_bound_to_is_an_error():
    image = keras.Input((8, 8, 3), name="image")
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    with pytest.raises(ValueError, match="shape"):
        replayed(model, keras.Input((9, 9, 3)))


def test_names_of_other_parts_are_not_borrowed():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255, name="preprocess_scaling")(image)
    x = keras.layers.Conv2D(2, 1, name="preprocess_conv")(x)
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="head_conv")(x))
    christen(model, reserved=("preprocess_scaling",))
    assert [operation.name for operation in flat_operations(model)] == [
        "preprocess_scaling_2",
        "body_preprocess_conv",
        "body_head_conv",
    ]


def test_a_name_is_made_of_words():
    assert model_name("file", "My Model.v1/") == "file_my_model_v1"

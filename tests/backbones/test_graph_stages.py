"""survey: stages of a graph that no catalogue describes, by names where they tell, else by its cuts."""

import keras
import pytest
from keras import layers

from tfxfer.backbones import BACKBONES, build_backbone, layers_within, survey


def named(stages):
    return {stage: [layer.name for layer in held] for stage, held in stages.items()}


def plain():
    """A chain of three convolutions, one residual block, and a pooled end."""
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Rescaling(1 / 255, name="preprocess_rescaling")(image)
    x = layers.Conv2D(4, 3, name="a")(x)
    x = layers.BatchNormalization(name="a_norm")(x)
    x = layers.ReLU(name="a_relu")(x)
    x = layers.Conv2D(4, 3, name="b")(x)
    y = layers.Conv2D(4, 3, padding="same", name="c")(x)
    y = layers.BatchNormalization(name="c_norm")(y)
    y = layers.Conv2D(4, 3, padding="same", name="d")(y)
    x = layers.Add(name="add")([x, y])
    x = layers.ReLU(name="out")(x)
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    return keras.Model(image, layers.Dense(2, name="head_logits")(x), name="plain")


def test_without_numbered_names_the_graph_is_cut_where_all_paths_meet():
    assert named(survey(plain())) == {
        "block_1": ["a", "a_norm", "a_relu"],
        "block_2": ["b"],
        "block_3": ["c", "c_norm", "d", "add", "out"],
    }


def test_numbered_names_are_stages_between_stem_and_top():
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, name="conv")(image)
    for name in ("stage1_conv", "stage1_norm", "relu_a", "stage2_conv", "relu_b"):
        layer = layers.Conv2D(4, 3, name=name) if "conv" in name else layers.ReLU(name=name)
        x = layer(x)
    x = layers.Conv2D(8, 1, name="last")(x)
    assert named(survey(keras.Model(image, x))) == {
        "stem": ["conv"],
        "stage1": ["stage1_conv", "stage1_norm", "relu_a"],
        "stage2": ["stage2_conv"],
        "top": ["relu_b", "last"],
    }


@pytest.mark.parametrize("ending", ["BatchNormalization", "LayerNormalization"])
def test_a_normalization_alone_is_no_top(ending):
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, name="block_2_conv")(layers.Conv2D(4, 3, name="block_1_conv")(image))
    x = layers.ReLU(name="relu")(getattr(layers, ending)(name="norm")(x))
    assert named(survey(keras.Model(image, x)))["block_2"] == ["block_2_conv", "norm", "relu"]


def test_numbered_names_in_turns_do_not_tell():
    image = keras.Input((16, 16, 3))
    x = image
    for name in ("block_1", "block_2", "block_1_again"):
        x = layers.Conv2D(4, 3, name=name)(x)
    assert named(survey(keras.Model(image, x))) == {
        "block_1": ["block_1"],
        "block_2": ["block_2"],
        "block_3": ["block_1_again"],
    }


@keras.saving.register_keras_serializable("tests")
class Block(layers.Layer):
    """Two dense layers and a normalization."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = layers.Dense(4)
        self.norm = layers.BatchNormalization()

    def call(self, inputs):
        return self.norm(self.inner(inputs))


class Encoder(layers.Layer):
    """A row of blocks and a normalization, as in vision transformers."""

    def __init__(self, own_weight=False, **options):
        super().__init__(**options)
        self.rows = [Block(name=f"transformer_block_{number}") for number in (1, 2)]
        self.last = layers.LayerNormalization(name="last_norm")
        if own_weight:
            self.token = self.add_weight(shape=(1,), name="token")

    def call(self, inputs):
        for row in self.rows:
            inputs = row(inputs)
        return self.last(inputs)


def encoded(**options):
    image = keras.Input((8, 8, 3))
    return keras.Model(image, Encoder(name="encoder", **options)(layers.Dense(4, name="embedding")(image)))


def test_a_row_of_blocks_is_opened():
    assert named(survey(encoded())) == {
        "stem": ["embedding"],
        "transformer_block_1": ["transformer_block_1"],
        "transformer_block_2": ["transformer_block_2", "last_norm"],
    }


def test_a_model_that_is_a_layer_is_opened_and_rows_within_it_too():
    image = keras.Input((8, 8, 3))
    assert named(survey(keras.Model(image, encoded()(image)))) == named(survey(encoded()))


def test_a_row_with_weights_of_its_own_stays_one():
    assert named(survey(encoded(own_weight=True))) == {"block_1": ["embedding"], "block_2": ["encoder"]}


def test_attention_is_no_row_of_blocks():
    image = keras.Input((8, 3))
    x = layers.MultiHeadAttention(2, 4, name="attention")(image, image)
    assert named(survey(keras.Model(image, x))) == {"block_1": ["attention"]}


def test_layers_within_a_layer_are_all_there():
    block = encoded().get_layer("encoder").rows[0]
    assert [type(layer).__name__ for layer in layers_within(block)] == [
        "Block",
        "Dense",
        "BatchNormalization",
    ]


@pytest.mark.parametrize(
    ("name", "count"), [("mobilenet_v2_035", 18), ("resnet50", 17), ("efficientnet_b0", 18), ("vgg16", 5)]
)
def test_on_known_backbones_it_finds_the_blocks_and_all_weights_in_order(name, count):
    spec = BACKBONES[name]
    model = build_backbone(spec, input_shape=(64, 64, 3), weights=None)
    stages = survey(model)
    assert len(stages) == count
    if len(spec.stages) == count:
        assert tuple(stages) == spec.stage_names
    inside = [variable for held in stages.values() for layer in held for variable in layer.weights]
    body = [layer for layer in model.layers if not layer.name.startswith("preprocess_")]
    assert [id(variable) for variable in inside] == [id(v) for layer in body for v in layer.weights]

"""set_trainable: every way to say what learns, BatchNorm held layer by layer, no silent standstill."""

import keras
import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, FreezeContract, build, set_trainable

BACKBONE = "mobilenet_v2_035"


@pytest.fixture(scope="module")
def model():
    return build(classes=3, backbone=BACKBONE, image_size=32, weights=None)


def stages(*numbers):
    return tuple(f"block_{number}" for number in numbers)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("head", ()),
        ("block_13", stages(13)),
        ("block_13:", (*stages(13, 14, 15, 16), "top")),
        (":block_1", ("stem", "block_1")),
        ("block_3:block_5", stages(3, 4, 5)),
        (-2, ("block_16", "top")),
        (np.int64(-1), ("top",)),
    ],
    ids=str,
)
def test_stages_are_chosen_by_name_range_and_number(model, what, expected):
    learning = set_trainable(model, what)
    assert learning.names == (*expected, "head")
    moving = {v.path.partition("/")[0] for v in model.trainable_variables}
    anatomy = Anatomy.of(model)
    allowed = {layer.name for name in (*expected, "head") for layer in anatomy.parts[name]}
    assert moving <= allowed
    kernels = {
        layer.name
        for name in expected
        for layer in anatomy.stages[name]
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    }
    assert kernels <= moving


def test_all_leaves_only_batch_norm_out(model):
    set_trainable(model, "all")
    still = {type(layer) for layer in model.layers if layer.weights and not layer.trainable}
    assert still == {keras.layers.BatchNormalization}


def test_a_slice_counts_the_layers_of_the_backbone(model):
    set_trainable(model, slice(-4, None), batch_norm="train")
    learning = [layer.name for layer in model.layers if layer.trainable_variables]
    assert learning == ["block_16_project_BN", "Conv_1", "Conv_1_bn", "head_logits"]


def test_batch_norm_trains_when_asked_and_only_where_it_learns(model):
    set_trainable(model, "block_16", batch_norm="train")
    learning = {
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    }
    assert learning == {"block_16_expand_BN", "block_16_depthwise_BN", "block_16_project_BN"}


def test_it_counts_what_learns(model):
    learning = set_trainable(model, -1)
    assert learning.parameters == sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert learning.layers == 2
    top = learning.parts[-2]
    assert (top.name, top.layers, top.learning_layers) == ("top", 2, 1)


def test_it_renders_as_a_table():
    model = build(classes=2, backbone="micro", image_size=32, weights=None)
    table = str(set_trainable(model, "head")).splitlines()
    logits = 2 * (model.get_layer("head_pool").output.shape[-1] + 1)
    share = f"{logits} of {logits}"
    assert table[0] == "part                   layers learning         parameters learning"
    assert table[-3] == f"{'head':<20}{'1 of 1':>18}{share:>28}"
    assert table[-1] == "BatchNorm of the backbone: frozen"
    assert len(table) == 1 + len(Anatomy.of(model).stages) + 3


def test_fitting_before_compiling_again_is_refused_and_not_silent(model):
    """Keras alone would go on training what was set before (its own trap)."""
    images, labels = np.zeros((2, 32, 32, 3), "uint8"), np.array([0, 1])
    set_trainable(model, "head")
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(images, labels, verbose=0)
    set_trainable(model, -1)
    with pytest.raises(ValueError, match="compile"):
        model.fit(images, labels, verbose=0)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            "block_17",
            "mobilenet_v2_035 has no stage 'block_17'; did you mean 'block_7'? Its stages are, from the "
            "pixels to the head: stem, " + ", ".join(f"block_{i}" for i in range(1, 17)) + ", top.",
        ),
        (
            "",
            "mobilenet_v2_035 has no stage ''. Its stages are, from the pixels to the head: stem, "
            + ", ".join(f"block_{i}" for i in range(1, 17))
            + ", top.",
        ),
        (
            3,
            "a number of top blocks must be between -1 and -18 for mobilenet_v2_035, got 3; 'head' is for "
            "none of them, 'all' for all.",
        ),
        (
            -19,
            "a number of top blocks must be between -1 and -18 for mobilenet_v2_035, got -19; 'head' is "
            "for none of them, 'all' for all.",
        ),
        (
            slice(5, 5),
            "slice(5, 5, None) chooses no layer of the backbone that could learn; 'head' is for training "
            "the head alone.",
        ),
        (
            "block_5:block_3",
            "'block_5:block_3' chooses no layer of the backbone that could learn; 'head' is for training "
            "the head alone.",
        ),
        (
            slice(-1, None),
            "slice(-1, None, None) chooses no layer of the backbone that could learn; 'head' is for "
            "training the head alone.",
        ),
        (2.5, "what learns must be 'head', 'all', a stage, a number below 0 or a slice, got 2.5."),
    ],
    ids=["name", "no name", "positive", "too many", "empty slice", "backwards", "no weights", "float"],
)
def test_a_choice_that_is_none_says_what_there_is(model, what, message, says):
    with pytest.raises(SettingError, match=says(message)):
        set_trainable(model, what)


def test_batch_norm_is_frozen_or_train(model, says):
    message = "batch_norm must be 'frozen' or 'train', got 'recalibrated'."
    with pytest.raises(SettingError, match=says(message)):
        set_trainable(model, "all", batch_norm="recalibrated")


@pytest.fixture
def hub_model(hub_module):
    return build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))


def hub_paths(model):
    return [v.path.partition("/")[2] for v in model.trainable_variables if v.path.startswith("hub")]


@pytest.mark.parametrize(
    ("what", "blocks"),
    [
        ("head", []),
        ("all", ["stem", "block_1", "block_2"]),
        (-1, ["block_2"]),
        ("block_1:", ["block_1", "block_2"]),
        (":block_1", ["stem", "block_1"]),
        ("stem", ["stem"]),
    ],
    ids=str,
)
def test_within_a_hub_module_stages_are_chosen_by_names(hub_model, what, blocks):
    learning = set_trainable(hub_model, what)
    assert learning.names == (*blocks, "head")
    assert hub_paths(hub_model) == [f"{block}_conv_kernel" for block in blocks]
    assert learning.parameters == sum(int(np.prod(v.shape)) for v in hub_model.trainable_variables)


def test_a_hub_module_trains_all_of_its_batch_norm_or_none(hub_model, says):
    set_trainable(hub_model, "all", batch_norm="train")
    assert len(hub_paths(hub_model)) == 9
    set_trainable(hub_model, "all")
    assert len(hub_paths(hub_model)) == 3
    message = (
        "batch_norm='train' moves every BatchNorm layer of a module of TensorFlow Hub, and -1 would freeze "
        "some; take 'all', or leave batch_norm='frozen'."
    )
    with pytest.raises(SettingError, match=says(message)):
        set_trainable(hub_model, -1, batch_norm="train")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            slice(-2, None),
            "slice(-2, None, None) counts layers, and a module of TensorFlow Hub is but one; choose among "
            "its stages: stem, block_1, block_2, or a number of them, 'head' or 'all'.",
        ),
        (
            "block_3",
            "hub_small has no stage 'block_3'; did you mean 'block_2'? Its stages are, from the pixels to "
            "the head: stem, block_1, block_2.",
        ),
        (
            -4,
            "a number of top blocks must be between -1 and -3 for hub_small, got -4; 'head' is for none of "
            "them, 'all' for all.",
        ),
        (
            "block_2:block_1",
            "'block_2:block_1' chooses no layer of the backbone that could learn; 'head' is for training "
            "the head alone.",
        ),
        (2.5, "what learns must be 'head', 'all', a stage, a number below 0 or a slice, got 2.5."),
    ],
    ids=["slice", "name", "too many", "backwards", "float"],
)
def test_a_choice_that_a_hub_module_has_not_says_what_it_has(hub_model, what, message, says):
    with pytest.raises(SettingError, match=says(message)):
        set_trainable(hub_model, what)


def test_a_hub_module_for_inference_trains_a_head_alone(frozen_hub_module, says):
    model = build(classes=3, backbone=f"hub:{frozen_hub_module}", pixel_range=(0, 1))
    assert set_trainable(model, "head").names == ("head",)
    message = (
        f"hub:{frozen_hub_module.name} cannot be trained: it is called through its signature "
        "'serving_default', which knows no training; train a head on its features (set_trainable(model, "
        "'head'))."
    )
    for what in ("all", -1):
        with pytest.raises(SettingError, match=says(message)):
            set_trainable(model, what)


def test_a_model_that_was_frozen_whole_learns_again():
    frozen = build(classes=3, backbone="micro", image_size=32)
    frozen.trainable = False
    assert set_trainable(frozen, -1).parameters == sum(
        int(np.prod(variable.shape)) for variable in frozen.trainable_variables
    )
    assert len(frozen.trainable_variables) > 2


@keras.saving.register_keras_serializable("tests")
class Normed(keras.layers.Layer):
    """A convolution with its BatchNorm inside, as some libraries write them."""

    def __init__(self, **options):
        super().__init__(**options)
        self.convolution = keras.layers.Conv2D(4, 3)
        self.norm = keras.layers.BatchNormalization(momentum=0.5)

    def call(self, inputs):
        return self.norm(self.convolution(inputs))


def normed():
    image = keras.Input((8, 8, 3), name="image")
    x = Normed(name="block_2")(Normed(name="block_1")(image))
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    scores = keras.layers.Dense(2, activation="softmax", name="head_scores")(x)
    return keras.Model(image, scores, name="strange")


def test_what_is_within_a_layer_follows_though_the_layer_is_so_already():
    model = normed()
    block = model.get_layer("block_2")
    for batch_norm in ("frozen", "train", "frozen"):
        set_trainable(model, "all", batch_norm=batch_norm)
        assert block.norm.trainable == (batch_norm == "train")
    set_trainable(model, "head")
    block.convolution.trainable = True  # as Keras leaves it when it loads a frozen layer
    set_trainable(model, "head")
    assert not block.convolution.trainable


@pytest.mark.parametrize("batch_norm", ["frozen", "train"])
def test_batch_norm_within_a_layer_is_held_too(batch_norm):
    model = normed()
    set_trainable(model, "block_2:", batch_norm=batch_norm)
    block = model.get_layer("block_2")
    assert block.convolution.trainable
    assert block.norm.trainable == (batch_norm == "train")
    contract = FreezeContract.of(model)
    frozen = {v.path for v in block.norm.weights} <= set(contract.frozen)
    assert frozen == (batch_norm == "frozen")
    model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 3))
    model.fit(images, np.arange(8) % 2, verbose=0)
    contract.verify(model)
    still = np.array_equal(block.norm.moving_mean, np.zeros(4))
    assert still == (batch_norm == "frozen")


def test_what_a_frozen_layer_is_made_of_is_frozen_after_loading_too():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(Normed(name="block_1")(image))
    model = keras.Model(image, keras.layers.Dense(2, name="head_scores")(x), name="strange")
    set_trainable(model, "head")
    loaded = keras.models.clone_model(model)  # of the description alone, as when a file is loaded
    set_trainable(loaded, "head")
    assert [v.path for v in loaded.trainable_variables] == ["head_scores/kernel", "head_scores/bias"]

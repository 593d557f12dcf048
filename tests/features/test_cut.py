"""find_cut: prefix and suffix are the model, share its weights, and part where what learns begins."""

import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES
from tfxfer.errors import SettingError
from tfxfer.features import find_cut, find_map, multiply_adds
from tfxfer.models import Anatomy, build, choose_layers, set_trainable


def pictures(model, count=3):
    return np.random.default_rng(0).integers(0, 256, (count, *model.input_shape[1:])).astype(np.float32)


def check(model, cut):
    """Hold prefix and suffix together against the model, and their weights against its own."""
    images = pictures(model)
    crossing = cut.prefix(images, training=False)
    maps = crossing if isinstance(crossing, list) else [crossing]
    assert tuple(tuple(each.shape[1:]) for each in maps) == cut.shapes
    np.testing.assert_allclose(
        cut.suffix(crossing, training=False), model(images, training=False), rtol=1e-4, atol=1e-6
    )
    own = {id(variable) for variable in model.weights}
    assert {id(variable) for part in (cut.prefix, cut.suffix) for variable in part.weights} <= own
    assert {id(v) for v in cut.suffix.trainable_variables} == {id(v) for v in model.trainable_variables}
    assert not cut.prefix.trainable_variables


@pytest.fixture(scope="module")
def micro():
    return build(classes=3, backbone="micro", image_size=32)


@pytest.mark.parametrize(
    ("what", "names", "shapes"),
    [
        ("head", ("head_pool",), ((224,),)),
        (-1, ("block_2_out",), ((4, 4, 64),)),
        ("block_2:", ("block_1_out",), ((8, 8, 32),)),
    ],
)
def test_the_prefix_ends_where_learning_begins(micro, what, names, shapes):
    set_trainable(micro, what)
    cut = find_cut(micro)
    assert (cut.names, cut.shapes) == (names, shapes)
    assert cut.numbers == np.prod(shapes[0])
    check(micro, cut)


def test_a_cut_for_the_head_alone_has_the_map_that_is_pooled(micro):
    set_trainable(micro, "head")
    head = find_cut(micro)
    assert head.for_head
    before, images = find_map(head.prefix), pictures(micro)
    assert before.output_shape == (None, 2, 2, 224)
    pooled = np.array(before(images)).mean((1, 2))
    np.testing.assert_allclose(pooled, head.prefix(images), rtol=1e-5, atol=1e-6)
    set_trainable(micro, -1)
    top = find_cut(micro)
    assert (top.for_head, find_map(top.prefix)) == (False, None)


@pytest.mark.parametrize("what", ["head", -1, "block_2", slice(20, None), "all"], ids=str)
@pytest.mark.parametrize("batch_norm", ["frozen", "train"])
def test_a_cut_can_be_planned_before_anything_is_set(micro, what, batch_norm):
    norm = keras.layers.BatchNormalization
    set_trainable(micro, "all", batch_norm="train")
    learning = [
        layer
        for layer in choose_layers(Anatomy.of(micro), what, batch_norm=batch_norm)
        if batch_norm == "train" or not isinstance(layer, norm)
    ]
    planned = find_cut(micro, learning=learning)
    set_trainable(micro, what, batch_norm=batch_norm)
    found = find_cut(micro)
    assert (planned and planned.names) == (found and found.names)


def test_what_the_suffix_learns_the_model_has_learnt():
    model = build(classes=3, backbone="micro", image_size=32)
    set_trainable(model, -1)
    cut = find_cut(model)
    images, before = pictures(model, 8), model.get_weights()
    crossing = cut.prefix.predict(images, verbose=0)
    cut.suffix.compile("adam", "sparse_categorical_crossentropy")
    cut.suffix.fit(crossing, np.arange(8) % 3, epochs=2, verbose=0)
    moved = {v.path for v, old in zip(model.weights, before, strict=True) if (np.asarray(v) != old).any()}
    assert {"head_logits/kernel", "block_3_conv1/kernel"} <= moved
    assert moved == {v.path for v in model.trainable_variables}
    check(model, cut)


def test_cutting_leaves_the_model_as_it_was(micro, tmp_path):
    set_trainable(micro, -1)
    before, config = micro.get_weights(), micro.get_config()
    find_cut(micro)
    assert micro.get_config() == config
    for old, now in zip(before, micro.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    micro.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    images = pictures(micro)
    np.testing.assert_array_equal(again(images, training=False), micro(images, training=False))


def test_within_a_residual_block_several_tensors_cross(micro):
    layers = [layer.name for layer in micro.layers if not layer.name.startswith(("head", "image", "pre"))]
    set_trainable(micro, slice(layers.index("block_3_conv2"), None))
    cut = find_cut(micro)
    assert len(cut.names) == 2
    check(micro, cut)


def test_all_that_a_dense_block_still_needs_crosses():
    image = keras.Input((16, 16, 3))
    maps = [keras.layers.Conv2D(4, 3, strides=2, name="stem")(image)]
    for number in range(4):
        joined = maps[0] if number == 0 else keras.layers.Concatenate(name=f"join_{number}")(maps)
        maps.append(keras.layers.Conv2D(4, 3, padding="same", name=f"grow_{number}")(joined))
    pooled = keras.layers.GlobalAveragePooling2D(name="head_pool")(maps[-1])
    model = keras.Model(image, keras.layers.Dense(2, name="head_logits")(pooled), name="dense")
    for name in ("stem", "grow_0", "grow_1"):
        model.get_layer(name).trainable = False
    cut = find_cut(model)
    # The join of all three is one tensor, but the next one needs its parts as well.
    assert sorted(cut.names) == ["grow_0", "grow_1", "stem"]
    check(model, cut)


def test_a_real_backbone_is_cut_between_blocks_and_its_multiply_adds_are_counted():
    model = build(classes=3, backbone="mobilenet_v2_035", weights=None)
    assert multiply_adds(model) == pytest.approx(BACKBONES["mobilenet_v2_035"].macs, rel=0.1)
    set_trainable(model, -3)
    cut = find_cut(model)
    assert len(cut.names) == 1
    assert cut.shapes[0][:2] == (7, 7)
    check(model, cut)


def test_cheap_layers_go_to_the_suffix_where_fewer_numbers_cross():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="still", trainable=False)(image)
    x = keras.layers.UpSampling2D(4, name="larger")(x)
    x = keras.layers.Conv2D(4, 3, name="learns")(x)
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    model = keras.Model(image, keras.layers.Dense(2, name="head_logits")(x))
    cut = find_cut(model)
    assert cut.names == ("still",)
    check(model, cut)


def test_where_all_learns_there_is_no_cut(micro):
    set_trainable(micro, "all")
    assert find_cut(micro) is None
    set_trainable(micro, "stem")
    assert find_cut(micro) is None


def test_batch_norm_without_scale_that_moves_is_not_still():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="still", trainable=False)(image)
    x = keras.layers.BatchNormalization(scale=False, center=False, name="moves")(x)
    x = keras.layers.Conv2D(4, 3, name="still_too", trainable=False)(x)
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    model = keras.Model(image, keras.layers.Dense(2, name="head_logits")(x))
    assert find_cut(model).names == ("still",)


def test_a_module_is_cut_as_a_whole(hub_module):
    model = build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))
    cut = find_cut(model)
    assert cut.names[0].startswith(("hub", "head_pool"))
    check(model, cut)
    set_trainable(model, "all", batch_norm="train")
    assert find_cut(model) is None


def test_a_model_without_head_is_refused(says):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 3, name="conv")(image), name="mine")
    message = (
        "the model 'mine' has no layer named head_..., so what is backbone and what is head cannot be told; "
        "build it with tfxfer.build, and keep the names it gives."
    )
    with pytest.raises(SettingError, match=says(message)):
        find_cut(model)

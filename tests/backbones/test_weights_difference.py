"""misfit: the layers that differ are named, with both shapes."""

from pathlib import Path

import h5py
import keras
import pytest
from keras import layers

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.backbones.weights_difference import SavedLayers, file_layers, misfit, model_layout

FILE = Path("some.h5")
FROM_IT = "; pass a file that was saved from mine."


def chain(*kinds, name="mine"):
    """Put layers in a row, each called by its kind and place."""
    image = keras.Input((8, 8, 3), name="image")
    x = image
    for kind in kinds:
        x = kind(x)
    return keras.Model(image, x, name=name)


@pytest.fixture(scope="module")
def mine():
    return chain(
        layers.Conv2D(4, 3, name="a"), layers.BatchNormalization(name="b"), layers.Conv2D(2, 1, name="c")
    )


def told(saved, model):
    return misfit(saved, model, file=FILE, backbone="mine")


def saved_as(suffix, model, folder):
    file = folder / f"file{suffix}"
    model.save_weights(file) if suffix == ".weights.h5" else model.save(file)
    return file


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_names_and_shapes_are_read_from_both_kinds_of_hdf5(suffix, mine, tmp_path):
    saved = file_layers(saved_as(suffix, mine, tmp_path))
    assert saved.layout == model_layout(mine)
    assert saved.layout["a"] == ((3, 3, 3, 4), (4,))
    assert (saved.told_by, saved.ordered) == ("name", suffix == ".h5")


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_layers_of_a_model_within_a_model_are_told_too(suffix, mine, tmp_path):
    image = keras.Input((8, 8, 3))
    outer = keras.Model(image, mine(image))
    assert file_layers(saved_as(suffix, outer, tmp_path)).layout == model_layout(mine)


def test_names_from_the_session_are_numbered_as_in_a_settled_backbone(tmp_path):
    layers.BatchNormalization()(keras.Input((4,)))
    model = chain(layers.Conv2D(1, 1, name="chosen"), layers.Conv2D(2, 1), layers.Conv2D(3, 1))
    file = saved_as(".weights.h5", model, tmp_path)
    assert file_layers(file).layout == model_layout(model)
    assert list(model_layout(model)) == ["chosen", "body_conv2d_1", "body_conv2d_2"]


def test_what_differs_comes_first_then_what_is_in_one_alone(mine):
    theirs = {"a": ((3, 3, 3, 8), (4,)), "b": ((4,),), "extra": ((1,),)}
    assert told(SavedLayers(theirs), mine) == (
        "some.h5 does not fit mine: a: the file has (3, 3, 3, 8), mine (3, 3, 3, 4); b: the file has (4,), "
        "mine (4,) and (4,) and (4,) and (4,); c: only mine has it; ... and 1 more" + FROM_IT
    )


def test_in_a_file_with_an_order_and_other_names_order_tells(mine):
    theirs = {"x": ((3, 3, 3, 4), (4,)), "y": ((2,),)}
    assert told(SavedLayers(theirs), mine) == (
        "some.h5 does not fit mine: in order, since no name is the same, b (y in the file): the file has "
        "(2,), mine (4,) and (4,) and (4,) and (4,); the file has 2 layers with weights, mine 3" + FROM_IT
    )


def test_in_a_file_without_names_class_and_number_tell(mine, tmp_path):
    """Early Keras 3 wrote no names."""
    other = chain(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Conv2D(5, 1), layers.PReLU())
    file = saved_as(".weights.h5", other, tmp_path)
    with h5py.File(file, "a") as opened:
        opened.visititems(lambda _, held: held.attrs.pop("name", None) and None)
    saved = file_layers(file)
    assert saved.told_by == "class"
    assert list(saved.layout) == ["batchnormalization", "conv2d", "conv2d_1", "prelu"]
    assert told(saved, mine) == (
        "some.h5 does not fit mine: by class and number, since the file tells no names, conv2d_1: the file "
        "has (1, 1, 4, 5), mine (1, 1, 4, 2); prelu: only the file has it" + FROM_IT
    )


def test_the_same_layers_in_another_order_of_nesting_are_told_so(mine):
    assert told(SavedLayers(model_layout(mine)), mine) == (
        "some.h5 does not fit mine: its layers have the same names and shapes, but lie otherwise, perhaps in "
        "a model within a model; pass a .keras file, whose layers are found by name."
    )


@pytest.mark.parametrize("top", [True, False], ids=["with a top", "alone"])
def test_a_backbone_of_as_many_parameters_is_named(top, mine):
    body = build_backbone(BACKBONES["micro"], weights=None)
    layout = model_layout(body) | ({"scores": ((128, 7), (7,))} if top else {})
    assert told(SavedLayers(layout), mine).endswith(
        FROM_IT + " By its number of parameters it may be of micro."
    )

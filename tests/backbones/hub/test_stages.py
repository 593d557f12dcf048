"""group_variables: layers and stages told by names alone, whatever their order."""

import keras
import pytest

from tfxfer.backbones.hub.stages import group_variables

SLIM = (
    "MobilenetV2/Conv/weights",
    "MobilenetV2/Conv/BatchNorm/gamma",
    "MobilenetV2/Conv/BatchNorm/moving_mean",
    "MobilenetV2/expanded_conv_1/expand/weights",
    "MobilenetV2/expanded_conv_2/expand/weights",
    "MobilenetV2/expanded_conv_10/expand/weights",
    "MobilenetV2/Conv_1/weights",
)


def stages(names):
    return list(dict.fromkeys(group.stage for group in group_variables(names)))


def test_blocks_are_stages_between_stem_and_top():
    assert stages(SLIM) == ["stem", "expanded_conv_1", "expanded_conv_2", "expanded_conv_10", "top"]


def test_out_of_order_blocks_are_put_in_order_and_the_rest_is_stem():
    assert stages(sorted(SLIM)) == ["stem", "expanded_conv_1", "expanded_conv_2", "expanded_conv_10"]


def test_batch_norm_is_known_by_its_statistics():
    assert {group.name: group.batch_norm for group in group_variables(SLIM)}["Conv/BatchNorm"]
    assert sum(group.batch_norm for group in group_variables(SLIM)) == 1


def test_every_variable_is_in_one_group():
    members = sorted(place for group in group_variables(SLIM) for place in group.members)
    assert members == list(range(len(SLIM)))


@pytest.mark.parametrize(
    ("network", "count", "last"),
    [("MobileNetV2", 18, "top"), ("ResNet50", 17, "conv5_block3"), ("VGG16", 5, "block5")],
)
def test_names_of_keras_applications_are_understood(network, count, last):
    model = getattr(keras.applications, network)(weights=None, include_top=False)
    names = [variable.path for variable in (*model.trainable_variables, *model.non_trainable_variables)]
    assert len(stages(names)) == count
    assert stages(names)[-1] == last
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert sum(group.batch_norm for group in group_variables(names)) == len(norms)


@pytest.mark.parametrize("names", [["a/kernel", "b/kernel"], ["Variable_1", "Variable_2"]], ids=str)
def test_names_without_blocks_are_one_stage(names):
    assert stages(names) == ["module"]


def test_there_may_be_no_variables():
    assert group_variables([]) == ()

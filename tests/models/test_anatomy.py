"""Anatomy: every layer of the backbone is in one stage, in order, and the head is apart."""

import keras
import pytest

from tfxfer.contracts import TASKS, InputContract
from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, build, check_classes, input_contract, task_of


@pytest.fixture(scope="module")
def model():
    return build(classes=3, backbone="mobilenet_v2_035", image_size=32, weights=None)


def test_every_layer_is_in_exactly_one_part(model):
    anatomy = Anatomy.of(model)
    inside = [layer for layers in anatomy.parts.values() for layer in layers]
    outside = {"image", "preprocess_scale"}
    assert len(inside) == len({id(layer) for layer in inside})
    assert {layer.name for layer in model.layers} - {layer.name for layer in inside} <= outside | {
        layer.name for layer in model.layers if layer.name.startswith("preprocess_")
    }


def test_a_stage_holds_what_lies_between_its_neighbours(model):
    names = [layer.name for layer in Anatomy.of(model).stages["block_13"]]
    assert names == [
        "block_13_expand",
        "block_13_expand_BN",
        "block_13_expand_relu",
        "block_13_pad",
        "block_13_depthwise",
        "block_13_depthwise_BN",
        "block_13_depthwise_relu",
        "block_13_project",
        "block_13_project_BN",
    ]


def test_a_model_loaded_from_its_file_has_the_same_anatomy(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    names = [[layer.name for layer in part] for part in Anatomy.of(model).parts.values()]
    assert [[layer.name for layer in part] for part in Anatomy.of(loaded).parts.values()] == names


def test_the_input_contract_is_the_model_s(model):
    assert input_contract(model) == InputContract(32, 32)


def test_a_stranger_is_refused(says):
    stranger = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="stranger")
    message = (
        "the model 'stranger' has no layer named head_..., so what is backbone and what is head cannot be "
        "told; build it with tfxfer.build, and keep the names it gives."
    )
    with pytest.raises(SettingError, match=says(message)):
        Anatomy.of(stranger)


def test_a_hub_module_is_taken_apart_by_names_and_after_loading_too(hub_module, tmp_path):
    model = build(classes=3, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))
    model.save(tmp_path / "model.keras")
    for each in (model, keras.models.load_model(tmp_path / "model.keras")):
        anatomy = Anatomy.of(each)
        assert {name: [unit.name for unit in part] for name, part in anatomy.stages.items()} == {
            name: [f"{name}/conv", f"{name}/norm"] for name in ("stem", "block_1", "block_2")
        }
        assert [layer.name for layer in anatomy.head] == [
            "head_pool",
            "head_dropout",
            "head_logits",
            "head_scores",
        ]
        assert anatomy.name == each.name == "hub_small"


def test_a_hub_module_for_inference_has_no_stages(frozen_hub_module):
    model = build(classes=3, backbone=f"hub:{frozen_hub_module}", pixel_range=(0, 1))
    assert Anatomy.of(model).stages == {}


@pytest.mark.parametrize("task", TASKS)
def test_a_model_tells_its_task(task, tmp_path):
    model = build(classes=3, task=task, backbone="micro", image_size=32)
    assert task_of(model) == task
    model.save(tmp_path / "a.keras")
    assert task_of(keras.models.load_model(tmp_path / "a.keras")) == task


def test_another_s_model_tells_no_task():
    image = keras.Input((8, 8, 3))
    assert task_of(keras.Model(image, keras.layers.Softmax()(keras.layers.Flatten()(image)))) is None


@pytest.mark.parametrize(
    ("task", "classes", "asked", "message"),
    [
        (
            "single_label",
            3,
            "multi_label",
            "the model is for single_label, the pictures for multi_label; build the model with these photos.",
        ),
        (
            "regression",
            1,
            "regression",
            "the model gives 1 numbers, the pictures have 3; build the model with these photos.",
        ),
        (
            "multi_label",
            2,
            "multi_label",
            "the model tells 2 classes apart, the pictures have 3; build the model with these photos.",
        ),
    ],
)
def test_a_model_for_something_else_is_refused(task, classes, asked, message, says):
    model = build(classes=classes, task=task, backbone="micro", image_size=32)
    with pytest.raises(SettingError, match=says(message)):
        check_classes(model, ["a", "b", "c"], task=asked)

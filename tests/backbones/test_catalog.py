"""BACKBONES: every entry is held to what it says, by building it."""

import importlib

import keras
import pytest

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.errors import SettingError

QUICK = {
    "micro",
    "mobilenet_025",
    "mobilenet_v2",
    "mobilenet_v2_035",
    "mobilenet_v3_small",
    "mobilenet_v3_small_minimalistic",
    "efficientnet_b0",
    "resnet50",
    "vgg16",
    "convnext_tiny",
}

LICENCES = {"Apache-2.0", "BSD", "BSD-3-Clause", "CC-BY-4.0", "MIT"}


def marked(spec):
    return pytest.param(spec, id=spec.name, marks=[] if spec.name in QUICK else pytest.mark.slow)


def parents(operation):
    """Name the operations whose outputs an operation of a built model takes."""
    inputs = operation.input if isinstance(operation.input, list) else [operation.input]
    return {tensor._keras_history.operation.name for tensor in inputs}


def ancestors(model, name):
    """Name a layer and all that its output comes from."""
    found, open_names = set(), [name]
    operations = {operation.name: operation for operation in model.operations}
    while open_names:
        current = open_names.pop()
        if current not in found:
            found.add(current)
            open_names += parents(operations[current]) - found
    return found


@pytest.mark.parametrize("spec", [marked(spec) for spec in BACKBONES])
def test_an_entry_is_what_it_says(spec):
    model = build_backbone(spec, weights=None)
    assert model.name == spec.name
    assert model.input_shape == (None, *spec.input.shape)
    assert model.output_shape[-1] == spec.features
    assert model.count_params() == spec.parameters
    below = set()
    for stage in spec.stages:
        above = ancestors(model, stage.output)
        assert above > below, f"{stage.name} holds no layer of its own"
        assert below <= above or stage.output not in below
        below |= above
    assert below == {operation.name for operation in model.operations}
    assert model.operations[-1].name == spec.stages[-1].output


@pytest.mark.parametrize("spec", BACKBONES, ids=lambda spec: spec.name)
def test_an_entry_is_well_formed(spec):
    assert len(set(spec.stage_names)) == len(spec.stages)
    assert spec.input.height == spec.input.width >= spec.minimum
    assert spec.weights in ("imagenet", "embedded")
    assert spec.source
    assert spec.parameters > 0
    assert spec.macs > 0
    assert (spec.top1 is None) == (spec.top1_source == "") == (spec.weights == "embedded")
    assert spec.top1 is None or 50 < spec.top1 < 90
    assert spec.licence in LICENCES
    assert spec.licence_source
    module, _, function = spec.builder.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_builder_of_keras_applications_is_in_it():
    builders = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {spec.builder.partition(":")[2] for spec in BACKBONES if spec.weights == "imagenet"} == builders


def test_names_are_found_and_near_misses_named(says):
    assert BACKBONES["resnet50"].features == 2048
    assert len(BACKBONES) == 53
    message = "no backbone 'resnet5'; did you mean 'resnet50'? `tfxfer backbones` lists all 53."
    with pytest.raises(SettingError, match=says(message)):
        BACKBONES["resnet5"]

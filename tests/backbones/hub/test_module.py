"""open_module: every kind of SavedModel is understood, or refused with what to do."""

import numpy as np
import pytest
import tensorflow as tf

from tests import hub_modules
from tfxfer.backbones.hub.files import copy_module
from tfxfer.backbones.hub.module import ModuleFacts, open_module, output_shape
from tfxfer.errors import SettingError, WeightsError

PICTURES = tf.random.stateless_uniform((2, 32, 32, 3), (1, 2))


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return hub_modules.reusable(tmp_path_factory.mktemp("hub") / "module")


def test_a_reusable_module_is_understood(module):
    opened = open_module(module, label="it")
    facts = opened.facts
    assert (facts.signature, facts.output, facts.takes_training) == (None, None, True)
    assert facts.input_shape == (None, None, 3)
    assert facts.inference_only is None
    assert [variable.trainable for variable in facts.variables] == [True] * 9 + [False] * 6
    assert facts.variables[0].name == "stem/conv/kernel"
    assert len(opened.penalties) == 3
    assert output_shape(opened, 32, 32) == (None, 4, 4, 8)


def test_training_moves_statistics_and_inference_does_not(module):
    opened = open_module(module, label="it")
    mean = next(v for v in opened.variables if "moving_mean" in v.name)
    opened.call(PICTURES, False)
    np.testing.assert_array_equal(mean, 0)
    opened.call(PICTURES, True)
    assert np.abs(mean).max() > 0


def test_facts_survive_plain_values(module):
    facts = open_module(module, label="it").facts
    assert ModuleFacts.from_dict(facts.to_dict()) == facts


def test_standing_variables_are_used_and_filled(module):
    opened = open_module(module, label="it")
    kernel = next(v for v in opened.facts.variables if v.trainable)
    standing = tf.Variable(tf.zeros(kernel.shape))
    again = open_module(module, label="it", standing={kernel.place: standing})
    assert again.variables[0] is standing
    np.testing.assert_array_equal(standing, opened.variables[0])
    before = again.call(PICTURES, False)
    standing.assign(tf.zeros_like(standing))
    assert np.abs(again.call(PICTURES, False) - before).max() > 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            hub_modules.signature_only,
            "it is called through its signature 'serving_default', which knows no training",
        ),
        (
            hub_modules.tf1_format,
            "it is in TensorFlow 1's format, whose graph is for inference alone",
        ),
        (lambda folder: hub_modules.reusable(folder, listed=False), "it lists no trainable variables"),
    ],
    ids=["signature", "TensorFlow 1", "unlisted"],
)
def test_some_modules_are_for_inference_and_say_why(tmp_path, make, reason):
    opened = open_module(make(tmp_path / "module"), label="it")
    assert opened.facts.inference_only == reason
    assert opened.variables
    assert not any(variable.trainable for variable in opened.facts.variables)
    assert opened.call(PICTURES, False).shape[0] == 2


def test_a_module_without_training_is_called_without(tmp_path):
    opened = open_module(hub_modules.without_training(tmp_path / "module"), label="it")
    assert not opened.facts.takes_training
    assert opened.call(PICTURES, False).shape == (2, 16, 16, 5)


def test_what_keras_3_writes_is_understood(tmp_path):
    opened = open_module(hub_modules.from_keras_3(tmp_path / "module"), label="it")
    assert opened.facts.takes_training
    assert opened.facts.inference_only is None
    assert opened.facts.input_shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("make", "wanted", "message"),
    [
        (
            hub_modules.endless,
            {},
            "it has nothing to call: it is no reusable SavedModel and has no signature; take a module with "
            "__call__ or a signature.",
        ),
        (hub_modules.text, {}, "it takes text (strings), not pictures; take a module for images."),
        (
            hub_modules.signature_only,
            {"signature": "serving"},
            "it has no signature 'serving'; did you mean 'serving_default'? It has: serving_default.",
        ),
        (
            lambda folder: hub_modules.signature_only(folder, names=("one", "two")),
            {},
            "it has several signatures, none of them usual: one, two; make a tfxfer.backbones.HubLayer "
            "with signature=... to choose one.",
        ),
        (
            lambda folder: hub_modules.signature_only(folder, keys=2),
            {},
            "it has the outputs features, features_1, and none of them is usual; make a "
            "tfxfer.backbones.HubLayer with output=... to choose one.",
        ),
        (
            hub_modules.signature_only,
            {"output": "logits"},
            "it has the outputs features, and no 'logits'; make a tfxfer.backbones.HubLayer with "
            "output=... to choose one.",
        ),
    ],
    ids=["nothing to call", "text", "unknown signature", "signatures", "outputs", "unknown output"],
)
def test_what_cannot_be_used_says_what_to_do(tmp_path, make, wanted, message, says):
    with pytest.raises(SettingError, match=says(message)):
        open_module(make(tmp_path / "module"), label="it", **wanted)


def test_a_signature_and_an_output_can_be_chosen(tmp_path):
    folder = hub_modules.signature_only(tmp_path / "module", names=("one", "two"), keys=2)
    opened = open_module(folder, label="it", signature="two", output="features_1")
    assert opened.call(PICTURES, False).shape == (2, 5)


def test_another_size_than_its_own_is_refused(tmp_path, says):
    opened = open_module(hub_modules.reusable(tmp_path / "module", size=32), label="it")
    message = (
        "it takes no pictures of 64 x 48 pixels: it was traced for 32 x 32 x 3; pass that as image_size."
    )
    with pytest.raises(SettingError, match=says(message)):
        output_shape(opened, 64, 48)


def test_missing_variables_say_so(module, tmp_path, says):
    folder = copy_module(module, tmp_path / "module")
    next((folder / "variables").glob("*.data*")).unlink()
    message = (
        "it does not load, though its graph can be read: its variables or assets are missing or damaged; "
        "get the module again."
    )
    with pytest.raises(WeightsError, match=says(message)):
        open_module(folder, label="it")

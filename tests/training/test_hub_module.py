"""fit: a network learns the same through a hub module as through the catalogue."""

import numpy as np
import pytest
import tensorflow as tf

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.contracts import PhaseLog
from tfxfer.data import from_folder
from tfxfer.errors import SettingError
from tfxfer.models import build, set_trainable
from tfxfer.training import L2SP, Phase, fit, preparing

SIZE = 32


def write_micro(folder):
    """Write the embedded backbone, which scales inside, as a reusable SavedModel."""
    network = build_backbone(BACKBONES["micro"], input_shape=(SIZE, SIZE, 3))

    @tf.function
    def call(inputs, training=False):
        return network(inputs, training=training)

    for training in (False, True):
        call.get_concrete_function(tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32), training=training)
    module = tf.__internal__.tracking.AutoTrackable()
    module.__call__ = call
    module.variables = [variable.value for variable in network.variables]
    module.trainable_variables = [variable.value for variable in network.trainable_variables]
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.mark.slow
def test_it_learns_as_through_the_catalogue(shared_pictures, tmp_path):
    photos = from_folder(shared_pictures, seed=1)
    held = {"layer_decay": 0.5, "anchor": L2SP(alpha=0.5, beta=0.1)}
    plan = [Phase("head", epochs=2, rate=0.01), Phase("top", train="block_2:", epochs=2, rate=1e-3, **held)]
    models = [
        build(photos, backbone="micro", image_size=SIZE, dropout=0),
        build(photos, backbone=f"hub:{write_micro(tmp_path / 'micro')}", pixel_range=(0, 255), dropout=0),
    ]
    heads = [model.get_layer("head_logits") for model in models]
    heads[1].set_weights(heads[0].get_weights())
    logs = [fit(model, photos, plan=plan, seed=3, progress=False) for model in models]
    counts = [[phase.learning_parameters for phase in log.phases] for log in logs]
    assert counts[0] == counts[1]
    for figure in ("loss", "val_loss"):
        histories = [[phase.history[figure] for phase in log.phases] for log in logs]
        np.testing.assert_allclose(histories[0], histories[1], rtol=1e-4)
    np.testing.assert_allclose(*(log["top"].history["penalty"] for log in logs), rtol=1e-3)
    for name, pixels in (("zeros", np.zeros), ("ones", np.ones)):
        images = 255 * pixels((1, SIZE, SIZE, 3), "float32")
        scores = [model.predict(images, verbose=0) for model in models]
        np.testing.assert_allclose(*scores, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (Phase("top", train=slice(-2, None)), r"^slice\(-2, None, None\) counts layers, "),
        (Phase("top", train="block_3:"), r"^hub_small has no stage 'block_3'; did you mean 'block_2'\?"),
        (
            Phase("top", train=-1, batch_norm="train"),
            r"^batch_norm='train' moves every BatchNorm layer of a module of TensorFlow Hub, and -1 would ",
        ),
    ],
    ids=["slice", "no such stage", "some of BatchNorm"],
)
def test_what_a_module_leaves_not_is_refused_before_the_first_phase(
    shared_pictures, hub_module, monkeypatch, phase, message
):
    photos = from_folder(shared_pictures)
    model = build(photos, backbone=f"hub:{hub_module}", image_size=SIZE, pixel_range=(0, 1))
    ran = record_phases(monkeypatch)
    with pytest.raises(SettingError, match=message):
        fit(model, photos, plan=[Phase("head"), phase], progress=False)
    assert ran == []


def test_training_a_module_for_inference_is_refused_before_the_first_phase(
    shared_pictures, frozen_hub_module, monkeypatch
):
    photos = from_folder(shared_pictures)
    model = build(photos, backbone=f"hub:{frozen_hub_module}", pixel_range=(0, 1))
    ran = record_phases(monkeypatch)
    for phase in (Phase("top", train=-1), Phase("all", train="all", batch_norm="train")):
        with pytest.raises(SettingError, match=r"^hub:signature cannot be trained: "):
            fit(model, photos, plan=[Phase("head"), phase], progress=False)
    assert ran == []


def test_the_default_plan_suits_the_module(shared_pictures, hub_module, frozen_hub_module, monkeypatch):
    photos = from_folder(shared_pictures)
    ran = record_phases(monkeypatch)
    model = build(photos, backbone=f"hub:{hub_module}", image_size=SIZE, pixel_range=(0, 1))
    plans = {}
    fit(model, photos, progress=False)
    plans["head"] = [ran.pop(0).train for _ in ran[:]]
    for batch_norm in ("frozen", "train"):
        set_trainable(model, "all", batch_norm=batch_norm)
        fit(model, photos, progress=False)
        plans[batch_norm] = [ran.pop(0).train for _ in ran[:]]
    fit(build(photos, backbone=f"hub:{frozen_hub_module}", pixel_range=(0, 1)), photos, progress=False)
    plans["inference"] = [phase.train for phase in ran]
    assert plans == {
        "head": ["head", -1],
        "frozen": ["head", -1],
        "train": ["all"],
        "inference": ["head"],
    }


def record_phases(monkeypatch):
    """Let fit run its phases without training, and return the list that they are put on."""
    ran = []

    def run(_, phase, *__, **___):
        ran.append(phase)
        return PhaseLog(phase.name, 1, {"loss": (1.0,), "val_loss": (1.0,)}, 1, 0.0)

    monkeypatch.setattr(preparing.Ready, "run", run)
    return ran

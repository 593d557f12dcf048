"""Stochastic depth: rates by depth, what it does in training and in inference, and refusals."""

import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, build_backbone, with_drop_path
from tfxfer.errors import SettingError
from tfxfer.models import build


def dropping(model):
    return [layer for layer in model.layers if getattr(layer, "noise_shape", None) == (None, 1, 1, 1)]


def test_an_efficientnet_s_rates_are_by_depth():
    """B0 has 16 blocks; the b-th of those with a way past it drops b sixteenths of the rate."""
    backbone = with_drop_path(build_backbone(BACKBONES["efficientnet_b0"], weights=None), 0.4)
    names = [
        f"block{group}{'abcd'[place]}"
        for group, count in enumerate((1, 2, 2, 3, 3, 4, 1), start=1)
        for place in range(count)
    ]
    expected = {f"{name}_drop": 0.4 * depth / 16 for depth, name in enumerate(names)}
    found = {layer.name: layer.rate for layer in dropping(backbone)}
    assert len(found) == 9
    assert found == pytest.approx({name: expected[name] for name in found})


def test_a_convnext_gets_layers_that_drop_whole_blocks(tmp_path):
    plain = build_backbone(BACKBONES["convnext_tiny"], input_shape=(32, 32, 3), weights=None)
    weights = plain.get_weights()
    deep = with_drop_path(plain, 0.3)
    np.testing.assert_allclose([layer.rate for layer in dropping(deep)], np.linspace(0, 0.3, 18))
    stages = {each.output for each in BACKBONES["convnext_tiny"].stages}
    assert stages <= {operation.name for operation in deep.operations}
    assert all((new == old).all() for new, old in zip(deep.get_weights(), weights, strict=True))
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    inferred = plain(pictures).numpy()
    np.testing.assert_allclose(deep(pictures).numpy(), inferred, atol=1e-5)
    last = dropping(deep)[-1]
    keras.utils.set_random_seed(0)
    kept = np.array(last(np.ones((2000, 2, 2, 3), np.float32), training=True))
    assert (np.ptp(kept.reshape(2000, -1), axis=1) == 0).all()  # all of a picture, or nothing
    assert (kept[:, 0, 0, 0] > 0).mean() == pytest.approx(0.7, abs=0.03)
    deep.save(tmp_path / "deep.keras")
    loaded = keras.saving.load_model(tmp_path / "deep.keras")
    assert [layer.rate for layer in dropping(loaded)] == [layer.rate for layer in dropping(deep)]


@pytest.mark.parametrize("name", ["micro", "hub:somewhere"])
def test_a_backbone_without_it_is_named(name, says):
    message = (
        "drop_path is for backbones of the catalogue that have stochastic depth (efficientnet_..., "
        f"convnext_...), and {name} has none; leave it out."
    )
    with pytest.raises(SettingError, match=says(message)):
        build(classes=3, backbone=name, drop_path=0.2)


def test_a_rate_out_of_range_is_refused(says):
    with pytest.raises(SettingError, match=says("drop_path must be in [0, 1), got 1.")):
        build(classes=3, backbone="efficientnet_b0", drop_path=1.0)


def test_build_hands_it_on():
    model = build(classes=3, backbone="efficientnet_b0", image_size=32, weights=None, drop_path=0.0)
    assert {layer.rate for layer in dropping(model)} == {0.0}

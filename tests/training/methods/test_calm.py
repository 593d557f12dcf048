"""calmed: what is frozen in front drops nothing while it trains, and is as it was afterwards."""

import numpy as np
import pytest

from tfxfer.models import build, set_trainable
from tfxfer.training.methods.calm import calmed, still


@pytest.fixture(scope="module")
def network():
    return build(classes=3, backbone="efficientnet_b0", image_size=32, weights=None, drop_path=0.9)


def rates(model):
    return {layer.name: layer.rate for layer in model.layers if layer.name.endswith("_drop")}


@pytest.mark.parametrize(
    ("what", "calm"),
    [("head", 9), ("block6:", 6), ("all", 0), (":block1", 0)],
)
def test_it_is_calm_below_what_learns(network, what, calm):
    set_trainable(network, what)
    before = rates(network)
    with calmed(network):
        now = rates(network)
        assert [rate == 0 for rate in now.values()] == [True] * calm + [False] * (9 - calm)
        assert all(now[name] == before[name] for name in list(now)[calm:])
    assert rates(network) == before
    assert min(before.values()) > 0


def test_what_is_frozen_says_the_same_in_training(network):
    """The head's dropout goes on: the features before it are compared."""
    set_trainable(network, "head")
    body = network.layers[: next(i for i, each in enumerate(network.layers) if each.name == "head_pool")]
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    features = type(network)(network.input, body[-1].output)
    inferred = features(pictures, training=False).numpy()
    with calmed(network):
        calm = features(pictures, training=True).numpy()
    size = np.abs(inferred).max()
    np.testing.assert_allclose(calm / size, inferred / size, atol=1e-4)
    assert np.abs(features(pictures, training=True).numpy() - inferred).max() > 0.1 * size


def test_nothing_drops_within_whatever_learns(network):
    set_trainable(network, "all")
    before = rates(network)
    with still(network):
        assert {*rates(network).values(), network.get_layer("head_dropout").rate} == {0}
    assert rates(network) == before
    assert network.get_layer("head_dropout").rate == 0.2

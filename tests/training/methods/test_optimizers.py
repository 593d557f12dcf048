"""Optimizers of phases: each part learns as fast as it should, and only kernels decay."""

import keras
import numpy as np
import pytest

from tfxfer.models import Anatomy, build, set_trainable
from tfxfer.training import L2SP, Phase, make_optimizer, rate_factors

KINDS = [
    "adamw",
    "sgd",
    keras.optimizers.Adam(clipnorm=0.5),
    keras.optimizers.RMSprop(weight_decay=0.1),
    keras.optimizers.Lion(),
]


@pytest.fixture(scope="module")
def model():
    model = build(classes=3, backbone="micro", image_size=32)
    set_trainable(model, "all", batch_norm="train")
    return model


def step(model, **settings):
    """Return by how much one step moves each variable, gradients being drawn; the model stays as it was."""
    before = model.get_weights()
    optimizer = make_optimizer(model, Phase("p", **settings), rate=0.01)
    draw = np.random.default_rng(0).normal
    variables = model.trainable_variables
    start = [np.array(variable) for variable in variables]
    gradients = [keras.ops.convert_to_tensor(draw(size=v.shape), "float32") for v in variables]
    optimizer.apply(gradients, variables)
    moved = [np.array(variable) - old for variable, old in zip(variables, start, strict=True)]
    model.set_weights(before)
    return moved


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind if isinstance(kind, str) else kind.name)
def test_each_stage_moves_by_its_share_and_decays_by_it(model, kind):
    settings = {"optimizer": kind, "weight_decay": 0.3}
    whole, shared = step(model, **settings), step(model, layer_decay=0.5, **settings)
    factors = rate_factors(model, 0.5)
    for variable, all_of_it, part in zip(model.trainable_variables, whole, shared, strict=True):
        assert np.abs(all_of_it).max() > 0
        np.testing.assert_allclose(part, factors[id(variable)] * all_of_it, atol=1e-6)


def test_the_head_learns_at_the_full_rate_and_each_stage_below_slower(model):
    factors = rate_factors(model, 0.5)
    names = [*reversed(Anatomy.of(model).stage_names)]
    for name, pieces in Anatomy.of(model).parts.items():
        expected = 1.0 if name == "head" else 0.5 ** (1 + names.index(name))
        assert {factors[id(v)] for piece in pieces for v in piece.trainable_variables} in ({expected}, set())
    assert factors.keys() == {id(variable) for variable in model.trainable_variables}


def test_shares_are_of_whatever_rate_a_step_has(model):
    optimizer = make_optimizer(model, Phase("p", optimizer="sgd", layer_decay=0.5), rate=1.0)
    optimizer.build(model.trainable_variables)
    factors, before = rate_factors(model, 0.5), model.get_weights()
    for variable in model.trainable_variables:
        old = np.array(variable)
        optimizer.update_step(keras.ops.ones(variable.shape), variable, 0.25)
        np.testing.assert_allclose(np.array(variable), old - 0.25 * factors[id(variable)], atol=1e-6)
    model.set_weights(before)


def test_only_kernels_decay(model):
    optimizer = make_optimizer(model, Phase("p", weight_decay=0.1), rate=1.0)
    optimizer.build(model.trainable_variables)
    decayed = {v.path for v in model.trainable_variables if optimizer._use_weight_decay(v)}
    assert decayed == {v.path for v in model.trainable_variables if v.path.endswith("kernel")}


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_an_anchor_takes_the_place_of_decay(model, kind):
    assert not make_optimizer(model, Phase("p", optimizer=kind, anchor=L2SP()), rate=1.0).weight_decay
    assert make_optimizer(model, Phase("p", optimizer=kind), rate=1.0).weight_decay == 1e-4


def test_an_optimizer_of_one_s_own_keeps_its_settings_but_the_rate(model):
    given = keras.optimizers.Adam(0.7, beta_1=0.8, global_clipnorm=2.0)
    made = make_optimizer(model, Phase("p", optimizer=given), rate=0.2)
    assert made is not given
    assert (made.beta_1, made.global_clipnorm) == (0.8, 2.0)
    assert float(made.learning_rate) == pytest.approx(0.2)
    assert float(given.learning_rate) == pytest.approx(0.7)

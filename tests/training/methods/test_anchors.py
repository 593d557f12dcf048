"""Penalties: their gradients by hand, what they do to a fit, and that validation knows nothing of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.unguarded import fit
from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, build, set_trainable
from tfxfer.training import L2SP, Phase, PlainLosses, penalized, start_of

TOP = {"train": -1, "epochs": 6, "rate": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "patience": None}


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


def gradients(model, phase, start):
    with penalized(model, phase, start), tf.GradientTape() as tape:
        penalty = tf.add_n(model.losses)
    found = tape.gradient(penalty, [variable.value for variable in model.trainable_variables])
    return penalty, dict(zip((v.path for v in model.trainable_variables), found, strict=True))


def test_l2_sp_pulls_to_the_start_and_the_head_to_0():
    model = small_model()
    start = start_of(model)
    set_trainable(model, -1)
    head = {v.path for layer in Anatomy.of(model).head for v in layer.trainable_variables}
    for variable in model.trainable_variables:
        variable.assign_add(np.random.default_rng(1).normal(size=variable.shape))
    penalty, found = gradients(model, Phase("p", train=-1, anchor=L2SP(alpha=0.3, beta=0.02)), start)
    expected = 0.0
    for variable in model.trainable_variables:
        now = np.array(variable)
        strength, away = (0.02, now) if variable.path in head else (0.3, now - start[id(variable)])
        np.testing.assert_allclose(found[variable.path], strength * away, rtol=1e-4, atol=1e-6)
        expected += strength / 2 * (away.astype(np.float64) ** 2).sum()
    assert float(penalty) == pytest.approx(expected, rel=1e-4)


def test_l1_and_l2_are_those_of_keras_and_of_kernels_alone():
    model = small_model()
    set_trainable(model, -1)
    _, found = gradients(model, Phase("p", train=-1, l1=0.01, l2=0.1), {})
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            now = np.array(variable)
            np.testing.assert_allclose(found[variable.path], 0.01 * np.sign(now) + 0.2 * now, atol=1e-6)
        else:
            assert found[variable.path] is None


@pytest.mark.parametrize("features", ["cache", pytest.param("off", marks=pytest.mark.slow)])
def test_a_fit_stays_nearer_to_its_start_and_validates_without_penalty(photos, features):
    away = {}
    for anchor in (None, L2SP(alpha=3.0, beta=0.0)):
        model = small_model()
        start = start_of(model)
        log = fit(
            model,
            photos,
            plan=[Phase("top", anchor=anchor, **TOP)],
            features=features,
            batch_size=16,
            progress=False,
        )
        weights = [(v, start[id(v)]) for v in model.weights if id(v) in start]
        away[anchor is None] = sum(((np.array(now) - then) ** 2).sum() for now, then in weights)
        assert ("penalty" in log["top"].history) == (anchor is not None)
        loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
        assert loss == pytest.approx(log.validation_loss, abs=3e-3)
        assert all(variable.regularizer is None for variable in model.weights)
    assert 0 < away[False] < 0.6 * away[True]


def test_a_regularizer_of_somebody_else_s_is_there_again_afterwards():
    model = small_model()
    set_trainable(model, "head")
    kernel = model.get_layer("head_logits").kernel
    kernel.regularizer = own = keras.regularizers.L2(0.5)
    with penalized(model, Phase("p", l2=0.1), {}):
        assert kernel.regularizer is not own
    assert kernel.regularizer is own


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_strength_below_0_is_refused(name, says):
    with pytest.raises(SettingError, match=says(f"{name} of L2SP must be at least 0, got -1.")):
        L2SP(**{name: -1.0})


def test_what_layers_add_by_themselves_stays_in_the_loss():
    image = keras.Input((4,))
    x = keras.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l2")(image)
    model = keras.Model(image, x)
    model.compile("sgd", "mse")
    data = np.ones((8, 4), np.float32), np.zeros((8, 2), np.float32)
    history = model.fit(*data, validation_data=data, callbacks=[PlainLosses()], verbose=0).history
    kernel, outputs = np.array(model.layers[1].kernel), model.predict(data[0], verbose=0)
    assert history["penalty"] == [pytest.approx(0.01 * (kernel**2).sum(), rel=1e-4)]
    plain = (outputs**2).mean() + 0.01 * (outputs[0] ** 2).sum()
    assert history["val_loss"] == [pytest.approx(plain, rel=1e-3)]

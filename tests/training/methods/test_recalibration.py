"""Recalibration: statistics are those of the pictures, by NumPy layer by layer, and nothing else moves."""

import keras
import numpy as np
import pytest

from tests.training.resuming.test_noting import Interrupt, same
from tests.training.unguarded import fit
from tfxfer.data import from_arrays
from tfxfer.errors import SettingError
from tfxfer.features import domain_gap
from tfxfer.models import build, set_trainable
from tfxfer.training import Phase, find_rate
from tfxfer.training.methods.recalibration import recalibrate, statistics_of

HEAD = Phase("head", epochs=2, rate=5e-3, batch_norm="recalibrate")
TOP = Phase("top", train=-1, epochs=2, rate=1e-3, batch_norm="recalibrate")


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


def normalizations(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def test_statistics_are_numpy_s_layer_by_layer(photos):
    """Fewer pictures than a batch: each layer's input, all before it recalibrated, has these moments."""
    model = small_model()
    recalibrate(model, photos)
    pixels = np.concatenate([each for each, _ in photos.batches("train", image_size=32, shuffle=False)])
    for layer in normalizations(model):
        (inputs,) = [keras.Model(model.inputs[0], layer.input)(pixels, training=False)]
        values = np.asarray(inputs, np.float64).reshape(-1, inputs.shape[-1])
        np.testing.assert_allclose(layer.moving_mean, values.mean(axis=0), atol=2e-3, err_msg=layer.name)
        np.testing.assert_allclose(layer.moving_variance, values.var(axis=0), rtol=5e-3, atol=1e-5)


def test_batches_are_put_together_exactly():
    """What the first layer gets depends on no other's statistics: three batches, the last one smaller."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), np.uint8)
    pixels[::2] //= 4
    data, model = from_arrays(pixels, [0, 1] * 100), build(classes=2, backbone="micro", image_size=32)
    recalibrate(model, data)
    first = normalizations(model)[0]
    inputs = keras.Model(model.inputs[0], first.input)(pixels[list(data.split.train)], training=False)
    values = np.asarray(inputs, np.float64).reshape(-1, inputs.shape[-1])
    np.testing.assert_allclose(first.moving_mean, values.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.moving_variance, values.var(axis=0), rtol=1e-4, atol=1e-6)


def test_a_batch_is_of_all_classes():
    """Records come class by class: batches of one class each would leave statistics that are no picture's."""
    pixels = np.random.default_rng(0).integers(0, 256, (400, 32, 32, 3), np.uint8)
    pixels[:200] //= 8
    data = from_arrays(pixels, [0] * 200 + [1] * 200)
    model = build(classes=2, backbone="micro", image_size=32)
    assert domain_gap(model, data).value > 0.2
    recalibrate(model, data)
    assert domain_gap(model, data).value < 0.05


def test_nothing_else_moves(photos):
    model = small_model()
    set_trainable(model, -1)
    learning = [variable.path for variable in model.trainable_variables]
    before = {variable.path: np.array(variable) for variable in model.variables}
    recalibrate(model, photos)
    moved = {path for path, value in before.items() if (value != _now(model, path)).any()}
    assert moved == {variable.path for variable in statistics_of(model)}
    assert [variable.path for variable in model.trainable_variables] == learning
    assert {layer.momentum for layer in normalizations(model)} == {0.99}
    assert not any(layer.trainable for layer in normalizations(model))


def _now(model, path):
    return np.array(next(variable for variable in model.variables if variable.path == path))


@pytest.fixture(scope="module", params=["cache", "off"])
def fitted(photos, request):
    model = small_model()
    settings = {"features": request.param, "batch_size": 16, "progress": False, "plan": (HEAD, TOP)}
    return settings, model, fit(model, photos, **settings)


def test_a_phase_begins_with_it_and_holds_it(fitted, photos):
    """The head learns what the recalibrated network makes of pictures, kept or not."""
    _, model, log = fitted
    alone = small_model()
    recalibrate(alone, photos)
    if log.kept == "head":  # the second phase estimates them after the same frozen part: the same again
        for mine, theirs in zip(statistics_of(model), statistics_of(alone), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
    loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=2e-3)


def test_it_goes_on_to_the_same_weights(fitted, photos, tmp_path):
    settings, *undisturbed = fitted
    settings = settings | {"checkpoints": tmp_path, "resume": True}
    for after in (1, 2):  # within the head, within the top
        with pytest.raises(KeyboardInterrupt):
            fit(small_model(), photos, **settings, callbacks=[Interrupt(after)])
    model = small_model()
    assert same(undisturbed, (model, fit(model, photos, **settings)))


def test_a_search_for_a_rate_puts_them_back(photos):
    model = small_model()
    before = [np.array(variable) for variable in model.weights]
    find_rate(model, photos, phase=HEAD, batch_size=16, progress=False)
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)


def test_what_has_no_statistics_is_refused(photos, hub_module, says):
    plain = build(photos, backbone="convnext_tiny", weights=None, image_size=32)
    set_trainable(plain, "head")
    message = "phase 'head' recalibrates BatchNorm, and convnext_tiny has none; give batch_norm='frozen'."
    with pytest.raises(SettingError, match=says(message)):
        fit(plain, photos, plan=[HEAD])
    module = build(photos, backbone=f"hub:{hub_module}", image_size=32, pixel_range=(0, 1))
    message = (
        "phase 'head' recalibrates BatchNorm, of which a module of TensorFlow Hub keeps the statistics to "
        "itself; give batch_norm='frozen', or 'train' with 'all'."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(module, photos, plan=[HEAD])

"""What prepares a fit refuses first what cannot be; a phase runs as it says, and the contract is held."""

import albumentations as A
import keras
import numpy as np
import pytest

from tests.conftest import write_pictures
from tests.training.unguarded import fit
from tfxfer.data import clean, from_folder
from tfxfer.errors import DataError, FreezeError, SettingError
from tfxfer.models import build, precision_of
from tfxfer.training import Phase, preparing

QUICK = (
    Phase("head", epochs=4, rate=5e-3),
    Phase("top", train=-1, epochs=2, rate=1e-3, warmup=0.5),
)


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


def test_every_phase_is_checked_before_the_first_is_run(photos):
    model = small_model()
    before = model.get_layer("head_logits").get_weights()[0]
    with pytest.raises(SettingError, match=r"^micro has no stage 'blok_3'; did you mean 'block_3'\?"):
        fit(model, photos, plan=[QUICK[0], Phase("top", train="blok_3:")], progress=False)
    np.testing.assert_array_equal(model.get_layer("head_logits").get_weights()[0], before)


def test_no_pictures_a_step_are_refused(photos, says):
    with pytest.raises(SettingError, match=says("batch_size must be at least 1, got 0.")):
        fit(small_model(), photos, batch_size=0, features="cache")


def test_an_augmentation_is_tried_before_anything_is_trained(photos, says):
    model = small_model()
    before = model.get_weights()
    message = (
        "augmentation Compose(Normalize) made float32 of shape (32, 32, 3) of uint8 of shape (32, 32, 3); "
        "leave out what resizes or normalizes: both are done elsewhere."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(model, photos, augment=A.Compose([A.Normalize()]))
    with pytest.raises(SettingError, match=r"^no augmentation policy 'lite'; did"):
        fit(model, photos, augment="lite")
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_unknown_mix_is_refused_before_anything_is_trained(photos):
    with pytest.raises(
        SettingError, match=r"^mix must be 'mixup', 'cutmix', a MixUp, a CutMix or None, got 'm"
    ):
        fit(small_model(), photos, mix="mixups")


def test_early_stopping_ends_a_phase_that_does_not_improve(photos):
    log = fit(
        small_model(),
        photos,
        plan=[Phase("head", epochs=30, rate=10.0, schedule="constant", patience=1)],
        progress=False,
    )
    assert len(log["head"].history["loss"]) < 30


def test_xla_is_left_to_keras_where_there_are_many_steps(photos, monkeypatch):
    seen, compiled = [], keras.Model.compile

    def watched(model, *settings, jit_compile="auto", **more):
        seen.append(jit_compile)
        compiled(model, *settings, jit_compile=jit_compile, **more)

    monkeypatch.setattr(keras.Model, "compile", watched)
    steps = -(-len(photos.split.train) // 32)
    monkeypatch.setattr(preparing, "_XLA_STEPS", 2 * steps)
    plan = [Phase("short", epochs=1), Phase("long", epochs=2)]
    fit(small_model(), photos, plan=plan, progress=False)
    assert seen == [False, "auto", "auto"]  # and the whole, for whoever goes on with it


def test_no_patience_runs_all_epochs(photos):
    phase = Phase("head", epochs=4, rate=10.0, schedule="constant", patience=None)
    log = fit(small_model(), photos, plan=[phase], progress=False)
    assert len(log["head"].history["loss"]) == 4


def test_the_contract_is_verified_after_each_phase(photos, monkeypatch):
    """Were BatchNorm not held layer by layer, fit would say so."""

    class Moving(preparing.ProgressBar):
        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 Keras's own signature
            norm = next(
                layer for layer in self.model.layers if isinstance(layer, keras.layers.BatchNormalization)
            )
            norm.moving_mean.assign(norm.moving_mean + 1e-3)

    monkeypatch.setattr(preparing, "ProgressBar", Moving)
    with pytest.raises(FreezeError, match=r"^1 of \d+ frozen variables moved, \w+/moving_mean first; "):
        fit(small_model(), photos, plan=[Phase("head", epochs=1)])


def test_another_number_of_classes_is_refused(photos, says):
    model = build(classes=5, backbone="micro", image_size=32)
    message = "the model tells 5 classes apart, the pictures have 3; build the model with these photos."
    with pytest.raises(SettingError, match=says(message)):
        fit(model, photos)


def test_a_bad_picture_is_named_before_anything_is_trained(tmp_path):
    photos = from_folder(write_pictures(tmp_path / "pictures"))
    photos.paths("test")[0].write_text("no picture")
    model = small_model()
    before = model.get_weights()
    with pytest.raises(
        DataError, match=f"^1 file cannot be read .*\n  {photos.paths('test')[0]} is not a JPEG"
    ):
        fit(model, photos)
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_what_was_cleaned_is_not_read_again(photos, monkeypatch):
    looked_at = clean(photos)
    monkeypatch.setattr(type(photos), "check", None)
    log = fit(small_model(), looked_at, plan=[Phase("head", epochs=1)], progress=False)
    assert log.kept == "head"


class Noting(keras.callbacks.Callback):
    """Note down the head's kernel after each step."""

    def on_train_begin(self, logs=None):
        del logs
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        del batch, logs
        self.seen.append(np.array(self.model.get_layer("head_logits").kernel))


@pytest.mark.parametrize("features", ["cache", pytest.param("off", marks=pytest.mark.slow)])
def test_the_average_of_the_steps_is_validated_and_kept(photos, features):
    model, noting = small_model(), Noting()
    phase = Phase("head", epochs=1, ema=0.7)
    settings = {"features": features, "batch_size": 8, "progress": False, "callbacks": [noting]}
    log = fit(model, photos, plan=[phase], **settings)
    average, *later = noting.seen  # Keras begins with what the first step gives
    assert len(later) == 5
    for kernel in later:
        average = 0.7 * average + 0.3 * kernel
    np.testing.assert_allclose(np.array(model.get_layer("head_logits").kernel), average, atol=1e-6)
    loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=3e-3)


@pytest.mark.parametrize("features", ["cache", pytest.param("off", marks=pytest.mark.slow)])
def test_training_in_mixed_precision_leaves_a_model_in_float32(photos, features):
    model, scaled = small_model(), []
    noting = keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: scaled.append(type(noting.model.optimizer).__name__)
    )
    settings = {"precision": "mixed_float16", "features": features, "batch_size": 16, "progress": False}
    log = fit(model, photos, plan=[Phase("head", epochs=20, rate=5e-3)], callbacks=[noting], **settings)
    assert (log.precision, precision_of(model)) == ("mixed_float16", "float32")
    assert scaled == ["LossScaleOptimizer"]
    assert log.validation_accuracy >= 0.6
    loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=2e-2)

"""Solving: the head is the optimum of the regression, told as one epoch; what is no regression is trained."""

import io
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.training.unguarded import fit
from tfxfer.augment import FroFA, device_augmentation
from tfxfer.errors import SettingError
from tfxfer.features import (
    PROBE_STRENGTH,
    budget,
    kept_features,
    linear_probe,
    pooled_features,
    pooled_prefix,
)
from tfxfer.models import Anatomy, build
from tfxfer.training import Phase, find_rate, phases_for

SOLVED = Phase("head", optimizer="lbfgs")
TOP = Phase("top", train=-1, epochs=3, rate=1e-3)


def small_model(photos, **settings):
    return build(photos, backbone="micro", image_size=32, **settings)


@pytest.fixture(scope="module", params=["photos", "tags", "numbers"])
def solved(request):
    """A model of each task whose head was solved; of classes, one has fewer pictures, which count more."""
    data = request.getfixturevalue(request.param)
    if data.task == "single_label":
        rare = [
            index for index, label in zip(data.split.train, data.labels("train"), strict=True) if not label
        ]
        train = tuple(index for index in data.split.train if index not in rare[::2])
        data = replace(data, split=replace(data.split, train=train))
    model = small_model(data)
    log = fit(model, data, plan=(SOLVED,), balance="class_weights" if data.task == "single_label" else None)
    return data, model, log


def test_no_step_from_the_head_makes_it_better(solved):
    """Where the optimum is, the penalized loss has no slope; worked out here, of the features themselves."""
    data, model, _ = solved
    features = pooled_features(small_model(data), data, data.split.train, progress=False).astype(np.float64)
    variances = features.var(axis=0)
    scales = np.sqrt((variances + variances.mean()) / 2)
    centred = (features - features.mean(axis=0)) / scales
    logits = model.get_layer("head_logits")
    kernel, bias = np.float64(logits.kernel), np.float64(logits.bias)
    said, truth = features @ kernel + bias, data.targets("train")
    if data.task == "single_label":
        powers = np.exp(said - said.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        counts = np.bincount(truth)
        weights = (len(truth) / len(counts) / counts)[truth][:, None]
        errors = weights * (shares - np.eye(len(data.classes))[truth])
    elif data.task == "multi_label":
        errors = 1 / (1 + np.exp(-said)) - truth
    else:
        deviations = truth.std(axis=0)
        errors = said - (truth - truth.mean(axis=0)) / deviations
    slope = centred.T @ errors + PROBE_STRENGTH * kernel * scales[:, None]
    if data.task == "multi_label":  # a label that all pictures have has nothing to be told by
        slope = slope[:, truth.std(axis=0) > 0]
    assert np.abs(slope).max() < 0.02 * np.abs(centred.T @ errors).max()
    assert np.abs(errors.sum(axis=0)).max() < 0.02 * len(truth)


def test_under_frofa_it_is_the_optimum_on_changed_maps_and_judged_on_those_of_pictures(photos):
    model = small_model(photos)
    prefix, train = pooled_prefix(small_model(photos)), photos.split.train
    log = fit(model, photos, plan=(SOLVED,), augment="frofa", views=4, balance="none", progress=False)
    views = kept_features(prefix, photos, train, augment=FroFA(), views=4, progress=False)
    labels = photos.labels("train")
    weights = np.full(len(views), 1 / 4)
    shared = {"strength": PROBE_STRENGTH, "outputs": len(photos.classes)}
    probe = linear_probe(views, np.repeat(labels, 4), weights=weights, **shared)
    np.testing.assert_allclose(model.get_layer("head_logits").kernel, probe.kernel, rtol=1e-4, atol=1e-5)
    plain = linear_probe(views[::4], labels, weights=np.ones(len(labels)), **shared)
    assert np.abs(plain.kernel - probe.kernel).max() > 1e-2
    said = np.log(probe.scores(views[::4])[np.arange(len(labels)), labels])
    assert log["head"].history["loss"] == (pytest.approx(-said.mean(), rel=1e-4),)


def test_its_figures_are_what_keras_says(solved):
    data, model, log = solved
    (phase,) = log.phases
    for part, prefix in (("train", ""), ("validation", "val_")):
        batches = data.batches(part, image_size=32, shuffle=False)
        if part == "train" and data.task == "single_label":
            counts = np.bincount(data.targets("train"))
            weights = np.float32(counts.sum() / len(counts) / counts)
            batches = batches.map(lambda images, labels, by=weights: (images, labels, tf.gather(by, labels)))
        found = model.evaluate(batches, verbose=0, return_dict=True)
        for name, value in found.items():
            scale = max(1.0, float(data.targets("train").std())) if data.task == "regression" else 0.02
            if data.task == "regression" and name == "loss":
                continue  # Keras's own is of the numbers, and not of their deviations
            assert phase.history[f"{prefix}{name}"] == (pytest.approx(value, abs=2e-3 * scale),)
    assert (phase.best_epoch, phase.rate, log.kept) == (1, None, "head")


def test_it_is_the_default_of_plans_with_names(photos):
    log = fit(small_model(photos), photos, features="cache")
    assert [(phase.name, phase.rate) for phase in log.phases] == [("head", None), ("top", 1e-4)]
    assert log.chosen["head"].startswith("solved by L-BFGS")
    assert "head_epochs" not in log.chosen
    for plan in ("head", "gradual", "full"):
        phases, _ = phases_for(plan, images=60, stages=4, solved=True)
        assert phases[0] == Phase("head", epochs=1, optimizer="lbfgs")


@pytest.mark.parametrize(
    "settings", [{"head_epochs": 4}, {"find_rate": True}, {"soup": 2}, {"scratch": True}], ids=str
)
def test_who_says_how_the_head_is_trained_has_it_trained(settings):
    phases, chosen = phases_for("two-phase", images=60, stages=4, solved=True, **settings)
    assert phases[0].optimizer == "adamw"
    assert "head" not in chosen


NO_REGRESSION = {
    "mix": ({"mix": "mixup"}, "mix"),
    "smoothing": ({"label_smoothing": 0.1}, "label_smoothing"),
    "focal": ({"balance": "focal"}, "balance='focal'"),
}


@pytest.mark.parametrize(("settings", "told"), NO_REGRESSION.values(), ids=NO_REGRESSION)
def test_what_is_no_regression_is_trained_and_refused_where_asked_for(settings, told, photos, says):
    log = fit(small_model(photos), photos, plan="head", batch_size=60, progress=False, **settings)
    assert len(log["head"].history["loss"]) > 1
    message = (
        f"phase 'head' solves the head as a regression, which {told} excludes; leave it out, or give another "
        "optimizer than 'lbfgs'."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(small_model(photos), photos, plan=(SOLVED,), **settings)


def test_augmentation_on_the_device_is_refused(photos, says):
    message = (
        "phase 'head' solves the head as a regression, which augmentation on the device excludes; leave it "
        "out, or give another optimizer than 'lbfgs'."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(small_model(photos), photos, plan=(SOLVED,), augment=device_augmentation("light"))


def test_another_head_is_refused(photos, says):
    model = small_model(photos)
    first, *_ = Anatomy.of(model).head
    x = keras.layers.Dense(8, activation="relu", name="head_hidden")(first.output)
    scores = keras.layers.Dense(len(photos.classes), activation="softmax", name="head_scores")(x)
    other = keras.Model(model.input, scores, name=model.name)
    message = (
        f"phase 'head' solves the head, and that of {model.name} is not one dense layer on pooled features; "
        "give another optimizer than 'lbfgs'."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(other, photos, plan=(SOLVED,))


class Told(keras.callbacks.Callback):
    """Note down each epoch's number and figures."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, logs["val_loss"]))


def test_callbacks_are_told_of_one_epoch_and_the_next_phase_counts_on(photos, tmp_path):
    told = Told()
    log = fit(small_model(photos), photos, plan=(SOLVED, TOP), callbacks=[told], csv=tmp_path / "log.csv")
    losses = [loss for phase in log.phases for loss in phase.history["val_loss"]]
    assert told.epochs == list(enumerate(losses))
    assert (tmp_path / "log.csv").read_text().splitlines()[1].startswith("1,head,")


def test_callbacks_of_keras_find_what_they_ask_for(photos, tmp_path):
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.LearningRateScheduler(lambda _, rate: rate),
        keras.callbacks.EarlyStopping("val_accuracy"),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_accuracy", save_best_only=True),
        keras.callbacks.TensorBoard(tmp_path / "board"),
    ]
    model = small_model(photos)
    fit(model, photos, plan=(SOLVED,), callbacks=callbacks)
    saved = keras.models.load_model(tmp_path / "best.keras")
    np.testing.assert_array_equal(
        saved.get_layer("head_logits").kernel, model.get_layer("head_logits").kernel
    )


class Interrupt(keras.callbacks.Callback):
    """End it, as far as fit can tell, when an epoch begins."""

    def __init__(self, last=2):
        super().__init__()
        self.last = last

    def on_epoch_begin(self, epoch, logs=None):
        del logs
        if epoch == self.last:
            raise KeyboardInterrupt


def test_a_fit_that_is_gone_on_with_comes_to_the_same(photos, tmp_path):
    settings = {"plan": (SOLVED, TOP), "features": "cache", "progress": False}
    model, again = small_model(photos), small_model(photos)
    log = fit(model, photos, **settings)
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(photos), photos, checkpoints=tmp_path, callbacks=[Interrupt()], **settings)
    its = fit(again, photos, checkpoints=tmp_path, resume=True, **settings)
    for variable, value in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert [phase.history for phase in its.phases] == [phase.history for phase in log.phases]


def test_to_solve_it_again_changes_nothing(photos):
    model = small_model(photos)
    fit(model, photos, plan=(SOLVED,), progress=False)
    before = model.get_weights()
    fit(model, photos, plan=(SOLVED,), progress=False)
    for value, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


def test_behind_what_has_learnt_it_is_solved_on_what_is_there_now(photos):
    model, settings = small_model(photos), {"plan": (TOP, SOLVED), "features": "cache", "progress": False}
    log = fit(model, photos, **settings)
    guarded = fit(small_model(photos), photos, guard=True, **settings)  # which has the start probed before
    assert guarded["head"].history == log["head"].history
    twin = small_model(photos)
    twin.set_weights(model.get_weights())
    fit(twin, photos, plan=(SOLVED,), progress=False)
    np.testing.assert_allclose(
        model.get_layer("head_logits").kernel, twin.get_layer("head_logits").kernel, atol=1e-4
    )


def test_a_recalibrated_backbone_is_noted_too(photos, tmp_path):
    again = Phase("again", optimizer="lbfgs", batch_norm="recalibrate")
    settings = {"plan": (Phase("head", epochs=1), again, TOP), "progress": False}
    model, its = small_model(photos), small_model(photos)
    fit(model, photos, **settings)
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(photos), photos, checkpoints=tmp_path, callbacks=[Interrupt(3)], **settings)
    fit(its, photos, checkpoints=tmp_path, resume=True, **settings)
    for variable, value in zip(model.weights, its.weights, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)


def test_without_room_for_features_it_is_solved_on_those_of_the_moment(photos, monkeypatch):
    kept, model = small_model(photos), small_model(photos)
    fit(kept, photos, plan=(SOLVED,), progress=False)
    monkeypatch.setattr(budget, "_free", lambda *_: 0)
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    told = io.StringIO()
    fit(model, photos, plan=(SOLVED,), features="off", console=Console(file=told, width=200))
    assert "features: not kept for the head, of one view each, since there is no room" in told.getvalue()
    kernels = [np.asarray(each.get_layer("head_logits").kernel) for each in (kept, model)]
    np.testing.assert_allclose(*kernels, atol=2e-3)


def test_a_class_that_no_training_picture_shows_does_not_weigh_on_what_follows(photos):
    shown = [index for index in photos.split.train if photos.records[index].label != 2]
    without = replace(photos, split=replace(photos.split, train=tuple(shown)))
    log = fit(small_model(photos), without, plan=(SOLVED, TOP), features="cache", progress=False)
    assert max(loss for phase in log.phases for loss in phase.history["val_loss"]) < 10


def test_of_one_class_alone_it_always_says_that(photos):
    shown = [index for index in photos.split.train if photos.records[index].label == 1]
    alone = replace(photos, split=replace(photos.split, train=tuple(shown)))
    model = small_model(photos)
    fit(model, alone, plan=(SOLVED,), progress=False)
    scores = model.predict(photos.batches("test", image_size=32), verbose=0)
    assert set(scores.argmax(axis=1)) == {1}


def test_it_takes_no_rate(photos, says):
    message = "phase 'head' is solved by 'lbfgs', which takes no rate; give another optimizer."
    with pytest.raises(SettingError, match=says(message)):
        find_rate(small_model(photos), photos, phase=SOLVED)

"""Co-Tuning: the relationship by an independent computation, the gradient by hand, and one fit."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

from tests.pretrained import NAME, write_pretrained
from tests.training.resuming.test_noting import Interrupt
from tests.training.unguarded import fit
from tfxfer.backbones import origin_of
from tfxfer.config import Distillation
from tfxfer.errors import SettingError
from tfxfer.models import Anatomy, build
from tfxfer.runtime.shares import in_shares
from tfxfer.training import Phase, category_relationship
from tfxfer.training.material.teaching import Teaching
from tfxfer.training.methods.co_tuning import CoTuned
from tfxfer.training.preparing import Ready, prepared
from tfxfer.training.resuming.checkpoints import Checkpoints
from tfxfer.training.resuming.course import Course

STRENGTHS = (1e4, 3e3, 1e3, 300, 100, 30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4)


def exponentials(logits):
    return np.exp(logits - logits.max(axis=1, keepdims=True))


def shares(logits):
    return exponentials(logits) / exponentials(logits).sum(axis=1, keepdims=True)


def drawn(classes, *, count, seed):
    """Pictures of which the pretrained network says something that goes with their class, not surely."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    logits = generator.normal(size=(count, 6))
    logits[np.arange(count), labels] += 1.0
    return shares(logits), labels


def regressed(probabilities, labels, classes, strength):
    """Weights of a penalized multinomial regression; of two classes, of the difference between them."""

    def spread(flat):
        rows = flat.reshape(-1, probabilities.shape[1])
        return rows if classes > 2 else np.concatenate([np.zeros_like(rows), rows])

    def objective(flat):
        found = shares(probabilities @ spread(flat).T)
        loss = (flat**2).sum() / 2 - strength * np.log(found[np.arange(len(labels)), labels]).sum()
        slope = strength * (found - np.eye(classes)[labels]).T @ probabilities
        return loss, flat + slope[-rows:].ravel()

    rows = classes if classes > 2 else 1
    return spread(minimize(objective, np.zeros(rows * probabilities.shape[1]), jac=True).x)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_relationship_is_that_of_an_independent_computation(classes):
    train, labels = drawn(classes, count=24, seed=1)
    validation, validation_labels = drawn(classes, count=30, seed=2)
    best, most = None, -1.0
    for strength in STRENGTHS:
        weights = regressed(train, labels, classes, strength)
        right = ((validation @ weights.T).argmax(axis=1) == validation_labels).mean()
        if right > most:
            best, most = weights, right
    grid = np.linspace(0, 100, 20_001)
    losses = [
        -np.log(shares(scale * validation @ best.T)[np.arange(30), validation_labels]).mean()
        for scale in grid
    ]
    given_source = shares(grid[int(np.argmin(losses))] * best.T)
    marginal = np.concatenate([train, validation]).mean(axis=0)
    expected = np.empty((classes, 6))
    for target in range(classes):
        joint = [given_source[source, target] * marginal[source] for source in range(6)]
        expected[target] = np.array(joint) / sum(joint)
    found = category_relationship(
        train, labels, validation=validation, validation_labels=validation_labels, classes=classes
    )
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert (found.argmax(axis=1) == np.arange(classes)).all()


def test_a_class_without_training_pictures_goes_with_what_all_show():
    train, labels = drawn(2, count=10, seed=1)
    validation, _ = drawn(2, count=6, seed=2)
    found = category_relationship(
        train, labels, validation=validation, validation_labels=np.full(6, 2), classes=3
    )
    np.testing.assert_allclose(found[2], np.concatenate([train, validation]).mean(axis=0))
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.fixture(scope="module")
def toy():
    """A model of linear scores and logits beside them, and some pictures of four numbers."""
    keras.utils.set_random_seed(0)
    image = keras.Input((4,))
    scores = keras.layers.Dense(3, activation="softmax", name="scores")(image)
    twin = keras.Model(image, [scores, keras.layers.Dense(5, name="top")(image)])
    relationship = shares(np.random.default_rng(1).normal(size=(3, 5)))
    model = CoTuned(twin, relationship, strength=2.3)
    return model, twin, relationship, np.random.default_rng(2).normal(size=(7, 4)).astype(np.float32)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_gradient_is_what_comes_out_by_hand(toy, mixed):
    model, twin, relationship, x = toy
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    y = 0.9 * np.eye(3)[labels] + 0.1 / 3 if mixed else labels
    model.compile("sgd", "categorical_crossentropy" if mixed else "sparse_categorical_crossentropy")
    kernel = twin.get_layer("top").kernel
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, tf.constant(y), model(x, training=True))
    wanted = (y if mixed else np.eye(3)[labels]) @ relationship
    found = shares(x @ np.array(kernel) + np.array(twin.get_layer("top").bias))
    np.testing.assert_allclose(
        tape.gradient(loss, kernel.value), 2.3 * x.T @ (found - wanted) / 7, rtol=1e-3, atol=1e-5
    )
    scores = twin(x)[0].numpy()
    own = -((y if mixed else np.eye(3)[labels]) * np.log(scores)).sum(axis=1).mean()
    beside = -(wanted * np.log(found)).sum(axis=1).mean()
    assert float(loss) == pytest.approx(own + 2.3 * beside, rel=1e-4)
    plain = model.compute_loss(x, tf.constant(y), model(x), training=False)
    assert float(plain) == pytest.approx(own, rel=1e-4)


def test_a_teacher_s_answers_behind_the_labels_are_not_taken_for_them(toy):
    _, twin, relationship, x = toy
    labels, taught = np.array([0, 1, 2, 0, 1, 2, 0]), Distillation("teacher", 2.0, 0.5)
    said = shares(np.random.default_rng(3).normal(size=(7, 3)))
    teaching = Teaching(said.astype(np.float32), taught, "micro")
    rows = tf.constant(teaching.beside(labels, smoothing=0.0))
    model = CoTuned(twin, relationship, strength=2.3)
    model.compile("sgd", teaching.loss)
    beside = -(relationship[labels] * np.log(shares(twin(x)[1].numpy()))).sum(axis=1).mean()
    expected = float(teaching.loss(rows, twin(x)[0])) + 2.3 * beside
    assert float(model.compute_loss(x, rows, model(x, training=True))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [2, 3, 9])
@pytest.mark.parametrize("weights", [None, {0: 2.0, 1: 0.5, 2: 1.5}])
def test_shares_of_a_batch_come_to_the_loss_of_the_whole(toy, count, weights):
    """Unequal ones, and some of which a picture counts for nothing: classes weigh in the model's own loss."""
    _, twin, relationship, x = toy
    model = CoTuned(twin, relationship, strength=2.3, class_weight=weights)
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    own = np.array([(weights or {}).get(label, 1.0) for label in labels], np.float32)
    batch = tf.data.Dataset.from_tensor_slices((x, labels)).batch(7)

    def loss(x, y, weight):
        return float(model.compute_loss(x, y, model(x, training=True), weight))

    shared = [loss(*share) for share in in_shares(batch, count, class_weight=weights)]
    whole = loss(x, tf.constant(labels), tf.constant(own) if weights else None)
    assert np.mean(shared) == pytest.approx(whole, rel=1e-5)
    found = shares(twin(x)[1].numpy())
    scores = twin(x)[0].numpy()[np.arange(7), labels]
    beside = -(relationship[labels] * np.log(found)).sum(axis=1).mean()
    assert whole == pytest.approx(-(own * np.log(scores)).mean() + 2.3 * beside, rel=1e-4)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A MobileNet on weights that lie where keras.applications looks for them, with their top."""
    home = tmp_path_factory.mktemp("pretrained")
    write_pretrained(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.src.backend.config._KERAS_DIR", str(home))
        yield build(classes=3, backbone=NAME, image_size=32)


@pytest.mark.slow
def test_a_fit_is_taught_and_the_model_is_the_plain_one(network, photos, tmp_path):
    """The layers beside learn too, on kept features, slower by stages, and their loss falls."""
    names, before = [layer.name for layer in network.layers], network.count_params()
    phase = Phase("top", train=-2, epochs=2, rate=3e-3, co_tuning=2.3, layer_decay=0.5, soup=2)
    settings = {"augment": None, "mix": None, "balance": "none", "features": "cache", "views": None}
    settings |= {"label_smoothing": 0.1, "batch_size": 16, "seed": 0, "progress": False, "console": None}
    settings |= {"precision": "auto", "distillation": None}
    ready = prepared(network, photos, [phase], **settings)
    top, relationship = ready.pretraining.top, ready.pretraining.relationship
    batches = photos.batches("train", image_size=32)
    labels = np.concatenate([y.numpy() for _, y in batches])

    def taught():
        logits = keras.Model(network.input, top.logits(network)).predict(batches, verbose=0)
        return logits, -(relationship[labels] * np.log(shares(logits))).sum(axis=1).mean()

    logits, _ = taught()
    validation = photos.batches("validation", image_size=32)
    expected = category_relationship(
        shares(logits),
        labels,
        validation=shares(keras.Model(network.input, top.logits(network)).predict(validation, verbose=0)),
        validation_labels=np.concatenate([y.numpy() for _, y in validation]),
        classes=3,
    )
    assert np.abs(relationship - expected).sum(axis=1).max() < 0.1  # kept features are float16
    # Random layers say the same of all pictures; what they are to say is told apart here.
    relationship = shares(np.random.default_rng(0).normal(0, 3, relationship.shape))
    ready = replace(ready, pretraining=replace(ready.pretraining, relationship=relationship))
    beginning = taught()[1]
    start = [np.array(variable) for variable in ready.pretraining.variables]
    every = [*network.variables, *ready.beside]
    first = [np.array(variable) for variable in every]
    log = ready.run(phase, Course(network, None, {}, beside=ready.beside))
    assert all((np.array(v) != s).any() for v, s in zip(ready.pretraining.variables, start, strict=True))
    assert taught()[1] < beginning
    assert log.cut
    assert ([layer.name for layer in network.layers], network.count_params()) == (names, before)
    network.compile(loss="sparse_categorical_crossentropy")
    assert network.evaluate(validation, verbose=0) == pytest.approx(log.best("val_loss"), abs=0.05)
    undisturbed = [np.array(variable) for variable in every]
    checkpoints = Checkpoints(tmp_path)

    def put_back():
        for variable, value in zip(every, first, strict=True):
            variable.assign(value)
        return Course(network, checkpoints, {}, beside=ready.beside)

    with pytest.raises(KeyboardInterrupt):
        ready.run(phase, put_back(), callbacks=[Interrupt(1)])
    course = put_back()
    course.resume(checkpoints.newest())
    assert ready.run(phase, course).history == log.history
    for variable, value in zip(every, undisturbed, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)


@pytest.mark.slow
def test_of_no_strength_it_is_the_plain_training_to_the_bit(photos, monkeypatch):
    plain = Ready._lesson

    def beside(ready, phase):
        lesson = plain(ready, phase)
        logits = keras.layers.Dense(5, trainable=False, kernel_initializer="zeros")(lesson.model.outputs[0])
        twin = keras.Model(lesson.model.inputs, [lesson.model.outputs[0], logits], name=lesson.model.name)
        return replace(lesson, model=CoTuned(twin, np.full((3, 5), 0.2), strength=0.0))

    def history():
        model = build(classes=3, backbone="micro", image_size=32)
        phase = Phase("top", train=-1, epochs=2, rate=1e-3)
        return fit(model, photos, plan=[phase], batch_size=16, features="cache", progress=False)[
            "top"
        ].history

    expected = history()
    monkeypatch.setattr(Ready, "_lesson", beside)
    assert history() == expected


def test_a_model_of_ones_own_teaches_what_is_built_on_it(photos, tmp_path):
    """It is no part of the one that comes out, and is left as it was."""
    source = build(classes=4, backbone="micro", image_size=32)
    source.save(tmp_path / "source.keras")

    def tuned(strength):
        model = build(classes=3, backbone=f"file:{tmp_path / 'source.keras'}", image_size=32)
        layers = origin_of(model).top.layers
        before = layers.get_weights()
        phase = Phase("top", train=-1, epochs=1, rate=1e-3, co_tuning=strength)
        fit(model, photos, plan=[phase], batch_size=16, features="off", progress=False)
        for weight, was in zip(layers.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, was)
        return model

    plain, taught = tuned(0.0), tuned(2.3)
    learning = {weight.path for weight in plain.trainable_variables}
    different = {
        one.path
        for one, other in zip(plain.weights, taught.weights, strict=True)
        if (one.numpy() != other.numpy()).any()
    }
    assert different
    assert different <= learning


def refused(model, photos, message, says, **settings):
    phase = Phase("p", **{"train": -1, "co_tuning": 2.3} | settings)
    with pytest.raises(SettingError, match=says(message)):
        fit(model, photos, plan=[phase], progress=False)


def test_where_there_is_nothing_to_go_by_it_is_refused(network, photos, tags, says):
    micro = build(classes=3, backbone="micro", image_size=32)
    refused(
        micro,
        photos,
        "co_tuning of phase 'p' teaches the backbone, of which nothing learns in it; leave it out there, or "
        "choose what learns by train.",
        says,
        train="head",
    )
    refused(
        micro,
        photos,
        "co_tuning needs the classification layer that a backbone was pretrained with, and micro comes "
        "without; take a backbone of keras.applications (tfxfer backbones) or a model that tfxfer made "
        "and that tells one class a picture (file:DIR), or leave it out.",
        says,
    )
    refused(
        build(tags, backbone="micro", image_size=32),
        tags,
        "co_tuning is for one class a picture (single_label), got multi_label; leave it out.",
        says,
    )
    assert Anatomy.of(network).name == NAME
    for model, kind in (
        (build(classes=3, backbone=NAME, image_size=32, weights=None), "random"),
        (keras.models.clone_model(network), "some out of a file"),
    ):
        refused(
            model,
            photos,
            f"co_tuning goes with the ImageNet weights of {NAME}, got {kind}; build the model with "
            "weights='imagenet', or leave co_tuning out.",
            says,
        )

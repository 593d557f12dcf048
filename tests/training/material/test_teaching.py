"""Teaching: the loss by hand and as Keras has it; from features as from pictures; nearer to the teacher."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from tests.training.unguarded import fit
from tfxfer.augment import MixUp, soft_labels
from tfxfer.config import Distillation
from tfxfer.data import from_arrays
from tfxfer.errors import BundleError, SettingError, TfxferWarning
from tfxfer.exports import export
from tfxfer.models import build, logits_layer, scores_of
from tfxfer.runtime import in_shares
from tfxfer.training import Phase
from tfxfer.training.material.teaching import DistillationLoss, Teaching, check_distillation, taught_by

QUIET = {"progress": False, "console": None}
LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.3, -2.0], [1.0, 1.0, 4.0], [-3.0, 0.0, 0.0]])
TEACHER = np.array([[3.0, 0.0, -1.0], [0.5, 2.0, 0.0], [-1.0, 2.0, 2.5], [0.0, -1.0, 1.0]])
LABELS = np.array([0, 1, 1, 2])


def teaching(*, temperature=3.0, alpha=0.3):
    shares = softmax(TEACHER / temperature, axis=1).astype(np.float32)
    return Teaching(shares, Distillation("teacher", temperature, alpha), "micro (0123)")


def by_hand(logits, *, temperature, alpha, whole):
    """Loss of each picture, and its gradient by the logits, as the paper has both."""
    own = -(whole * log_softmax(logits, axis=1)).sum(axis=1)
    wanted, found = (softmax(each / temperature, axis=1) for each in (TEACHER, logits))
    apart = (wanted * (np.log(wanted) - np.log(found))).sum(axis=1)
    slope = alpha * (softmax(logits, axis=1) - whole) + (1 - alpha) * temperature * (found - wanted)
    return alpha * own + (1 - alpha) * temperature**2 * apart, slope


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 0.5), (3.0, 0.3), (8.0, 0.0)])
def test_the_loss_and_its_gradient_are_those_by_hand(temperature, alpha, smoothing):
    taught = teaching(temperature=temperature, alpha=alpha)
    rows, logits = taught.beside(LABELS, smoothing=smoothing), tf.constant(LOGITS, tf.float32)
    whole = (1 - smoothing) * np.eye(3)[LABELS] + smoothing / 3
    losses, slope = by_hand(LOGITS, temperature=temperature, alpha=alpha, whole=whole)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = taught.loss(rows, tf.nn.softmax(logits))
    assert float(loss) == pytest.approx(losses.mean(), rel=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, logits), slope / 4, atol=1e-6)


def test_what_the_teacher_counts_is_what_it_counts_in_keras():
    # By its name, Keras 3.15.1 takes the divergence of the logits themselves.
    divergence = keras.losses.KLDivergence()
    theirs = keras.distillation.LogitsDistillation(3.0, divergence).compute_loss(
        tf.constant(TEACHER, tf.float32), tf.constant(LOGITS, tf.float32)
    )
    ours = teaching(alpha=0.0).loss(teaching().beside(LABELS, smoothing=0.0), softmax(LOGITS, axis=1))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_validation_is_by_labels_alone():
    scores = softmax(LOGITS, axis=1)
    found = teaching().loss(np.eye(3)[LABELS], scores)
    assert float(found) == pytest.approx(-np.log(scores[np.arange(4), LABELS]).mean(), rel=1e-5)


def test_what_is_surely_wrong_has_a_finite_loss():
    rows = replace(teaching(), shares=np.float32([[1, 0, 0]])).beside(np.array([0]), smoothing=0.0)
    assert np.isfinite(float(teaching().loss(rows, np.float32([[0, 0, 1]]))))


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_the_largest_of_a_row_is_the_label_however_sure_the_teacher(smoothing):
    sure = replace(teaching(), shares=np.float32([[0, 0, 1], [0, 0, 1]]))
    rows = sure.beside(np.array([1, 0]), smoothing=smoothing)
    assert rows.argmax(axis=1).tolist() == [1, 0]
    weigh = {0: 2.0, 1: 0.5}
    batch = tf.data.Dataset.from_tensor_slices((np.zeros((2, 1)), rows)).batch(2)
    shares = [weights.tolist() for *_, weights in in_shares(batch, 2, class_weight=weigh).as_numpy_iterator()]
    assert shares == [[0.5], [2.0]]


def test_what_is_mixed_teaches_both_in_its_shares():
    """A divergence from a mixture has the gradient of the mixture of divergences."""
    taught, images = teaching(), np.eye(4, dtype=np.float32)
    rows = taught.beside(LABELS, smoothing=0.0)
    batches = tf.data.Dataset.from_tensor_slices((images, rows)).batch(4)
    training, validation = soft_labels(batches, batches, mix=MixUp(0.9), classes=3, seed=3)
    ((shares, mixed),) = training.as_numpy_iterator()
    assert (shares < 0.99).all(axis=1).any()
    np.testing.assert_allclose(mixed, shares @ rows, atol=1e-6)
    ((_, kept),) = validation.as_numpy_iterator()
    np.testing.assert_array_equal(kept, rows)

    def slope(row, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = taught.loss(row, tf.nn.softmax(logits))
        return tape.gradient(loss, logits).numpy()

    one = tf.constant(LOGITS[:1], tf.float32)
    for share, row in zip(shares, mixed, strict=True):
        expected = sum(part * slope(rows[[place]], one) for place, part in enumerate(share))
        np.testing.assert_allclose(slope(row[None], one), expected, atol=1e-5)


def test_a_loss_is_made_again_from_its_settings():
    loss = keras.losses.deserialize(
        keras.losses.serialize(DistillationLoss(2.0, 0.4)), {"DistillationLoss": DistillationLoss}
    )
    assert (loss.temperature, loss.alpha) == (2.0, 0.4)


def learnt(photos, **settings):
    model = build(photos, backbone="micro", image_size=32)
    plan = [Phase("head", epochs=8, rate=1e-2, patience=None)]
    fit(model, photos, plan=plan, features="cache", progress=False, **settings)
    return model


@pytest.fixture(scope="module")
def teacher(photos):
    return learnt(photos)


@pytest.fixture(scope="module")
def folder(teacher, photos, tmp_path_factory):
    target = tmp_path_factory.mktemp("teacher") / "bundle"
    export(teacher, target, photos, formats=["keras"])
    return target


def test_a_folder_says_what_its_model_says_of_training_pictures(teacher, folder, photos):
    student = build(photos, backbone="micro", image_size=32)
    balanced = replace(photos, split=replace(photos.split, train=photos.split.train * 2))
    found = [taught_by(Distillation(given, 2.0), student, balanced, **QUIET) for given in (teacher, folder)]
    softened = keras.Model(teacher.inputs[0], logits_layer(teacher).output)
    expected = softmax(scores_of(softened, balanced, "train") / 2, axis=1)
    for taught in found:
        np.testing.assert_allclose(taught.shares, expected, atol=2e-3)  # kept as float16
    assert str(found[0]) == str(found[1])
    assert str(found[0]).startswith("micro (")
    assert str(found[0]).endswith(") at temperature 2, alpha 0.1")


def test_a_folder_sees_pictures_as_its_own_were_seen(folder):
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 64, 3), np.uint8)
    student = build(classes=3, backbone="micro", image_size=32)
    crop, stretch = (
        taught_by(
            Distillation(folder), student, from_arrays(images, [0, 1, 2] * 4, resize=how), **QUIET
        ).shares
        for how in ("crop", "stretch")
    )
    np.testing.assert_array_equal(crop, stretch)


def test_features_and_pictures_are_taught_the_same(teacher, photos):
    """Same pictures, same start, no dropout, one batch: only float16 lies between."""
    plan, histories = [Phase("head", epochs=3, rate=5e-3, patience=None)], []
    for features in ("cache", "off"):
        student = build(photos, backbone="micro", image_size=32, dropout=0.0)
        settings = {"features": features, "batch_size": 64, "distillation": Distillation(teacher, 2.0, 0.2)}
        log = fit(student, photos, plan=plan, progress=False, **settings)
        assert log.features == features
        histories.append(log["head"].history)
    assert set(histories[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=5e-3)


def test_who_is_taught_takes_after_the_teacher(teacher, photos):
    """Labels of training pictures are all wrong, and the teacher knows better."""
    train = set(photos.split.train)
    wrong = tuple(
        replace(record, label=(record.label + 1) % 3) if index in train else record
        for index, record in enumerate(photos.records)
    )
    misled = replace(photos, records=wrong)
    models = (teacher, learnt(misled, distillation=Distillation(teacher, 2.0, 0.0)), learnt(misled))
    wanted, taught, alone = (scores_of(model, photos, "test") for model in models)
    assert np.abs(taught - wanted).mean() < 0.3 * np.abs(alone - wanted).mean()


def test_a_run_is_not_gone_on_with_under_another_teacher(teacher, photos, tmp_path, says):
    student = build(photos, backbone="micro", image_size=32)
    settings = {"plan": [Phase("head", epochs=1)], "features": "cache", "progress": False}
    settings |= {"label_smoothing": 0.1, "mix": "mixup", "balance": "none", "checkpoints": tmp_path / "notes"}
    first = Distillation(teacher, 2.0, 0.5)
    log = fit(student, photos, distillation=first, **settings)
    assert np.isfinite(log["head"].history["loss"]).all()
    told = str(taught_by(first, student, photos, **QUIET))
    message = (
        f"the run in {tmp_path / 'notes'} had distillation={told}, and this one has None; give the same, or "
        "remove the folder to begin anew."
    )
    other = build(photos, backbone="micro", image_size=32)
    with pytest.raises(SettingError, match=says(message)):
        fit(other, photos, resume=True, **settings)


def test_a_larger_student_is_told(teacher, photos):
    student = build(classes=3, backbone="mobilenet_v2", image_size=32, weights=None)
    with pytest.warns(TfxferWarning) as told:
        taught_by(Distillation(teacher), student, photos, **QUIET)
    assert str(told[0].message) == (
        "the student (mobilenet_v2, 2.26M parameters) is larger than its teacher (micro, 674k); distillation "
        "is for a smaller one."
    )


def test_what_cannot_teach_is_refused(teacher, folder, photos, tags, numbers, tmp_path, says):
    check_distillation(None, tags)
    check_distillation(Distillation(folder), photos)
    message = (
        "a teacher's answers are shares of classes, which focal loss does not take; leave balance or "
        "distillation out."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_distillation(Distillation(teacher), balance="focal")
    for others in (tags, numbers):
        message = f"distillation is for one class a picture (single_label), got {others.task}; leave it out."
        with pytest.raises(SettingError, match=says(message)):
            check_distillation(Distillation(teacher), others)
    two = replace(photos, classes=("blue", "green"))
    message = (
        f"the teacher {folder} is for single_label of blue, green, red, and {photos.source} for single_label "
        "of blue, green; give the pictures it was trained on."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_distillation(Distillation(folder), two)
    with pytest.raises(SettingError, match=r"^the model tells 3 classes apart, the pictures have 2; "):
        check_distillation(Distillation(teacher), two)
    message = (
        "the model 'foreign' has no layer named head_logits, so there are no logits; build it with "
        "tfxfer.build."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_distillation(Distillation(keras.Sequential([keras.Input((8, 8, 3))], name="foreign")))
    message = f"{tmp_path / 'none'} is not a folder; give one that tfxfer train wrote."
    with pytest.raises(BundleError, match=says(message)):
        check_distillation(Distillation(tmp_path / "none"))
    without = shutil.copytree(folder, tmp_path / "without")
    manifest = json.loads((without / "manifest.json").read_text())
    del manifest["files"]["model.keras"]
    (without / "manifest.json").write_text(json.dumps(manifest))
    message = f"{without} was exported without model.keras; export the model again, with all formats."
    with pytest.raises(BundleError, match=says(message)):
        check_distillation(Distillation(without))

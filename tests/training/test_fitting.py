"""fit: two phases end to end, the better one kept, the contract held, settings checked first."""

import hashlib

import albumentations as A
import keras
import numpy as np
import pytest

from tests.conftest import write_pictures
from tests.training.unguarded import fit
from tfxfer.augment import CutMix, device_augmentation
from tfxfer.contracts import PhaseLog
from tfxfer.data import from_folder
from tfxfer.errors import DivergedError, TfxferWarning
from tfxfer.models import build
from tfxfer.training import Phase, preparing

QUICK = (
    Phase("head", epochs=20, rate=5e-3),
    Phase("top", train=-1, epochs=2, rate=1e-3, warmup=0.5),
)
WHOLE = (
    Phase("weak", epochs=1, rate=1e-6),
    *QUICK,
    Phase("wreck", train=-1, epochs=1, rate=5.0, schedule="constant"),
)


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


@pytest.fixture(scope="module")
def fitted(photos, tmp_path_factory):
    """Two phases between one that does next to nothing and one that wrecks the weights."""
    model, rows = small_model(), tmp_path_factory.mktemp("rows") / "log.csv"
    start = {v.path: np.array(v) for v in model.weights}
    logger = keras.callbacks.CSVLogger(rows, append=True)
    log = fit(model, photos, plan=WHOLE, callbacks=[logger], progress=False, batch_size=16)
    return model, log, start, rows


def test_it_learns(fitted, photos):
    model, log, *_ = fitted
    assert log.validation_accuracy >= 0.7  # a third by chance
    batches = photos.batches("validation", image_size=32)
    loss, accuracy = model.evaluate(batches, verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=1e-4)
    assert accuracy == pytest.approx(log.validation_accuracy, abs=1e-4)


def test_the_log_tells_all_phases(fitted):
    _, log, *_ = fitted
    assert [phase.name for phase in log.phases] == ["weak", "head", "top", "wreck"]
    for phase, plan in zip(log.phases, WHOLE, strict=True):
        assert 1 <= len(phase.history["val_loss"]) <= plan.epochs
        assert phase.best("val_loss") == min(phase.history["val_loss"])
        assert phase.seconds > 0
    assert log["top"].learning_parameters > log["head"].learning_parameters
    assert log.seconds == sum(phase.seconds for phase in log.phases)


def test_only_head_and_top_moved(fitted):
    model, _, start, _ = fitted
    moved = {v.path for v in model.weights if (np.array(v) != start[v.path]).any()}
    assert {path for path in moved if not path.startswith("head_")} <= {
        v.path for v in model.trainable_variables
    }
    assert "head_logits/kernel" in moved
    statistics = [path for path in moved if "moving" in path]
    assert statistics == []


def test_the_best_phase_is_kept(fitted):
    """Neither the first, which does little, nor the last, which wrecks the weights, is what comes out."""
    _, log, *_ = fitted
    losses = {phase.name: phase.best("val_loss") for phase in log.phases}
    assert losses["weak"] > losses["head"] < losses["wreck"]
    assert log.kept == min(losses, key=losses.get)
    assert log.validation_loss == min(losses.values())


def test_callbacks_of_keras_see_every_phase_and_epochs_that_count_on(fitted):
    _, log, _, rows = fitted
    header, *rest = rows.read_text().splitlines()
    assert header.split(",") == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    losses = [loss for phase in log.phases for loss in phase.history["val_loss"]]
    assert [(row.split(",")[0], float(row.split(",")[-1])) for row in rest] == [
        (str(epoch), loss) for epoch, loss in enumerate(losses)
    ]


def test_a_phase_that_runs_off_to_nan_is_refused_or_left_behind(photos):
    mad = Phase("mad", epochs=3, rate=1e30, schedule="constant")
    with pytest.raises(
        DivergedError, match=r"^phase 'mad' ended in NaN in epoch \d; give it a lower rate than 1e\+30\.$"
    ):
        fit(small_model(), photos, plan=[mad], progress=False)
    model = small_model()
    with pytest.warns(TfxferWarning, match=r"^phase 'mad' ended in NaN in epoch \d, and the best weights"):
        log = fit(model, photos, plan=[Phase("head", epochs=2), mad], progress=False)
    assert log.kept == "head"
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


class Broken(keras.callbacks.Callback):
    """Have the third epoch begin with numbers that are none."""

    def on_epoch_begin(self, epoch, logs=None):
        del logs
        if epoch == 2:
            (first, *_) = self.model.trainable_variables
            first.assign(np.full(first.shape, np.nan))


def test_a_phase_that_runs_off_late_keeps_its_best_epoch(photos, says):
    model, head = small_model(), Phase("head", epochs=4, rate=3e-3)
    message = (
        "phase 'head' ended in NaN in epoch 3, and the best weights before that are kept; give it a lower "
        "rate than 0.003."
    )
    with pytest.warns(TfxferWarning, match=says(message)):
        log = fit(model, photos, plan=[head], callbacks=[Broken()], progress=False)
    assert log["head"].best_epoch < 3
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_without_weights_the_default_is_to_train_everything(photos, monkeypatch):
    ran = []
    monkeypatch.setattr(preparing.Ready, "run", lambda _, phase, *__, **___: ran.append(phase) or _log(phase))
    fit(build(classes=3, backbone="micro", image_size=32, weights=None), photos, progress=False)
    fit(small_model(), photos, progress=False)
    assert [phase.name for phase in ran] == ["all", "head", "top"]


def _log(phase):
    return PhaseLog(phase.name, 1, {"loss": (1.0,), "val_loss": (1.0,)}, 1, 0.0)


def test_few_pictures_and_a_useless_second_phase_are_no_error(tmp_path):
    """One step an epoch: the rise of the rate must not stand still at its first step."""
    photos = from_folder(write_pictures(tmp_path / "pictures", count=5))
    log = fit(
        small_model(),
        photos,
        plan=[Phase("head", epochs=5), Phase("top", train=-1, epochs=10, rate=1e-9, warmup=0.1)],
        progress=False,
    )
    assert len(log.phases) == 2


def test_the_same_seed_gives_the_same_weights(photos):
    def weights():
        model = small_model()
        fit(model, photos, plan=[Phase("head", epochs=1)], augment="strong", seed=5, progress=False)
        return model.get_layer("head_logits").get_weights()

    for first, second in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize(
    "augment",
    ["strong", A.Compose([A.Affine(rotate=(-90, 90), p=1)]), device_augmentation("medium")],
    ids=["policy", "compose", "device"],
)
def test_augmented_training_repeats_by_its_seed_and_differs_from_plain(photos, augment):
    def kernel(augment, seed=5):
        model = small_model()
        phases = [Phase("head", epochs=2, schedule="constant", patience=None)]
        fit(model, photos, plan=phases, seed=seed, augment=augment, progress=False)
        return digest(model.get_layer("head_logits").get_weights()[0])

    first = kernel(augment)
    assert kernel(augment) == first
    assert len({first, kernel(None), kernel(augment, seed=6)}) == 3


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values)).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("mix", ["mixup", CutMix(0.5)], ids=str)
def test_mixed_training_learns_and_leaves_a_model_for_plain_labels(photos, mix):
    model = small_model()
    log = fit(model, photos, plan=QUICK, mix=mix, progress=False, batch_size=16)
    assert [phase.name for phase in log.phases] == ["head", "top"]
    assert log.validation_accuracy >= 0.6
    loss, accuracy = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=1e-4)
    assert accuracy == pytest.approx(log.validation_accuracy, abs=1e-4)
    # A mixed batch cannot be told for sure: what is left of its loss lies well above that of plain ones.
    assert log["head"].best("loss") > 1.3 * log["head"].best("val_loss")


@pytest.mark.slow
@pytest.mark.parametrize("mix", ["mixup", CutMix(0.5)], ids=str)
def test_mixed_training_repeats_by_its_seed(photos, mix):
    def history():
        phases = [Phase("head", epochs=2)]
        return fit(small_model(), photos, plan=phases, mix=mix, progress=False)["head"].history

    assert history() == history()


def test_several_labels_are_learnt(tags):
    model = build(tags, backbone="micro", image_size=32)
    log = fit(model, tags, plan=QUICK[:1], progress=False, batch_size=16)
    assert set(log["head"].history) == {"loss", "val_loss", "binary_accuracy", "val_binary_accuracy"}
    # Four labels, each true of a third of the pictures: two in three are right without looking.
    assert log["head"].best("val_binary_accuracy") > 0.75


def test_numbers_are_learnt(numbers):
    model = build(numbers, backbone="micro", image_size=32)
    log = fit(model, numbers, plan=QUICK[:1], progress=False, batch_size=16)
    truth = numbers.targets("validation")
    by_the_mean = np.abs(truth - numbers.targets("train").mean(axis=0)).mean()
    assert log["head"].best("val_mean_absolute_error") < 0.7 * by_the_mean
    assert log["head"].best("val_loss") < 1  # in squared deviations, which the mean alone leaves at 1


@pytest.mark.parametrize("features", ["cache", pytest.param("off", marks=pytest.mark.slow)])
def test_smoothed_labels_teach_and_validation_is_plain(photos, features):
    model = small_model()
    softly = {"label_smoothing": 0.3, "balance": "class_weights"}  # of classes alike, as it happens
    log = fit(model, photos, plan=QUICK, features=features, batch_size=16, progress=False, **softly)
    assert log.validation_accuracy >= 0.6
    loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=3e-3)
    least = -(0.8 * np.log(0.8) + 2 * 0.1 * np.log(0.1))  # by whoever is right and as unsure as the labels
    assert min(log["head"].history["loss"]) > 0.98 * least

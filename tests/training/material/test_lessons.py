"""Training from kept features: as good as from pictures, in the same model, the same again by its seed."""

import io
import math
from itertools import chain
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from rich.console import Console

from tests.conftest import write_pictures
from tests.training.unguarded import fit
from tfxfer.augment import FroFA, augmentation
from tfxfer.data import from_folder
from tfxfer.errors import SettingError
from tfxfer.features import engines, find_cut, kept_features, open_features, pooled_prefix
from tfxfer.models import Anatomy, build, choose_layers
from tfxfer.training import Phase
from tfxfer.training.material import feature_plan
from tfxfer.training.material.lessons import feature_batches

QUICK = (
    Phase("head", epochs=10, rate=1e-2),
    Phase("top", train=-1, epochs=2, rate=1e-3, warmup=0.5),
)
SHORT = [Phase("head", epochs=2, rate=1e-2, patience=None)]
GPU = SimpleNamespace(device_type="CPU", name="for Keras, which looks as well")
SETTINGS = {"plan": QUICK, "features": "cache", "batch_size": 16, "balance": "none"}


def small_model(**settings):
    return build(classes=3, backbone="micro", image_size=32, **settings)


@pytest.fixture(scope="module")
def fitted(photos, tmp_path_factory):
    """Fit a model with nothing kept before; what it keeps is the user's cache for this module."""
    model, console = small_model(), Console(file=io.StringIO(), width=200)
    start = {v.path: np.array(v) for v in model.weights}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        log = fit(model, photos, augment="light", console=console, **SETTINGS)
        yield model, log, start, console.file.getvalue()


def test_it_learns_and_the_whole_model_has_learnt(fitted, photos):
    model, log, *_ = fitted
    assert log.validation_accuracy >= 0.7  # a third by chance
    loss, accuracy = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=2e-3)  # kept as float16
    assert accuracy == pytest.approx(log.validation_accuracy, abs=1e-4)


def test_only_what_should_learn_moved(fitted):
    model, _, start, _ = fitted
    moved = {v.path for v in model.weights if (np.array(v) != start[v.path]).any()}
    assert moved <= {v.path for v in model.trainable_variables}
    assert {"head_logits/kernel"} <= moved
    assert not [path for path in moved if "moving" in path]


def test_the_log_tells_it(fitted):
    _, log, _, text = fitted
    assert (log.features, log.views) == ("cache", 4)
    assert [phase.cut for phase in log.phases] == [("head_pool",), ("block_2_out",)]
    assert log.seconds == pytest.approx(log.extraction_seconds + sum(phase.seconds for phase in log.phases))
    assert text.startswith(f"features: kept, since {log.features_reason}.\nfeatures: ")
    assert set(log["head"].history) == {"loss", "val_loss", "accuracy", "val_accuracy"}


def test_the_same_seed_gives_the_same_weights_and_computes_nothing_anew(fitted, photos):
    model, log, _, text = fitted
    again, console = small_model(), Console(file=io.StringIO(), width=200)
    repeated = fit(again, photos, augment="light", console=console, **SETTINGS)
    assert repeated["top"].history == log["top"].history
    assert [said.count("\nfeatures: ") for said in (text, console.file.getvalue())] == [1, 0]
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    other = fit(
        small_model(), photos, augment="light", progress=False, seed=1, **SETTINGS | {"plan": QUICK[:1]}
    )
    assert other["head"].history != log["head"].history


def test_without_augmentation_it_is_what_training_on_pictures_is(photos):
    """Same pictures, same start, no dropout, one batch: only float16 lies between."""
    phase = Phase("head", epochs=3, rate=5e-3, patience=None)
    losses = []
    for features in ("cache", "off"):
        log = fit(
            small_model(dropout=0.0),
            photos,
            plan=[phase],
            features=features,
            batch_size=64,
            progress=False,
        )
        assert log.features == features
        losses.append(log["head"].history["val_loss"])
    np.testing.assert_allclose(*losses, rtol=5e-3)


@pytest.mark.slow
def test_a_phase_whose_frozen_part_an_earlier_one_moved_gets_new_features(photos):
    model = small_model()
    plan = [
        Phase("all", train="all", epochs=1, rate=1e-3),
        Phase("head", epochs=2, rate=5e-3, patience=None),
    ]
    log = fit(model, photos, plan=plan, features="cache", progress=False)
    assert [phase.cut for phase in log.phases] == [(), ("head_pool",)]
    if log.kept == "head":
        loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
        assert loss == pytest.approx(log.validation_loss, abs=2e-3)


def test_each_epoch_draws_one_view_of_each_picture_and_validation_sees_the_first(photos):
    prefix, policy, chosen = pooled_prefix(small_model()), augmentation("medium"), range(12)
    vectors = kept_features(prefix, photos, chosen, augment=policy, views=3, progress=False).reshape(
        12, 3, -1
    )
    extraction = open_features(prefix, photos, chosen, augment=policy)
    told = (extraction, extraction.places(chosen, 3), np.arange(12))
    drawn = feature_batches(*told, outputs=(0,), batch_size=5, seed=0)
    seen = [set() for _ in chosen]
    for _ in range(25):
        batches = list(drawn.as_numpy_iterator())
        assert sorted(np.concatenate([indices for _, indices in batches])) == list(chosen)
        for row, index in chain.from_iterable(zip(*batch, strict=True) for batch in batches):
            (view,) = np.flatnonzero((vectors[index] == row).all(axis=1))
            seen[index].add(int(view))
    assert seen == [{0, 1, 2}] * 12
    plain = feature_batches(*told, outputs=(0,), batch_size=5, seed=None)
    rows = np.concatenate([rows for rows, _ in plain.as_numpy_iterator()])
    np.testing.assert_array_equal(rows, vectors[:, 0])


@pytest.mark.parametrize("balance", ["class_weights", "sampling"])
def test_rare_classes_are_made_to_count(tmp_path, balance):
    write_pictures(tmp_path / "pictures", count=30, colours=("red",))
    write_pictures(tmp_path / "pictures", count=8, colours=("green", "blue"))
    photos = from_folder(tmp_path / "pictures")
    log = fit(small_model(), photos, plan=SHORT, features="cache", balance=balance, progress=False)
    assert (log.features, log.balance) == ("cache", balance)
    assert np.isfinite(log["head"].history["loss"]).all()


def test_what_an_earlier_phase_moves_is_not_kept_from_before_it(photos):
    model = small_model()
    plan = [Phase("top", train=-1, epochs=1, rate=0.1), Phase("head", epochs=1, rate=1e-9, patience=None)]
    log = fit(model, photos, plan=plan, features="cache", progress=False)
    assert [phase.cut for phase in log.phases] == [("block_2_out",), ("head_pool",)]
    # The head hardly moves: of what the top makes of pictures now, it says what that phase ended with.
    assert log["head"].history["val_loss"][0] == pytest.approx(log["top"].history["val_loss"][0], rel=1e-2)


@pytest.mark.usefixtures("cache_home")
def test_a_model_in_mixed_precision_is_computed_in_float32(photos):
    mixed, plain = small_model(precision="mixed_float16"), small_model()
    mixed.set_weights(plain.get_weights())
    fit(mixed, photos, plan=SHORT, features="cache", progress=False)
    console = Console(file=io.StringIO(), width=200)
    fit(plain, photos, plan=SHORT, features="cache", console=console)
    assert "features: kept" in console.file.getvalue()
    assert "views by" not in console.file.getvalue()  # nothing to compute


@pytest.mark.usefixtures("cache_home")
def test_what_a_phase_recalibrates_is_not_kept_from_before_it(photos):
    head = Phase("head", epochs=1, rate=1e-9, patience=None)
    later = Phase("later", train=-1, epochs=2, rate=1e-2, batch_norm="recalibrate")
    model = small_model()
    log = fit(model, photos, plan=[head, later], features="cache", progress=False)
    assert log.kept == "later"
    loss = model.evaluate(photos.batches("validation", image_size=32), verbose=0)[0]
    assert loss == pytest.approx(log.validation_loss, abs=2e-3)


@pytest.mark.slow
def test_several_labels_and_numbers_are_learnt(tags, numbers):
    for photos in (tags, numbers):
        model = build(photos, backbone="micro", image_size=32)
        plan = [Phase("head", epochs=8, rate=3e-3)]
        log = fit(model, photos, plan=plan, features="cache", progress=False, batch_size=16)
        assert log.features == "cache"
        assert log.validation_loss < 0.97 * log["head"].history["val_loss"][0]


def test_several_tensors_may_cross(photos):
    model = small_model()
    names = [layer.name for layer in model.layers if not layer.name.startswith(("image", "pre"))]
    phase = Phase("part", train=slice(names.index("block_3_conv2"), None), epochs=1)
    log = fit(model, photos, plan=[phase], features="cache", progress=False)
    assert len(log["part"].cut) == 2


def test_mixed_features_teach_and_leave_a_model_for_plain_labels(photos):
    model = small_model()
    log = fit(model, photos, mix="mixup", augment="light", progress=False, **SETTINGS)
    assert (log.features, log.views) == ("cache", 4)
    assert log.validation_accuracy >= 0.7
    loss, accuracy = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=2e-3)
    assert accuracy == pytest.approx(log.validation_accuracy, abs=1e-4)
    # A mixed batch cannot be told for sure: what is left of its loss lies well above that of plain ones.
    assert log["head"].best("loss") > 1.3 * log["head"].best("val_loss")


def test_without_litert_it_says_so_and_trains(photos, monkeypatch, cache_home):
    del cache_home  # an empty one, so that all is computed
    monkeypatch.setattr(engines.tf.config, "list_physical_devices", lambda *_: [GPU])
    monkeypatch.setattr(engines, "_GPU_WORK", 0)  # so that there is enough for it to do
    console = Console(file=io.StringIO(), width=200)
    # In float32 by name: TensorFlow tells no compute capability of a GPU that is none.
    fit(small_model(), photos, plan=SHORT, features="cache", precision="float32", console=console)
    assert "features: by TensorFlow, since there is a GPU.\n" in console.file.getvalue()


def test_what_float16_does_not_hold_is_trained_on_pictures_unless_asked_for(photos, monkeypatch):
    monkeypatch.setattr(feature_plan, "_LEAST_SAVED", -math.inf)
    model, console = small_model(), Console(file=io.StringIO(), width=200)
    norm = model.get_layer("block_2_bn2")
    norm.gamma.assign(norm.gamma * 1e6)
    plan = [Phase("top", train=-1, epochs=1)]
    with pytest.raises(
        SettingError, match=r"^features of micro_prefix reach \S+, which float16 does not hold; "
    ):
        fit(model, photos, plan=plan, features="cache", progress=False)
    log = fit(model, photos, plan=plan, console=console)
    assert (log.features, log.views, log["top"].cut) == ("off", 0, ())
    assert "which float16 does not hold" in log.features_reason
    assert f"\nfeatures: off, since {log.features_reason}.\n" in console.file.getvalue()


def test_the_model_is_left_compiled_with_what_keras_has(fitted):
    model, *_ = fitted
    assert model.compiled
    assert type(model.optimizer) is keras.optimizers.AdamW
    assert float(model.optimizer.learning_rate) == pytest.approx(QUICK[-1].rate)


def missing(prefix, photos, views):
    """Say how many views of training pictures a fit under FroFA has not kept."""
    extraction = open_features(prefix, photos, photos.split.train, augment=FroFA())
    return extraction.missing(dict.fromkeys(photos.split.train, views)).views


def test_what_changes_pictures_or_maps_is_learnt_from(photos):
    """Same start, order and dropout: views alone make the losses differ."""
    settings = {"plan": SHORT, "features": "cache", "batch_size": 16, "progress": False}
    changes = (None, "light", FroFA(1.0))
    logs = [fit(small_model(), photos, augment=change, **settings) for change in changes]
    assert len({log["head"].history["loss"] for log in logs}) == 3


@pytest.mark.usefixtures("cache_home")
def test_a_head_that_learns_alone_learns_from_changed_maps_and_what_comes_after_from_pictures(photos):
    model, start, console = small_model(), small_model(), Console(file=io.StringIO(), width=200)
    start.set_weights(model.get_weights())
    log = fit(model, photos, augment=FroFA(), views=3, console=console, **SETTINGS)
    assert (log.features, log.views, log["top"].cut) == ("cache", 3, ("block_2_out",))
    assert log.validation_accuracy >= 0.7
    assert console.file.getvalue().count("\nfeatures: ") == 2  # of maps for the head, of pictures for the top
    head, top = find_cut(start, learning=[]), find_cut(start, learning=choose_layers(Anatomy.of(start), -1))
    assert [missing(head.prefix, photos, views) for views in (3, 4)] == [0, len(photos.split.train)]
    assert [missing(top.prefix, photos, views) for views in (1, 2)] == [0, len(photos.split.train)]


def test_a_phase_of_the_whole_network_learns_from_pictures_beside_changed_maps(photos):
    plan = [*SHORT, Phase("all", train="all", epochs=1, rate=1e-3)]
    log = fit(small_model(), photos, augment=FroFA(), progress=False, **SETTINGS | {"plan": plan})
    assert (log.views, [phase.cut for phase in log.phases]) == (9, [("head_pool",), ()])

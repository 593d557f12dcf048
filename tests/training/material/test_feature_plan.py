"""plan_features: what can train on kept features does where it pays, and the reason is told."""

from dataclasses import replace

import keras
import pytest

from tfxfer.augment import CutMix, FroFA, MixUp, augmentation, device_augmentation
from tfxfer.errors import SettingError
from tfxfer.features import budget
from tfxfer.models import build
from tfxfer.training import Phase
from tfxfer.training.material import feature_plan
from tfxfer.training.material.feature_plan import check_features, plan_features

OFF = "augment='frofa' changes kept features, and features='off' keeps none; leave one out."
NO_MAP = (
    "augment='frofa' changes the map of a frozen backbone that the head pools, and there is no such map in "
    "phase {}; give a plan in which the head learns alone and a backbone that ends in a map, or another "
    "augmentation."
)
HEAD, TOP = Phase("head", epochs=20), Phase("top", train=-1, epochs=10)
LIGHT = augmentation("light")


@pytest.fixture(scope="module")
def model():
    return build(classes=3, backbone="micro", image_size=32)


@pytest.fixture(autouse=True)
def _home(cache_home):
    return cache_home


@pytest.fixture
def plan(model, photos):
    def plan(features="auto", phases=(HEAD, TOP), views=None, augment=None, mixing=None, photos=photos):
        return plan_features(
            model,
            phases,
            photos,
            features=features,
            views=views,
            augment=augment,
            mixing=mixing,
        )

    return plan


def test_off_keeps_nothing_and_needs_no_reason(plan):
    assert (plan("off").name, plan("off").why) == ("off", "")


def test_small_work_is_not_worth_it(plan):
    found = plan()
    assert found.name == "off"
    assert str(found) == (
        "features: off, since the frozen part has little to do: 765 runs, 2.87G multiply-adds."
    )


def test_large_work_is(plan, photos):
    many = replace(photos, split=replace(photos.split, train=photos.split.train * 5000))
    found = plan(photos=many)
    assert found.name == "cache"
    assert set(found.cuts) == {"head", "top"}
    assert found.views == 1


def test_whoever_asks_gets_it_with_the_estimate(plan):
    found = plan("cache", augment=LIGHT)
    assert (found.cuts["head"].names, found.cuts["top"].names) == (("head_pool",), ("block_2_out",))
    assert found.views == 4
    assert str(found) == (
        "features: kept, since the frozen part runs 177 times instead of 765; on disk 0.4 MB."
    )


def test_views_are_one_where_nothing_changes_pictures(plan, says):
    assert plan("cache").views == 1
    assert plan("cache", augment=LIGHT, views=2).views == 2
    message = "views=3 would be all alike, since nothing changes pictures; give augment."
    with pytest.raises(SettingError, match=says(message)):
        plan("cache", views=3)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"mixing": CutMix()},
            "cutmix(alpha=1) mixes pictures anew in every step, so what is made of them is never the same",
        ),
        (
            {"augment": device_augmentation("light")},
            "augmentation light on the device changes whole batches, not pictures one by one",
        ),
    ],
    ids=["cutmix", "device"],
)
def test_what_changes_batches_turns_it_off_or_is_refused(plan, says, settings, reason):
    assert str(plan(**settings)) == f"features: off, since {reason}."
    message = f"features='cache' cannot be: {reason}; leave that out, or give features='off'."
    with pytest.raises(SettingError, match=says(message)):
        plan("cache", **settings)


def test_mixup_mixes_what_is_kept(plan):
    assert plan("cache", mixing=MixUp()).cuts.keys() == {"head", "top"}


def test_what_changes_features_is_for_heads_that_learn_alone(plan):
    found = plan(augment=FroFA())
    assert ([found.views_of(name) for name in ("head", "top")], found.forced) == ([9, 1], True)
    assert str(found) == (
        "features: kept, since the frozen part runs 102 times instead of 765; on disk 0.3 MB."
    )
    head = plan(augment=FroFA(), phases=[HEAD], views=5)
    assert (head.views_of("head"), head.plain) == (5, [])
    assert "the frozen part runs 51 times" in str(head)
    assert plan(augment=FroFA(), mixing=MixUp()).cuts.keys() == {"head", "top"}


def test_what_changes_features_has_fewer_views_where_there_is_no_room(plan, monkeypatch, says):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 250_000)
    found = plan(augment=FroFA())
    assert (set(found.cuts), found.views) == ({"head", "top"}, 7)
    assert found.why.endswith("on disk 0.2 MB; 7 of 9 views have room")
    monkeypatch.setattr(budget, "BUDGET_BYTES", 100_000)
    found = plan(augment=FroFA())
    assert (set(found.cuts), found.views, found.plain) == ({"head"}, 5, [])
    monkeypatch.setattr(budget, "BUDGET_BYTES", 1000)
    message = (
        "augment='frofa' cannot be: there is no room for 0.0 MB of them; clear some (tfxfer cache --clear), "
        "or give another augmentation."
    )
    with pytest.raises(SettingError, match=says(message)):
        plan(augment=FroFA())


def test_where_there_are_no_features_to_change_it_is_refused(plan, says):
    with pytest.raises(SettingError, match=says(NO_MAP.format("top"))):
        plan(augment=FroFA(), phases=[TOP])
    with pytest.raises(SettingError, match=says(NO_MAP.format("all"))):
        plan(augment=FroFA(), phases=[Phase("all", train="all")])
    mixed = (
        "augment='frofa' cannot be: cutmix(alpha=1) mixes pictures anew in every step, so what is made of "
        "them is never the same; leave that out, or give another augmentation."
    )
    with pytest.raises(SettingError, match=says(mixed)):
        plan(augment=FroFA(), mixing=CutMix())
    with pytest.raises(SettingError, match=says(OFF)):
        plan("off", augment=FroFA())


def test_a_backbone_that_gives_vectors_has_no_map_to_change(photos, tmp_path, says):
    inputs = keras.Input((32, 32, 3))
    rows = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(inputs))
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Dense(8, activation="relu")(rows))
    keras.Model(inputs, outputs).save(file := tmp_path / "vectors.keras")
    model = build(classes=3, backbone=f"file:{file}", image_size=32, pixel_range=(0, 255))
    with pytest.raises(SettingError, match=says(NO_MAP.format("head"))):
        plan_features(model, [HEAD], photos, features="auto", views=None, augment=FroFA(), mixing=None)


def test_where_nothing_is_frozen_it_says_so(plan):
    whole = [Phase("all", train="all", batch_norm="train")]
    assert str(plan("cache", whole)) == "features: off, since nothing is frozen in front of what learns."


def test_phases_without_a_frozen_part_run_the_whole_model(plan):
    assert set(plan("cache", (HEAD, Phase("all", train="all"))).cuts) == {"head"}


def test_views_are_fewer_where_there_is_no_room_and_then_phases(plan, monkeypatch, says):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 300_000)
    found = plan("cache", augment=LIGHT)
    assert found.views == 2
    assert found.why.endswith("on disk 0.2 MB; 2 of 4 views have room")
    monkeypatch.setattr(budget, "BUDGET_BYTES", 50_000)
    found = plan("cache", augment=LIGHT)
    assert (set(found.cuts), found.views) == ({"head"}, 2)
    assert found.why.endswith("; 2 of 4 views have room; those of phase top have no room")
    monkeypatch.setattr(budget, "BUDGET_BYTES", 1000)
    reason = "there is no room for 0.0 MB of them"
    assert plan(augment=LIGHT).why == reason
    message = (
        f"features='cache' cannot be: {reason}; clear some (tfxfer cache --clear), or give features='off'."
    )
    with pytest.raises(SettingError, match=says(message)):
        plan("cache", augment=LIGHT)


def test_where_nothing_can_be_written_it_says_so(plan, cache_home, says):
    (cache_home / "features").write_text("a file")
    reason = (
        f"features cannot be kept in {cache_home / 'features'} (File exists); have XDG_CACHE_HOME name a "
        "folder that can be written and has room"
    )
    assert str(plan()) == f"features: off, since {reason}."
    with pytest.raises(SettingError, match=says(f"{reason}, or give features='off'.")):
        plan("cache")


@pytest.mark.parametrize(
    ("features", "views", "message"),
    [
        ("cash", None, "no features 'cash'; did you mean 'cache'? There are auto, cache, off."),
        ("auto", 0, "views must be at least 1, or None to leave it to fit, got 0."),
        ("off", 2, "views counts what is kept, and features='off' keeps nothing; leave one out."),
    ],
)
def test_bad_settings_say_what_is_allowed(features, views, message, says):
    with pytest.raises(SettingError, match=says(message)):
        check_features(features, views)


def test_features_to_change_are_to_be_kept(says):
    with pytest.raises(SettingError, match=says(OFF)):
        check_features("off", None, FroFA())
    message = (
        "views=1 keeps what is made of each picture as it is, and augment='frofa' changes the others; give "
        "at least 2, or leave one out."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_features("auto", 1, FroFA())
    check_features("auto", 2, FroFA())


def test_where_views_are_more_than_epochs_nothing_is_saved(plan, monkeypatch):
    monkeypatch.setattr(feature_plan, "_LEAST_SAVED", 0)
    assert plan().name == "cache"
    short = [Phase("head", epochs=3, patience=None)]
    assert plan(phases=short, augment=LIGHT, views=4).name == "off"
    assert str(plan("cache", phases=short, augment=LIGHT, views=4)) == (
        "features: kept, since it is asked for, though the frozen part runs 177 times instead of 153; on "
        "disk 0.1 MB."
    )

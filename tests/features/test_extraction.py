"""Extraction: views come by picture and policy, are computed once, and resume where a killed run stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import REPOSITORY, draw
from tfxfer.augment import FroFA, augmentation
from tfxfer.data import from_arrays, from_folder, read_image
from tfxfer.errors import DataError, SettingError
from tfxfer.features import budget, find_cut, find_map, usage
from tfxfer.features.engines import TensorFlowEngine, choose_engine
from tfxfer.features.extraction import kept_bytes, open_features, prefix_sha256
from tfxfer.models import build, set_trainable


@pytest.fixture(scope="module")
def model():
    model = build(classes=3, backbone="micro", image_size=32)
    set_trainable(model, -1)
    return model


@pytest.fixture(scope="module")
def cut(model):
    return find_cut(model)


@pytest.fixture(scope="module")
def engine(cut):
    return TensorFlowEngine(cut.prefix)


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.fixture(autouse=True)
def _home(cache_home):
    return cache_home


def extracted(cut, photos, engine, views, augment=None, indices=range(6)):
    """Compute what is missing; return the extraction, and how many views that were."""
    extraction = open_features(cut.prefix, photos, list(indices), augment=augment)
    missing = extraction.missing(dict.fromkeys(indices, views))
    done = []
    extraction.compute(missing, engine, advance=done.append)
    assert sum(done) == missing.views
    return extraction, missing.views


def open_missing(cut, photos, views, augment):
    """Say what would be computed."""
    extraction = open_features(cut.prefix, photos, list(range(6)), augment=augment)
    return extraction.missing(dict.fromkeys(range(6), views))


def read(extraction, indices, views):
    places = extraction.places(list(indices), views)
    (maps,) = extraction.gather(places.reshape(-1), [0])
    return maps.reshape(len(places), views, *maps.shape[1:])


def test_plain_views_are_what_the_prefix_makes_of_the_pictures(cut, photos, engine):
    extraction, _ = extracted(cut, photos, engine, 1, indices=photos.split.validation)
    (images, _), *_ = photos.batches("validation", image_size=32, batch_size=100).as_numpy_iterator()
    wanted = cut.prefix.predict(images.astype(np.float32), verbose=0)
    found = read(extraction, photos.split.validation, 1)[:, 0]
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-3)


@pytest.fixture(scope="module")
def head_cut(model):
    return find_cut(model, learning=[])


def test_views_of_maps_are_what_the_head_gets_of_changed_ones(head_cut, photos):
    """One run a picture; each view is the mean of its map, changed by the picture's own chance."""
    before = find_map(head_cut.prefix)
    runs = []

    class Counting(TensorFlowEngine):
        def __call__(self, images):
            runs.append(len(images))
            return super().__call__(images)

    extraction, computed = extracted(head_cut, photos, Counting(before), 3, FroFA(0.5))
    assert extraction.frozen.output_shape == before.output_shape
    assert (sum(runs), computed) == (6, 18)
    found = read(extraction, range(6), 3)
    contents = [content for _, content in photos.contents(list(range(6)))]
    images = np.stack([read_image(each, height=32, width=32) for each in contents]).astype(np.float32)
    for index, features in enumerate(before.predict(images, verbose=0)):
        keys = [extraction._key(index, view) for view in range(3)]
        changed = [FroFA(0.5).changed(features, int.from_bytes(key[:8]) >> 1) for key in keys[1:]]
        wanted = [features.mean((0, 1)), *(each.mean((0, 1)) for each in changed)]
        np.testing.assert_allclose(found[index], wanted, rtol=2e-3, atol=1e-3)
    missing = open_missing(head_cut, photos, 5, FroFA(0.5))
    assert (missing.views, extraction.runs(missing)) == (12, 6)


def test_the_first_view_of_a_map_is_shared_with_those_who_change_nothing(head_cut, photos):
    extracted(head_cut, photos, TensorFlowEngine(head_cut.prefix), 1)
    assert open_missing(head_cut, photos, 3, FroFA()).views == 12
    extracted(head_cut, photos, TensorFlowEngine(find_map(head_cut.prefix)), 3, FroFA())
    assert open_missing(head_cut, photos, 3, FroFA()).views == 0
    assert open_missing(head_cut, photos, 3, FroFA(0.2)).views == 12


def test_views_differ_and_repeat(cut, photos, engine, cache_home):
    policy = augmentation("medium")
    views = read(extracted(cut, photos, engine, 3, policy)[0], range(6), 3)
    assert len({view.tobytes() for picture in views for view in picture}) == 18
    shutil.rmtree(cache_home / "features")
    again, computed = extracted(cut, photos, engine, 3, policy)
    assert computed == 18
    np.testing.assert_array_equal(read(again, range(6), 3), views)


def test_only_what_is_new_is_computed(cut, photos, engine):
    policy = augmentation("light")
    assert extracted(cut, photos, engine, 2, policy)[1] == 12
    assert extracted(cut, photos, engine, 2, policy)[1] == 0
    assert extracted(cut, photos, engine, 2, policy, indices=range(8))[1] == 4
    assert extracted(cut, photos, engine, 3, policy)[1] == 6
    # Plain views are the same for every policy.
    assert extracted(cut, photos, engine, 2, augmentation("strong"))[1] == 6


def test_other_weights_or_sizes_are_other_features(cut, photos, engine):
    assert extracted(cut, photos, engine, 1)[1] == 6
    other = build(classes=3, backbone="micro", image_size=32)
    layer = other.get_layer("stem_conv")
    layer.set_weights([weight + 1e-3 for weight in layer.get_weights()])
    set_trainable(other, -1)
    assert extracted(find_cut(other), photos, engine, 1)[1] == 6
    assert extracted(cut, replace(photos, resize="stretch"), engine, 1)[1] == 6
    assert extracted(cut, photos, engine, 1)[1] == 0


def test_the_head_is_no_matter_and_flags_are_none(model, cut):
    before = prefix_sha256(cut.prefix)
    model.get_layer("head_logits").kernel.assign_add(np.ones((224, 3)))
    set_trainable(model, "all")
    set_trainable(model, -1)
    assert prefix_sha256(find_cut(model).prefix) == before


def test_features_of_other_policies_go_where_the_budget_is_full(cut, photos, engine, monkeypatch):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 70_000)
    for policy, computed in ((None, 6), ("light", 12), ("medium", 12), ("strong", 18)):
        extraction = open_features(cut.prefix, photos, range(6), augment=policy and augmentation(policy))
        views = dict.fromkeys(range(6), 3 if policy else 1)
        extraction.make_room(views)
        missing = extraction.missing(views)
        assert missing.views == computed
        extraction.compute(missing, engine, advance=lambda _: None)
        assert usage().size < 70_000


def test_features_of_other_pictures_go_where_the_disk_is_full(cut, photos, engine, monkeypatch):
    row = 2 * int(np.prod(cut.prefix.output_shape[1:]))
    disk = 26 * row
    monkeypatch.setattr(budget, "_free", lambda: disk - usage().size)
    for pictures, computed in ((range(10), 10), (range(8, 14), 4), (range(11, 27), 16)):
        wanted = dict.fromkeys(pictures, 1)
        budget.check_room(len(wanted) * row, kept=kept_bytes(cut.prefix, photos))
        extraction = open_features(cut.prefix, photos, pictures)
        extraction.make_room(wanted)
        missing = extraction.missing(wanted)
        assert missing.views == computed
        extraction.compute(missing, engine, advance=lambda _: None)
        assert usage().size < disk


def test_what_was_used_last_goes_last(cut, photos, engine):
    extraction, _ = extracted(cut, photos, engine, 1)
    os.utime(extraction.store.folder, (0, 0))
    open_features(cut.prefix, photos, range(6))
    assert extraction.store.folder.stat().st_mtime > time.time() - 600


def test_alike_pictures_are_computed_once_and_functions_anew(cut, engine):
    images = np.stack([np.asarray(draw("red", number % 5)) for number in range(30)])
    photos = from_arrays(images, [number % 5 // 3 for number in range(30)])
    extraction, _ = extracted(cut, photos, engine, 1, indices=range(10))
    assert len(extraction.store) == 5
    darker = augmentation(lambda pixels: pixels // 2)
    assert [extracted(cut, photos, engine, 2, darker, indices=range(5))[1] for _ in range(2)] == [5, 5]


def test_a_bad_picture_is_named(cut, engine, pictures):
    photos = from_folder(pictures)
    path = photos.root / photos.records[2].path
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=f"^{path} is "):
        extracted(cut, photos, engine, 1)


def test_features_that_float16_does_not_hold_are_refused(photos):
    model = build(classes=3, backbone="micro", image_size=32)
    set_trainable(model, -1)
    norm = model.get_layer("block_2_bn2")
    norm.gamma.assign(norm.gamma * 1e6)
    large = find_cut(model)
    message = (
        r"^features of micro_prefix reach \S+, which float16 does not hold; take another backbone, or train "
        r"with features='off'\.$"
    )
    with pytest.raises(SettingError, match=message):
        extracted(large, photos, TensorFlowEngine(large.prefix), 1)


# Slow enough, at 60 pictures, that no machine is done before it is killed.
KILLED = """
import sys
import time
from tfxfer.augment import FroFA, augmentation
from tfxfer.data import from_folder
from tfxfer.features import find_cut, store
from tfxfer.features.engines import choose_engine
from tfxfer.features.extraction import open_features
from tfxfer.models import build, set_trainable
store.LONGEST_UNWRITTEN = 0.0
model = build(classes=3, backbone="micro", image_size=32)
set_trainable(model, -1)
cut = find_cut(model)
photos = from_folder(sys.argv[1])
extraction = open_features(cut.prefix, photos, range(60), augment=augmentation("medium"))
engine, _ = choose_engine(cut.prefix)
missing = extraction.missing(dict.fromkeys(range(60), 4))


def advance(_):
    print("kept", flush=True)
    time.sleep(0.05)


extraction.compute(missing, engine, advance=advance)
"""


@pytest.mark.parametrize(
    "kills", [pytest.param(3, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.exhaustive)]
)
def test_what_was_killed_resumes_to_the_same_arrays(cut, photos, cache_home, monkeypatch, kills):
    home = cache_home / "killed"
    environment = os.environ | {"XDG_CACHE_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    generator = np.random.default_rng(kills)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(photos.root)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout.readline() == b"kept\n"
        time.sleep(generator.uniform(0.0, 0.9 / kills))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    policy = augmentation("medium")
    engine, _ = choose_engine(cut.prefix)
    undisturbed, computed = extracted(cut, photos, engine, 4, policy, indices=range(60))
    assert computed == 240
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    resumed, computed = extracted(cut, photos, engine, 4, policy, indices=range(60))
    assert 0 < computed < 240
    np.testing.assert_array_equal(read(resumed, range(60), 4), read(undisturbed, range(60), 4))

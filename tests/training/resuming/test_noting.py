"""Noting: a fit that is interrupted goes on to the same weights, wherever it was."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.training.journals import rows_of, scalars_of
from tests.training.unguarded import fit
from tfxfer.augment import device_augmentation
from tfxfer.data import from_shards, write_shards
from tfxfer.models import build
from tfxfer.training import L2SP, Phase

PLAN = (
    Phase("head", epochs=3, rate=5e-3),
    Phase("top", train=-1, epochs=3, rate=1e-3, warmup=0.5, ema=0.5, layer_decay=0.5, patience=2, soup=2),
    Phase("more", train=-2, epochs=2, rate=1e-3, anchor=L2SP(), batch_norm="train", optimizer="sgd"),
)
SOLVED = (Phase("head", optimizer="lbfgs"), *PLAN[1:])


class Interrupt(keras.callbacks.Callback):
    """End the process, as far as fit can tell, after so many epochs over all phases."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_epoch_begin(self, *_, **__):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


def run(photos, **settings):
    model = small_model()
    log = fit(model, photos, **{"plan": PLAN, "progress": False, "batch_size": 16, **settings})
    return model, log


def same(one, other):
    (model, log), (again, its_log) = one, other
    for variable, value in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert its_log.kept == log.kept
    assert (its_log.guard is None) == (log.guard is None)
    assert log.guard is None or its_log.guard.over_probe == log.guard.over_probe
    for phase, its in zip(log.phases, its_log.phases, strict=True):
        assert its.history == phase.history
        assert (its.name, its.best_epoch, its.rate) == (phase.name, phase.best_epoch, phase.rate)
    return True


WAYS = {
    "pictures": {"features": "off", "augment": "light", "balance": "class_weights"},
    "on the device": {"features": "off", "augment": device_augmentation("light"), "mix": "cutmix"},
}


@pytest.fixture(scope="module")
def interrupted(photos, tmp_path_factory):
    """A fit on kept features, and one that was interrupted within two phases and gone on with."""
    home = tmp_path_factory.mktemp("noting")
    settings = {"features": "cache", "augment": "light", "views": 2, "mix": "mixup", "guard": True}
    undisturbed = run(photos, **settings)
    settings |= {"checkpoints": home / "held", "resume": True}
    settings |= {"csv": home / "log.csv", "tensorboard": home / "board"}
    for after in (1, 3):  # within the head, within the top
        with pytest.raises(KeyboardInterrupt):
            run(photos, **settings, callbacks=[Interrupt(after)])
    return undisturbed, run(photos, **settings), settings


def test_it_goes_on_to_the_same_weights_on_kept_features(interrupted, photos):
    undisturbed, gone_on, settings = interrupted
    assert same(undisturbed, gone_on)
    assert same(undisturbed, run(photos, **settings))  # nothing is left to do


def test_each_epoch_is_logged_once_all_the_same(interrupted):
    _, (_, log), settings = interrupted
    expected = []
    for phase in log.phases:
        for figures in zip(*phase.history.values(), strict=True):
            names = {"epoch": len(expected) + 1, "phase": phase.name}
            expected.append(names | dict(zip(phase.history, figures, strict=True)))
    assert [row["phase"] for row in expected] == ["head"] * 3 + ["top"] * 3 + ["more"] * 2
    assert rows_of(settings["csv"]) == expected
    runs = ["1_head", "2_top", "3_more"]
    assert sorted(path.name for path in settings["tensorboard"].iterdir()) == runs
    for run_name, phase, first in zip(runs, log.phases, (1, 4, 7), strict=True):
        for part, mark in (("train", ""), ("validation", "val_")):
            found = scalars_of(settings["tensorboard"] / run_name / part)
            assert found == {
                name.replace(mark, "epoch_", 1) if mark else f"epoch_{name}": [
                    (first + place, pytest.approx(value)) for place, value in enumerate(values)
                ]
                for name, values in phase.history.items()
                if name.startswith("val_") == bool(mark)
            }


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_to_the_same_weights(photos, tmp_path, way):
    undisturbed = run(photos, **WAYS[way])
    settings = {**WAYS[way], "checkpoints": tmp_path, "resume": True}
    for after in (0, 1, 2, 2, 1):  # before anything, within the head, at its end, within the top, at its end
        with pytest.raises(KeyboardInterrupt):
            run(photos, **settings, callbacks=[Interrupt(after)])
    assert same(undisturbed, run(photos, **settings))


def test_a_stream_that_is_kept_goes_on_alike(photos, tmp_path):
    """Its order is drawn elsewhere than that of files."""
    write_shards(photos, tmp_path / "shards", pictures_per_shard=8)
    stream = from_shards(tmp_path / "shards")
    settings = {"plan": PLAN[:1], "features": "off", "augment": "light"}
    undisturbed = run(stream, **settings)
    settings |= {"checkpoints": tmp_path / "checkpoints", "resume": True}
    with pytest.raises(KeyboardInterrupt):
        run(stream, **settings, callbacks=[Interrupt(1)])
    assert same(undisturbed, run(stream, **settings))


KILLED = """
import sys
from tests.training.resuming.test_noting import SOLVED, run
from tfxfer.data import from_folder
photos = from_folder(sys.argv[1])
print("ready", flush=True)
run(photos, plan=SOLVED, features="cache", checkpoints=sys.argv[2], resume=True)
"""


@pytest.mark.parametrize(
    "kills", [pytest.param(2, marks=pytest.mark.slow), pytest.param(30, marks=pytest.mark.exhaustive)]
)
def test_what_was_killed_goes_on_to_the_same_weights(photos, tmp_path, kills):
    started = time.perf_counter()
    undisturbed = run(photos, plan=SOLVED, features="cache")
    longest = 1.5 * (time.perf_counter() - started)
    folder, generator = tmp_path / "checkpoints", np.random.default_rng(kills)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(photos.root), str(folder)],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout.readline() == b"ready\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(generator.uniform(0, longest))
        process.kill()
        process.stdout.close()
        if process.wait() == 0:
            shutil.rmtree(folder)  # it came to its end: begin anew, to be killed again
    assert same(undisturbed, run(photos, plan=SOLVED, features="cache", checkpoints=folder, resume=True))

"""A study begins, goes on where it was cut off, exhausts a grid, prunes, and keeps others out."""

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from tfxfer.errors import DivergedError, MissingExtra, SettingError
from tfxfer.searching import Choice, FloatRange, IntRange
from tfxfer.searching.study import (
    check_folder,
    importances,
    needed,
    opened,
    run_trials,
    suggested,
    trials_of,
)

SPACE = {
    "rate": FloatRange(1e-4, 1e-1, log=True),
    "dropout": FloatRange(0.0, 0.5),
    "top_blocks": IntRange(1, 4),
    "mix": Choice(None, "mixup"),
}


def hill(trial):
    """Stand for a fit: the closer to some settings, the lower."""
    drawn = suggested(trial, SPACE)
    return abs(drawn["dropout"] - 0.2) + abs(drawn["top_blocks"] - 2) + (drawn["mix"] is None)


def slope(trial):
    """Go down to a hill's height in ten epochs."""
    height = hill(trial)
    for epoch in range(1, 11):
        trial.report(height + 1 / epoch, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return height


def study_in(folder, about=None, *, pruner="none"):
    return opened(folder, about or {"seed": 0}, higher=False, pruner=pruner, epochs=10)


def run(study, objective=hill, *, trials=12, sampler="tpe", seed=0, space=SPACE, timeout=None, tell=None):
    asked = {"trials": trials, "sampler": sampler, "seed": seed, "timeout": timeout, "tell": tell}
    run_trials(study, objective, space, **asked)
    return [(trial.settings, trial.value) for trial in trials_of(study)]


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_a_seed_draws_the_same_trials_and_another_others(sampler, tmp_path):
    drawn = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        with study_in(tmp_path / name, {"name": name}) as study:
            drawn.append(run(study, sampler=sampler, seed=seed))
    assert len(drawn[0]) == 12
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({str(settings) for settings, _ in drawn[0]}) == 12


@pytest.mark.parametrize("sampler", ["tpe", "grid"])
def test_a_study_that_was_cut_off_goes_on_as_it_would_have_gone(sampler, tmp_path):
    with study_in(tmp_path / "whole") as study:
        whole = run(study, sampler=sampler)
    with study_in(tmp_path / "cut") as study:
        run(study, trials=5, sampler=sampler)
        study.ask()  # begun, and never told of again
    with study_in(tmp_path / "cut") as study:
        (stale,) = [each for each in study.get_trials() if each.state.name == "FAIL"]
        assert stale.number == 5
        told = []
        assert run(study, sampler=sampler, tell=told.append) == whole
        assert [trial.number for trial in told] == list(range(6, 13))


def test_a_point_of_a_grid_that_was_laid_out_and_not_begun_is_not_laid_out_twice(tmp_path):
    space = {"dropout": FloatRange(0.0, 0.4), "top_blocks": Choice(1, 2)}

    def value(trial):
        return float(suggested(trial, space)["dropout"])

    with study_in(tmp_path) as study:
        run(study, value, sampler="grid", space=space, trials=2)
        waiting = run(study, value, sampler="grid", space=space, trials=2)
    with study_in(tmp_path / "other") as study:
        whole = run(study, value, sampler="grid", space=space)
    with study_in(tmp_path) as study:
        study.enqueue_trial(whole[2][0])
        assert run(study, value, sampler="grid", space=space) == whole
    assert waiting == whole[:2]
    points = {(settings["dropout"], settings["top_blocks"]) for settings, _ in whole}
    assert points == {(dropout, blocks) for dropout in (0.0, 0.2, 0.4) for blocks in (1, 2)}
    assert len(whole) == 6  # of 12 that were asked for


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_what_falls_behind_is_pruned(pruner, tmp_path):
    with study_in(tmp_path, pruner=pruner) as study:
        run(study, slope, trials=20)
        trials = trials_of(study)
    pruned = [trial for trial in trials if trial.state == "pruned"]
    complete = [trial for trial in trials if trial.state == "complete"]
    assert pruned
    assert len(pruned) + len(complete) == 20
    assert all(1 <= trial.epochs <= 10 for trial in pruned)
    assert all(trial.epochs == 10 for trial in complete)
    if pruner == "median":
        assert min(trial.epochs for trial in pruned) == 2
        assert [trial.state for trial in trials[:4]] == ["complete"] * 4


def test_what_diverges_counts_and_is_told_and_what_fails_otherwise_stops(tmp_path):
    def mad(trial):
        if trial.number == 1:
            raise DivergedError("phase 'head' ended in NaN.")
        if trial.number == 3:
            raise OSError("the disk is full")
        return hill(trial)

    with study_in(tmp_path) as study:
        told = []
        with pytest.raises(OSError, match=r"^the disk is full$"):
            run(study, mad, trials=5, tell=told.append)
        assert [(trial.number, trial.state, trial.note) for trial in told] == [
            (0, "complete", ""),
            (1, "diverged", "phase 'head' ended in NaN."),
            (2, "complete", ""),
        ]
        assert told[1].value is None
        assert len(run(study, hill, trials=5)) == 5


def test_after_the_time_none_begins(tmp_path):
    with study_in(tmp_path) as study:
        assert len(run(study, timeout=1e-9)) == 0
        assert len(run(study, timeout=1e9, trials=2)) == 2


def test_what_made_the_difference_is_told_once_there_are_enough(tmp_path):
    with study_in(tmp_path) as study:
        run(study, trials=3)
        assert importances(study, seed=0) == {}
        run(study, trials=20, sampler="random")
        shares = importances(study, seed=0)
        assert importances(study, seed=0) == shares
    assert next(iter(shares)) in ("top_blocks", "mix")
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert sum(shares.values()) == pytest.approx(1)


def test_another_study_is_refused_with_what_differs(tmp_path, says):
    with study_in(tmp_path, {"seed": 0, "space": {"rate": "1..2"}, "by": "loss"}):
        pass
    message = (
        f"{tmp_path} holds another study, with other seed, space; give another folder, or what that one was "
        "begun with."
    )
    with (
        pytest.raises(SettingError, match=says(message)),
        study_in(tmp_path, {"seed": 1, "space": {}, "by": "loss"}),
    ):
        pass


def test_two_searches_at_once_are_refused(tmp_path, says):
    message = (
        f"another search is at work in {tmp_path} (database is locked); wait for it, or give another folder."
    )
    with study_in(tmp_path), pytest.raises(SettingError, match=says(message)), study_in(tmp_path):
        pass


def test_a_folder_of_other_things_is_refused(tmp_path, says):
    (tmp_path / "thesis.txt").write_text("mine")
    message = f"{tmp_path} holds other things (and no study.db to go on with); give another folder."
    with pytest.raises(SettingError, match=says(message)):
        check_folder(tmp_path)
    file = tmp_path / "thesis.txt"
    with pytest.raises(SettingError, match=says(f"{file} is a file; give a folder to write to.")):
        check_folder(file)
    check_folder(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["optuna", "matplotlib"])
def test_what_is_not_installed_is_told(name, monkeypatch, says):
    monkeypatch.setitem(sys.modules, name, None)
    message = f"a search needs {name}, which is not installed; pip install 'tfxfer[search]'."
    with pytest.raises(MissingExtra, match=says(message)):
        needed()


KILLED = """
import os, sys
from pathlib import Path
from tests.searching.test_study import hill, run, study_in

def killed(trial):
    if trial.number == 6:
        trial.report(1.0, 1)
        os.kill(os.getpid(), 9)
    return hill(trial)

with study_in(Path(sys.argv[1])) as study:
    run(study, killed)
"""


@pytest.mark.slow
def test_a_process_that_was_killed_loses_the_running_trial_alone(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "cut")]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == -9
    with study_in(tmp_path / "whole") as study:
        whole = run(study)
    with study_in(tmp_path / "cut") as study:
        assert len(trials_of(study)) == 6
        assert run(study) == whole

"""A trial is judged on validation, tells of each epoch, and ends where it falls behind."""

import math

import optuna
import pytest

from tfxfer.contracts import FitLog, PhaseLog
from tfxfer.searching import JudgedBy
from tfxfer.searching.objective import Reporter, judge_of


@pytest.mark.parametrize(
    ("task", "by", "judge"),
    [
        ("regression", "loss", JudgedBy("loss")),
        ("single_label", "metric", JudgedBy("accuracy", higher=True)),
        ("multi_label", "metric", JudgedBy("binary_accuracy", higher=True)),
        ("regression", "metric", JudgedBy("mean_absolute_error")),
    ],
)
def test_each_task_has_its_judge(task, by, judge):
    assert judge_of(task, by) == judge


def test_a_judge_reads_the_epoch_that_was_kept():
    history = {"loss": (1.0, 0.5), "val_loss": (0.9, 0.7), "val_accuracy": (0.6, 0.8)}
    log = FitLog((PhaseLog("head", 10, history, 1, 1.0),), "head")
    assert JudgedBy("loss").of(log) == 0.9
    assert JudgedBy("accuracy", higher=True).of(log) == 0.6


def test_epochs_count_on_over_phases_and_the_best_is_told():
    trial = optuna.create_study().ask()
    reporter = Reporter(trial, JudgedBy("loss"))
    for epoch, value in [(0, 0.9), (1, 0.5), (2, math.nan), (0, 0.7), (1, 0.4)]:
        reporter.on_epoch_end(epoch, {"val_loss": value})
    (frozen,) = trial.study.get_trials()
    assert frozen.intermediate_values == {1: 0.9, 2: 0.5, 3: 0.5, 4: 0.4}


def test_a_trial_that_falls_behind_ends():
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=2)
    )
    judge = JudgedBy("accuracy", higher=True)
    good = study.ask()
    reporter = Reporter(good, judge)
    for epoch in range(2):
        reporter.on_epoch_end(epoch, {"val_accuracy": 0.9})
    study.tell(good, 0.9)
    reporter = Reporter(study.ask(), judge)
    reporter.on_epoch_end(0, {"val_accuracy": 0.1})
    with pytest.raises(optuna.TrialPruned):
        reporter.on_epoch_end(1, {"val_accuracy": 0.1})

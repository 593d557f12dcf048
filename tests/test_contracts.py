"""The values that flow: frozen, and consistent with themselves."""

from dataclasses import FrozenInstanceError

import pytest

from tfxfer.contracts import FitLog, ImageRecord, InputContract, PhaseLog, Split
from tfxfer.errors import SettingError

HEAD = PhaseLog("head", 10, {"val_loss": (0.5, 0.3, 0.4), "val_accuracy": (0.7, 0.9, 0.8)}, 2, 1.5)
TOP = PhaseLog("top", 20, {"val_loss": (0.6,), "val_accuracy": (0.6,)}, 1, 2.5)


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        ImageRecord("a.png", 0).label = 1


def test_a_split_answers_by_part():
    split = Split(train=(0, 1), validation=(2,), test=(3,), seed=0)
    assert [split[part] for part in ("train", "validation", "test")] == [(0, 1), (2,), (3,)]


def test_the_input_is_rgb():
    assert InputContract(2, 3).shape == (2, 3, 3)


def test_a_log_speaks_of_the_phase_that_was_kept():
    log = FitLog((HEAD, TOP), kept="head")
    assert log.validation_loss == 0.3
    assert log.validation_accuracy == 0.9
    assert log.validation_metrics == {"accuracy": 0.9}
    assert log.seconds == 4.0
    assert log["top"] is TOP


def test_a_log_of_numbers_has_no_accuracy(says):
    history = {"loss": (2.0, 1.0), "val_loss": (2.0, 1.0), "val_mean_absolute_error": (7.0, 5.0)}
    history["val_focal_loss"] = (0.2, 0.1)
    log = FitLog((PhaseLog("head", 10, history, 2, 1.5),), kept="head")
    assert log.validation_metrics == {"mean_absolute_error": 5.0}
    message = (
        "there is no validation accuracy where pictures do not each show one class; validation_metrics has "
        "mean_absolute_error."
    )
    with pytest.raises(SettingError, match=says(message)):
        _ = log.validation_accuracy

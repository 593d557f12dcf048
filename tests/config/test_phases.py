"""Phase: settings out of range are refused, and it goes into JSON."""

import json

import keras
import pytest

from tfxfer.errors import SettingError
from tfxfer.training import L2SP, Phase


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs of phase 'p' must be at least 1, got 0."),
        ({"rate": 0.0}, "rate of phase 'p' must be above 0, or 'find', got 0."),
        ({"rate": float("nan")}, "rate of phase 'p' must be above 0, or 'find', got nan."),
        ({"rate": float("inf")}, "rate of phase 'p' must be above 0, or 'find', got inf."),
        ({"weight_decay": float("nan")}, "weight_decay of phase 'p' must be at least 0, got nan."),
        ({"l2": float("nan")}, "l2 of phase 'p' must be at least 0, got nan."),
        ({"co_tuning": float("inf")}, "co_tuning of phase 'p' must be at least 0, got inf."),
        ({"rate": "fast"}, "rate of phase 'p' must be 'find' or a number above 0, got 'fast'."),
        ({"warmup": 1.0}, "warmup of phase 'p' must be in [0, 1), got 1."),
        ({"patience": 0}, "patience of phase 'p' must be at least 1, or None, got 0."),
        ({"weight_decay": -0.1}, "weight_decay of phase 'p' must be at least 0, got -0.1."),
        (
            {"batch_norm": "on"},
            "batch_norm of phase 'p' must be 'frozen', 'train' or 'recalibrate', got 'on'.",
        ),
        (
            {"schedule": "linear"},
            "schedule of phase 'p' must be 'cosine', 'one-cycle', 'step' or 'constant', got 'linear'.",
        ),
        (
            {"optimizer": "adam"},
            "optimizer of phase 'p' must be 'adamw', 'sgd', 'lbfgs' or one of keras.optimizers, got 'adam'.",
        ),
        (
            {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())},
            "optimizer of phase 'p' must be a name, or one of keras.optimizers that wraps no other, got "
            "LossScaleOptimizer.",
        ),
        (
            {"optimizer": 5},
            "optimizer of phase 'p' must be a name, or one of keras.optimizers that wraps no other, got int.",
        ),
        ({"layer_decay": 0.0}, "layer_decay of phase 'p' must be in (0, 1], got 0."),
        ({"drops": (0.6, 0.4)}, "drops of phase 'p' must be shares in (0, 1), ascending, got (0.6, 0.4)."),
        ({"drops": (0.6, 1.0)}, "drops of phase 'p' must be shares in (0, 1), ascending, got (0.6, 1.0)."),
        ({"ema": 1.0}, "ema of phase 'p' must be in (0, 1), or None, got 1."),
        ({"co_tuning": -1.0}, "co_tuning of phase 'p' must be at least 0, got -1."),
        ({"soup": 1}, "soup of phase 'p' must be at least 2, or None, got 1."),
        ({"l1": -1.0}, "l1 of phase 'p' must be at least 0, got -1."),
        ({"l2": -1.0}, "l2 of phase 'p' must be at least 0, got -1."),
        (
            {"anchor": L2SP(), "l2": 1e-4},
            "anchor of phase 'p' is a penalty already; leave it out, or l2.",
        ),
        (
            {"optimizer": "lbfgs", "train": -2},
            "optimizer 'lbfgs' of phase 'p' solves the head alone, and train is -2; give train='head', or "
            "another optimizer.",
        ),
        (
            {"optimizer": "lbfgs", "ema": 0.9},
            "ema of phase 'p' is of training in steps, and optimizer 'lbfgs' takes none; leave it out, or "
            "give another optimizer.",
        ),
        (
            {"optimizer": "lbfgs", "rate": "find"},
            "rate of phase 'p' is of training in steps, and optimizer 'lbfgs' takes none; leave it out, or "
            "give another optimizer.",
        ),
        (
            {"optimizer": "lbfgs", "batch_norm": "train"},
            "batch_norm of phase 'p' is of training in steps, and optimizer 'lbfgs' takes none; leave it "
            "out, or give another optimizer.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings_say_what_is_allowed(change, message, says):
    with pytest.raises(SettingError, match=says(message)):
        Phase("p", **change)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_strength_that_is_none_is_refused(value, says):
    with pytest.raises(SettingError, match=says(f"alpha of L2SP must be at least 0, got {value:g}.")):
        L2SP(alpha=value)


def test_it_goes_into_json():
    plain = json.loads(json.dumps(Phase("head", epochs=3).to_dict()))
    assert (plain["name"], plain["epochs"], plain["optimizer"], plain["anchor"]) == ("head", 3, "adamw", None)
    phase = Phase("p", train=slice(-3, None), optimizer=keras.optimizers.Lion(), anchor=L2SP(beta=0.5))
    plain = json.loads(json.dumps(phase.to_dict()))
    assert plain["train"] == "slice(-3, None, None)"
    assert plain["optimizer"] == "Lion"
    assert plain["anchor"] == {"alpha": 0.1, "beta": 0.5}

"""Phase and the plans: settings out of range are refused, the usual plan is what it says."""

import pytest

from tfxfer.errors import SettingError
from tfxfer.training import Phase, from_scratch, two_phases


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs of phase 'p' must be at least 1, got 0."),
        ({"rate": 0.0}, "rate of phase 'p' must be above 0, got 0."),
        ({"warmup": 1.0}, "warmup of phase 'p' must be in [0, 1), got 1."),
        ({"patience": 0}, "patience of phase 'p' must be at least 1, or None, got 0."),
        ({"weight_decay": -0.1}, "weight_decay of phase 'p' must be at least 0, got -0.1."),
        ({"batch_norm": "on"}, "batch_norm of phase 'p' must be 'frozen' or 'train', got 'on'."),
        ({"schedule": "step"}, "schedule of phase 'p' must be 'cosine' or 'constant', got 'step'."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings_say_what_is_allowed(change, message, says):
    with pytest.raises(SettingError, match=says(message)):
        Phase("p", **change)


def test_the_usual_plan_is_head_then_top():
    head, top = two_phases(stages=18)
    assert (head.train, head.epochs) == ("head", 20)
    assert (top.train, top.epochs) == (-3, 10)
    assert top.rate < head.rate
    assert top.warmup > 0


def test_no_top_epochs_leave_the_backbone_frozen():
    assert [phase.name for phase in two_phases(stages=5, top_epochs=0)] == ["head"]


def test_as_many_blocks_as_asked_for():
    assert two_phases(stages=5, top_blocks=2)[1].train == -2


def test_more_blocks_than_there_are(says):
    message = (
        "top_blocks must be between 1 and 5 for this backbone, got 6; top_epochs=0 leaves the backbone "
        "frozen."
    )
    with pytest.raises(SettingError, match=says(message)):
        two_phases(stages=5, top_blocks=6)


def test_from_scratch_everything_learns():
    (phase,) = from_scratch(epochs=7)
    assert (phase.train, phase.batch_norm, phase.epochs) == ("all", "train", 7)


def test_a_backbone_that_cannot_be_trained_gets_one_phase():
    assert [phase.name for phase in two_phases(stages=0)] == ["head"]

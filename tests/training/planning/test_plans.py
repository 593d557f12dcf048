"""Plans: each is what it says, and takes what it says."""

import math

import pytest

from tfxfer.errors import SettingError
from tfxfer.training import (
    Phase,
    bit_hyperrule,
    choose_phases,
    from_scratch,
    full,
    gradual,
    rate_schedule,
    two_phases,
)


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
        "top_blocks must be between 1 and 5 for this backbone, got 6; plan='head' leaves the backbone frozen."
    )
    with pytest.raises(SettingError, match=says(message)):
        two_phases(stages=5, top_blocks=6)


def test_from_scratch_everything_learns():
    (phase,) = from_scratch(epochs=7)
    assert (phase.train, phase.batch_norm, phase.epochs) == ("all", "train", 7)


def test_a_backbone_that_cannot_be_trained_gets_one_phase():
    assert [phase.name for phase in two_phases(stages=0)] == ["head"]


def test_gradually_one_stage_more_learns_in_each_phase():
    phases = gradual(stages=9, top_epochs=10, top_blocks=4)
    assert [phase.train for phase in phases] == ["head", -1, -2, -3, -4]
    assert [phase.epochs for phase in phases[1:]] == [2] * 4
    assert len({phase.name for phase in phases}) == 5
    assert all(phase.layer_decay < 1 for phase in phases[1:])


def test_in_the_end_everything_learns():
    head, all_of_it = full(head_epochs=2, top_epochs=3)
    assert (head.train, head.epochs) == ("head", 2)
    assert (all_of_it.train, all_of_it.epochs) == ("all", 3)
    assert all_of_it.layer_decay < 1


@pytest.mark.parametrize(
    ("images", "supports"),
    [
        (19_999, (100, 200, 300, 400, 500)),
        (20_000, (500, 3_000, 6_000, 9_000, 10_000)),
        (499_999, (500, 3_000, 6_000, 9_000, 10_000)),
        (500_000, (500, 6_000, 12_000, 18_000, 20_000)),
    ],
)
def test_bit_hyperrule_falls_at_the_supports_of_its_authors(images, supports):
    (phase,) = bit_hyperrule(images=images, batch_size=512)
    steps = supports[-1]
    assert phase.rate == 0.003
    assert (phase.epochs - 1) * math.ceil(images / 512) < steps <= phase.epochs * math.ceil(images / 512)
    schedule = rate_schedule(phase, steps=steps)
    assert float(schedule(supports[0])) == pytest.approx(0.003)
    assert float(schedule(supports[0] - 10)) < 0.003
    for number, support in enumerate(supports[1:-1], start=1):
        assert float(schedule(support - 10)) == pytest.approx(0.003 / 10 ** (number - 1))
        assert float(schedule(support)) == pytest.approx(0.003 / 10**number)


def test_names_stand_for_them():
    assert choose_phases("two-phase", stages=9) == choose_phases(None, stages=9) == two_phases(stages=9)
    assert choose_phases("head", stages=9) == two_phases(stages=9, top_epochs=0)
    assert choose_phases("gradual", stages=9, top_blocks=2) == gradual(stages=9, top_blocks=2)
    assert choose_phases("full", stages=9, top_epochs=4) == full(top_epochs=4)


def test_without_pretrained_weights_there_is_nothing_worth_freezing():
    assert choose_phases(None, stages=9, scratch=True) == from_scratch(epochs=30)
    assert choose_phases(None, stages=9, scratch=True, head_epochs=3, top_epochs=0) == from_scratch(epochs=3)


@pytest.mark.parametrize("plan", [None, "two-phase", "gradual", "full"])
def test_no_epochs_after_the_head_leave_the_backbone_frozen(plan):
    assert [phase.name for phase in choose_phases(plan, stages=9, top_epochs=0)] == ["head"]


def test_each_phase_may_look_for_its_rate():
    assert {phase.rate for phase in choose_phases("full", stages=9, find_rate=True)} == {"find"}


def test_each_phase_may_average_its_best_epochs():
    assert {phase.soup for phase in choose_phases("full", stages=9, soup=5)} == {5}
    (own,) = choose_phases([Phase("a", soup=3)], stages=9)
    assert own.soup == 3


def test_batch_norm_may_be_of_every_phase():
    assert {phase.batch_norm for phase in choose_phases("gradual", stages=9)} == {"frozen"}
    every = choose_phases("gradual", stages=9, batch_norm="recalibrate")
    assert {phase.batch_norm for phase in every} == {"recalibrate"}
    (own,) = choose_phases([Phase("a", batch_norm="train")], stages=9)
    assert own.batch_norm == "train"


def test_phases_of_one_s_own_are_taken_as_they_are():
    own = [Phase("a"), Phase("b", train="all")]
    assert choose_phases(own, stages=0) == tuple(own)


@pytest.mark.parametrize(
    ("plan", "settings", "message"),
    [
        (
            "gradually",
            {},
            "no plan 'gradually'; did you mean 'gradual'? There are two-phase, head, gradual, full, or "
            "phases of your own.",
        ),
        ("head", {"top_epochs": 3}, "plan 'head' takes no top_epochs, got 3; leave it out."),
        ("full", {"top_blocks": 3}, "plan 'full' takes no top_blocks, got 3; leave it out."),
        ([], {}, "plan must be at least one phase, each with a name of its own, got none."),
        (["head"], {}, "plan must be a name or a list of phases, got ['head']."),
        (Phase("a"), {}, f"plan must be a name or a list of phases, got {Phase('a')}."),
        (
            [Phase("a"), Phase("a")],
            {},
            "plan must be at least one phase, each with a name of its own, got ['a', 'a'].",
        ),
        (
            [Phase("a")],
            {"head_epochs": 3},
            "plan holds phases that say all, got head_epochs=3 beside; leave it out.",
        ),
    ],
    ids=["name", "head", "full", "none", "names", "bare", "twice", "both"],
)
def test_what_is_no_plan_is_refused(plan, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        choose_phases(plan, stages=9, **settings)


def test_a_backbone_that_cannot_be_trained_has_no_such_plan(says):
    message = "plan 'full' trains the backbone, and this one cannot be; take 'head'."
    with pytest.raises(SettingError, match=says(message)):
        choose_phases("full", stages=0)

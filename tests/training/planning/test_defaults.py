"""Defaults: what is chosen for which counts, what is left to whoever says, and what is told of it."""

import pytest

from tfxfer.training import Phase, choose_defaults, phases_for, two_phases


@pytest.mark.parametrize(
    ("images", "stages", "blocks"),
    [
        (1, 1, 1),
        (245, 4, 1),
        (245, 9, 1),
        (245, 10, 2),
        (499, 18, 3),
        (500, 18, 6),
        (500, 2, 1),
        (50_000, 5, 1),
        (50_000, 53, 17),
    ],
)
def test_more_blocks_learn_of_more_pictures_and_one_at_least(images, stages, blocks):
    chosen = choose_defaults(images=images, stages=stages)
    assert (chosen.head_epochs, chosen.top_epochs, chosen.top_blocks) == (20, 10, blocks)


def test_a_backbone_that_cannot_be_trained_has_no_top():
    chosen = choose_defaults(images=200, stages=0)
    assert (chosen.head_epochs, chosen.top_epochs, chosen.top_blocks) == (20, 0, 0)
    assert chosen.fill(None) == {"head_epochs": 20}


@pytest.mark.parametrize(
    ("plan", "given", "filled"),
    [
        (None, {}, {"head_epochs": 20, "top_epochs": 10, "top_blocks": 3}),
        ("two-phase", {}, {"head_epochs": 20, "top_epochs": 10, "top_blocks": 3}),
        (None, {"head_epochs": None, "top_blocks": 5}, {"head_epochs": 20, "top_epochs": 10}),
        (None, {"head_epochs": 7, "top_epochs": 8, "top_blocks": 5}, {}),
        (None, {"top_epochs": 0}, {"head_epochs": 20}),
        (None, {"scratch": True}, {"head_epochs": 20, "top_epochs": 10}),
        ("two-phase", {"scratch": True}, {"head_epochs": 20, "top_epochs": 10, "top_blocks": 3}),
        ("head", {}, {"head_epochs": 20}),
        ("gradual", {}, {}),
        ("full", {}, {}),
        ([Phase("a")], {}, {}),
    ],
)
def test_what_somebody_gives_is_not_chosen(plan, given, filled):
    assert choose_defaults(images=60, stages=18).fill(plan, **given) == filled


def test_what_is_chosen_goes_into_the_phases_and_is_told_with_its_reason():
    phases, chosen = phases_for(None, images=1_400, stages=18, soup=3)
    assert [(phase.epochs, phase.train, phase.soup) for phase in phases] == [(20, "head", 3), (10, -6, 3)]
    assert chosen == {
        "head_epochs": "20, since it ends early where it gets no better",
        "top_epochs": "10, since what is pretrained is to change little",
        "top_blocks": "6, since a third of the backbone's 18 suits 1,400 training pictures",
    }


def test_a_head_that_is_solved_takes_no_epochs_and_the_rest_fewer():
    phases, chosen = phases_for(None, images=1_400, stages=18, solved=True)
    assert [(phase.epochs, phase.train, phase.solved) for phase in phases] == [
        (1, "head", True),
        (8, -6, False),
    ]
    assert list(chosen) == ["head", "top_epochs", "top_blocks"]
    assert chosen["top_epochs"] == "8, since what is pretrained is to change little"
    (head,), chosen = phases_for(None, images=1_400, stages=0, solved=True)
    assert (head.solved, list(chosen)) == (True, ["head"])
    (_, top), _ = phases_for(None, images=1_400, stages=18, solved=True, top_epochs=12)
    assert top.epochs == 12


def test_what_is_given_goes_into_the_phases_and_is_not_told():
    given = {"head_epochs": 3, "top_epochs": 2, "top_blocks": 4}
    assert phases_for("two-phase", images=1_400, stages=18, **given) == (two_phases(stages=18, **given), {})

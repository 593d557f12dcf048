"""Settings become phases and arguments; what does not go together is refused before."""

import pytest

from tfxfer import L2SP, Recipe
from tfxfer.errors import SettingError
from tfxfer.searching import Choice, FloatRange, IntRange, default_space
from tfxfer.searching.recipes import check_space, phases_of, recipe

MICRO = {"backbone": "micro"}


def test_settings_go_where_they_belong():
    made = recipe(
        {
            "backbone": "micro",
            "dropout": 0.3,
            "mix": "mixup",
            "batch_size": 16,
            "head_epochs": 4,
            "top_epochs": 2,
            "top_blocks": 2,
            "weight_decay": 0.01,
            "head_rate": 0.005,
            "top_weight_decay": 0.0,
            "top_warmup": 0.2,
        },
        stages=4,
    )
    told = {"backbone": "micro", "dropout": 0.3, "mix": "mixup", "batch_size": 16, "features": "cache"}
    head, top = phases_of(made)
    assert made == Recipe().with_settings(**told, plan=(head, top))
    assert (head.epochs, head.rate, head.weight_decay, head.warmup) == (4, 0.005, 0.01, 0.0)
    assert (top.epochs, top.rate, top.weight_decay, top.warmup, top.train) == (2, 1e-4, 0.0, 0.2, -2)


def test_what_all_trials_are_told_is_of_every_phase():
    made = recipe({"head_epochs": 4}, stages=4, base=Recipe().with_settings(soup=3, precision="float32"))
    assert [phase.soup for phase in phases_of(made)] == [3, 3]
    assert made.training.precision == "float32"


def test_an_anchor_holds_the_phases_that_train_the_backbone():
    made = recipe({"plan": "gradual", "top_blocks": 2, "anchor_alpha": 0.5}, stages=4)
    assert [phase.anchor for phase in phases_of(made)] == [None, L2SP(0.5), L2SP(0.5)]


def test_the_head_is_solved_where_nothing_is_said_of_how_it_is_trained():
    head, top = phases_of(recipe({"rate": 1e-3, "top_warmup": 0.2}, stages=4))
    assert (head.solved, top.rate, top.warmup) == (True, 1e-3, 0.2)
    (head, top) = phases_of(recipe({"batch_norm": "recalibrate"}, stages=4))
    assert (head.solved, head.batch_norm, top.batch_norm) == (True, "recalibrate", "recalibrate")
    (head,) = phases_of(recipe({"top_epochs": 0, "weight_decay": 0.1}, stages=4))
    assert (head.solved, head.weight_decay) == (False, 0.1)
    for settings in (
        {"batch_norm": "train"},
        {"head_rate": 1e-3},
        {"label_smoothing": 0.1},
        {"head_epochs": 3},
        {"plan": "head"},
    ):
        assert not phases_of(recipe(settings, stages=4))[0].solved


def test_from_scratch_one_phase_has_it_all():
    base = Recipe().with_settings(weights=None)
    (phase,) = phases_of(recipe({"head_rate": 0.01, "anchor_beta": 0.1}, stages=4, base=base))
    assert (phase.name, phase.rate, phase.anchor) == ("all", 0.01, L2SP(beta=0.1))


@pytest.mark.parametrize(
    ("settings", "use", "used"),
    [({}, "auto", "cache"), ({}, "off", "off"), ({"mix": "cutmix"}, "auto", "auto")],
)
def test_features_are_kept_for_the_next_trial_unless_that_cannot_be(settings, use, used):
    made = recipe(settings, stages=4, base=Recipe().with_settings(features=use))
    assert made.training.features == used


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"stages": 4}, ["top_rate", "weight_decay", "dropout"]),
        ({"stages": 18, "plan": "head"}, ["head_rate", "weight_decay", "dropout", "label_smoothing"]),
        ({"stages": 0, "task": "regression"}, ["head_rate", "weight_decay", "dropout"]),
        ({"stages": 18, "plan": "full", "task": "multi_label"}, ["top_rate", "layer_decay", "weight_decay"]),
        ({"stages": 18, "scratch": True}, ["head_rate", "weight_decay", "dropout", "label_smoothing"]),
    ],
)
def test_the_default_space_fits_the_job(settings, names):
    space = default_space(**settings)
    assert list(space)[: len(names)] == names
    rest = {name: settings[name] for name in ("plan",) if name in settings}
    check_space(
        space,
        MICRO | rest,
        stages_of=lambda _: settings["stages"],
        scratch=settings.get("scratch", False),
    )


@pytest.mark.parametrize(
    ("space", "fixed", "message"),
    [
        (
            {"dropout": FloatRange(0, 0.5)},
            {"dropout": 0.1},
            "dropout is fixed to 0.1 and varies over 0..0.5; leave one out.",
        ),
        (
            {"balance": Choice("none", "focal"), "mix": Choice(None, "mixup")},
            {},
            "mix makes pictures of two classes each, which focal cannot weigh; balance must be 'none' or "
            "'sampling' with it.",
        ),
        (
            {"label_smoothing": FloatRange(0, 0.2)},
            {"balance": "focal"},
            "label_smoothing makes shares of classes, which focal loss does not take; leave one out.",
        ),
        (
            {"views": Choice(1, 4), "augment": Choice("light", "none")},
            {},
            "views=4 would be all alike, since nothing changes pictures; give augment.",
        ),
        (
            {"top_blocks": IntRange(1, 9)},
            {},
            "top_blocks must be between 1 and 4 for this backbone, got 9; plan='head' leaves the backbone "
            "frozen.",
        ),
        (
            {"plan": Choice("full", "two-phase"), "top_blocks": IntRange(1, 2)},
            {},
            "plan 'full' takes no top_blocks, got 1; leave it out.",
        ),
        (
            {"top_rate": FloatRange(1e-5, 1e-3)},
            {"plan": "head"},
            "top_rate is of phases after the first, and there is one alone; leave it out.",
        ),
        (
            {"anchor_alpha": FloatRange(0, 1)},
            {"plan": "head"},
            "anchor_alpha holds back what is pretrained, and none of it learns; leave it out.",
        ),
        (
            {"anchor_alpha": FloatRange(0, 1), "top_l2": FloatRange(0, 1)},
            {},
            "anchor of phase 'top' is a penalty already; leave it out, or l2.",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(space, fixed, message, says):
    with pytest.raises(SettingError, match=says(message)):
        check_space(space, MICRO | fixed, stages_of=lambda _: 4)


def test_views_of_features_that_are_not_kept_are_refused(says):
    message = "views counts what is kept, and features='off' keeps nothing; leave one out."
    with pytest.raises(SettingError, match=says(message)):
        check_space({"views": Choice(2, 4)}, {"augment": "light"}, features="off")
    message = "augment='frofa' changes kept features, and features='off' keeps none; leave one out."
    with pytest.raises(SettingError, match=says(message)):
        check_space({"augment": Choice("none", "frofa")}, {}, features="off")


def test_the_data_set_has_a_say(numbers, says):
    message = "label_smoothing is for one class a picture (single_label), got regression; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        check_space({"label_smoothing": FloatRange(0, 0.2)}, MICRO, photos=numbers)

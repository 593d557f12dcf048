"""What all trials share: the same pictures, seed and start; the test part is not among it."""

import io
import json
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from rich.console import Console

from tests.conftest import draw
from tests.searching.conftest import FIXED, SPACE
from tfxfer import Recipe
from tfxfer.data import from_folder
from tfxfer.errors import DivergedError, SettingError
from tfxfer.searching import Choice, FloatRange, IntRange, JudgedBy, Trial
from tfxfer.searching.job import Job, check_early, teller

MICRO = {"backbone": "micro"}


def job(photos, space=None, fixed=None, **start):
    base = Recipe().with_settings(guard=False, **start)
    return Job.of(photos, space, fixed or MICRO, base=base, judge=JudgedBy("loss"))


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


def test_no_trial_sees_the_test_part(photos, found):
    blind = replace(photos, split=replace(photos.split, test=()), left_out=())
    first = found.trials[0]
    trial = optuna.trial.FixedTrial(dict(first.settings))
    assert job(blind, SPACE, FIXED).value(trial) == first.value
    assert trial.user_attrs["figures"] == first.figures


def test_what_is_fixed_does_not_vary_by_default(photos, numbers):
    assert list(job(photos).space) == ["top_rate", "weight_decay", "dropout"]
    assert list(job(numbers).space) == ["top_rate", "weight_decay", "dropout"]
    fixed = MICRO | {"rate": 1e-3, "dropout": 0.1}
    assert list(job(photos, None, fixed).space) == ["weight_decay"]
    assert list(job(photos, None, MICRO | {"plan": "head"}).space)[:2] == ["head_rate", "weight_decay"]
    assert "top_rate" not in job(photos, weights=None).space


def test_nothing_left_to_vary_is_refused(photos, says):
    fixed = {"rate": 1e-3, "dropout": 0.1, "weight_decay": 0.0, "label_smoothing": 0.0}
    message = "nothing varies; name a setting and what it may be, or leave something unfixed."
    with pytest.raises(SettingError, match=says(message)):
        job(photos, None, MICRO | fixed)


def test_the_longest_trial_is_known(photos):
    assert job(photos).epochs == 9  # the head is solved
    assert job(photos, {"label_smoothing": FloatRange(0.0, 0.1)}).epochs == 30
    assert job(photos, {"head_epochs": IntRange(2, 7)}, MICRO | {"top_epochs": 3}).epochs == 10
    assert job(photos, {"backbone": Choice("micro", "mobilenet_v2")}, {"plan": "head"}).epochs == 20


def test_a_backbone_from_outside_is_looked_at(photos, hub_module):
    fixed = {"backbone": f"hub:{hub_module}", "image_size": 32}
    with pytest.raises(
        SettingError, match=r"^top_blocks must be between 1 and \d+ for this backbone, got 99;"
    ):
        job(photos, {"top_blocks": IntRange(1, 99)}, fixed, pixel_range=(0, 1))


def test_a_search_is_told_from_another_by_its_pictures_too(pictures):
    before = job(from_folder(pictures)).about()
    assert job(from_folder(pictures)).about() == before
    draw("red", 99).save(pictures / "red" / "00.png")
    after = job(from_folder(pictures)).about()
    assert {name for name in after if after[name] != before[name]} == {"pictures"}
    assert before["space"]["top_rate"] == "1e-05..0.001:log"


def test_a_search_is_told_from_another_by_what_all_trials_are_told(photos):
    before = job(photos).about()
    told = {"soup": 2, "precision": "float32", "weights": Path("own.h5"), "drop_path": 0.1, "reject": 0.1}
    after = job(photos, **told).about()
    assert {name for name in after if after[name] != before[name]} == told.keys() - {"reject"}
    assert json.loads(json.dumps(after))["weights"] == "own.h5"


def test_without_a_trial_that_ran_to_its_end_there_is_no_best(photos, tmp_path, says):
    trials = [
        Trial(0, "pruned", {}, 1.0, {}, 1, 1.0),
        Trial(1, "diverged", {}, None, {}, 1, 1.0, "NaN"),
        Trial(2, "diverged", {}, None, {}, 1, 1.0, "NaN"),
    ]
    message = (
        "none of 3 trials ran to its end: 1 pruned, 2 diverged; let rates be lower, or give more trials."
    )
    with pytest.raises(DivergedError, match=says(message)):
        job(photos).best_run(trials, tmp_path / "best", progress=False, console=None)


def test_each_trial_is_a_line():
    text = io.StringIO()
    tell = teller(JudgedBy("loss"), Console(file=text, width=60))
    settings = {"head_rate": 0.00123, "mix": None}
    tell(Trial(0, "complete", settings, 0.25, {"loss": 0.25, "binary_accuracy": 0.9}, 7, 2.34))
    tell(Trial(1, "pruned", settings, 0.75, {}, 3, 1.0))
    tell(Trial(2, "diverged", settings, None, {}, 1, 1.0, "phase 'head' ended in NaN"))
    assert text.getvalue().splitlines() == [
        "trial 0: loss 0.250, binary accuracy 0.900; 7 epochs, 2.3 s; head_rate 0.00123, mix none",
        "trial 1: pruned at loss 0.750; 3 epochs, 1.0 s; head_rate 0.00123, mix none",
        "trial 2: diverged: phase 'head' ended in NaN; 1 epochs, 1.0 s; head_rate 0.00123, mix none",
    ]


def test_what_can_be_refused_early_is(says):
    early = {"scratch": False, "features": "auto"}
    message = "nothing varies; name a setting and what it may be, or leave it to the default."
    with pytest.raises(SettingError, match=says(message)):
        check_early({}, MICRO, **early)
    message = "no backbone 'mikro'; did you mean 'micro'? `tfxfer backbones` lists all "
    with pytest.raises(SettingError, match=f"^{message.replace('?', '[?]')}"):
        check_early(None, {"backbone": "mikro"}, **early)
    with pytest.raises(
        SettingError, match=r"^top_rate is of phases after the first, and there is one alone;"
    ):
        check_early({"top_rate": FloatRange(1e-5, 1e-3)}, MICRO, scratch=True, features="auto")
    check_early({"top_rate": FloatRange(1e-5, 1e-3)}, {"backbone": "hub:nowhere"}, **early)

"""search: trials on a folder, the best trained again to the same figures, and all of it kept."""

import inspect
import json

import optuna
import pytest

import tfxfer
from tests.searching.conftest import FIXED, SEARCH
from tfxfer import Choice, FloatRange, Recipe, SettingError
from tfxfer.transferring import TrialSettings


def test_the_best_is_trained_again_to_the_same_figures(found):
    assert [trial.state for trial in found.trials] == ["complete"] * 3
    assert found.best.value == min(trial.value for trial in found.trials)
    assert found.run.log.validation_loss == found.best.value
    assert found.run.log.validation_metrics["accuracy"] == found.best.figures["accuracy"]
    assert found.run.log.features == "cache"
    (phase,) = found.run.log.phases
    assert phase.rate == found.best.settings["head_rate"]
    assert all(trial.epochs == 2 for trial in found.trials)


def test_the_study_the_picture_and_the_bundle_lie_in_the_folder(found):
    assert {path.name for path in found.folder.iterdir()} == {
        "best",
        "study.db",
        "study.json",
        "study.lock",
        "study.png",
    }
    kept = json.loads((found.folder / "study.json").read_text())
    assert kept == json.loads(json.dumps(found.to_dict()))
    assert not (found.folder / "best" / "report.html").exists()
    assert ([artifact.format for artifact in found.run.files], found.run.calibration) == (["keras"], None)
    card = json.loads((found.folder / "best" / "card.json").read_text())
    assert card["settings"]["search"] == {
        "trial": found.best.number,
        "trials": 3,
        "settings": dict(found.best.settings),
    }
    assert card["settings"]["dropout"] == found.best.settings["dropout"]
    assert card["settings"]["plan"][0]["rate"] == found.best.settings["head_rate"]


def test_the_recipe_of_the_best_makes_it_again(found, tmp_path):
    recipe = found.folder / "best" / "recipe.toml"
    run = tfxfer.transfer(recipe=recipe, to=tmp_path / "again", report=False, progress=False)
    weights = zip(run.model.get_weights(), found.run.model.get_weights(), strict=True)
    assert all((one == other).all() for one, other in weights)


def test_optuna_itself_can_read_the_study(found):
    storage = optuna.storages.RDBStorage(f"sqlite:///{found.folder / 'study.db'}")
    try:
        (name,) = optuna.get_all_study_names(storage)
        study = optuna.load_study(study_name=name, storage=storage)
        assert study.best_value == found.best.value
    finally:
        storage.remove_session()
        storage.engine.dispose()


@pytest.mark.slow
def test_the_same_call_goes_on_and_ends_as_one_that_was_never_cut_off(shared_pictures, found, tmp_path):
    short = tfxfer.search(shared_pictures, to=tmp_path / "study", trials=2, **SEARCH)
    assert [trial.settings for trial in short.trials] == [trial.settings for trial in found.trials[:2]]
    longer = tfxfer.search(shared_pictures, to=tmp_path / "study", trials=3, **SEARCH)
    assert [(trial.settings, trial.value) for trial in longer.trials] == [
        (trial.settings, trial.value) for trial in found.trials
    ]
    assert longer.run.log.validation_loss == found.best.value


@pytest.mark.slow
@pytest.mark.parametrize("task", ["tags", "numbers"])
def test_several_labels_and_numbers_are_searched_for_too(task, request, tmp_path):
    photos = request.getfixturevalue(task)
    settings = SEARCH | {"space": None, "sampler": "random", "pruner": "hyperband", "by": "metric"}
    found = tfxfer.search(photos, to=tmp_path / "study", trials=3, **settings)
    metric = "binary_accuracy" if task == "tags" else "mean_absolute_error"
    assert (found.judge.name, found.judge.higher) == (metric, task == "tags")
    assert found.run.log.validation_metrics[metric] == found.best.value


@pytest.mark.slow
def test_what_diverges_is_told_and_the_others_go_on(shared_pictures, tmp_path):
    space = {"head_rate": Choice(1e30, 1e-3), "head_schedule": Choice("constant", "cosine")}
    settings = SEARCH | {"space": space, "sampler": "grid"}
    found = tfxfer.search(shared_pictures, to=tmp_path / "study", trials=9, **settings)
    assert sorted(trial.state for trial in found.trials) == ["complete"] * 2 + ["diverged"] * 2
    (note, _) = [trial.note for trial in found.trials if trial.state == "diverged"]
    assert "ended in NaN" in note
    assert found.best.settings["head_rate"] == 1e-3


def test_help_has_each_setting_with_its_default():
    parameters = inspect.signature(tfxfer.search).parameters
    shared = {name: parameters[name].default for name in TrialSettings.__annotations__}
    assert shared == Recipe().pick(*shared)
    assert "guard" not in parameters


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampler": "grit"}, "no sampler 'grit'; did you mean 'grid'? There are tpe, random, grid."),
        ({"backbone": "vgg16"}, "backbone is 'vgg16', and fixed has 'micro'; leave one out."),
        ({"space": {"dropout": FloatRange(0.5, 1.0)}}, "dropout must be a number in [0, 1), got 1.0."),
        ({"formats": ("tflit",)}, "no export format 'tflit'; did you mean 'tflite'? "),
        ({"max_bad": 5}, "max_bad must be in 0..1, got 5; 0.05 is 5 %."),
        ({"reject": 2}, "the share of good pictures turned away must be in (0, 1), got 2."),
        ({"guard": True}, "a search takes no 'guard'. It takes columns, task, "),
        ({"batch_sise": 8}, "a search takes no 'batch_sise'; did you mean 'batch_size'? It takes columns, "),
        ({"dropout": 0.1}, "dropout is fixed to 0.1 and varies over 0.0..0.5; leave one out."),
        ({"augment": tfxfer.POLICIES["light"]}, "augment must be one of none, light, "),
        ({"seed": -1}, "seed must be between 0 and 4294967295, got -1."),
    ],
    ids=str,
)
def test_wrong_settings_leave_nothing_behind(shared_pictures, tmp_path, wrong, message, says):
    with pytest.raises(SettingError, match=says(message).removesuffix("$")):
        tfxfer.search(shared_pictures, to=tmp_path / "study", **SEARCH | wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_study_among_the_pictures_is_refused(pictures, says):
    message = f"{pictures / 'study'} is inside the pictures' folder {pictures}; give one outside it."
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.search(pictures, to=pictures / "study", **SEARCH)


def test_another_study_is_refused(found, says):
    message = (
        f"{found.folder} holds another study, with other fixed, seed; give another folder, or what that one "
        "was begun with."
    )
    other = SEARCH | {"fixed": FIXED | {"batch_size": 16}}
    photos = found.run.photos
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.search(photos, to=found.folder, seed=1, **other)

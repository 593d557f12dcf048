"""The guard: a fit that made it worse gives way to the probe, to the bit; one that did not stays."""

import io
import json

import numpy as np
import pytest
from rich.console import Console
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tfxfer.data import from_arrays
from tfxfer.errors import SettingError
from tfxfer.evaluation import evaluate
from tfxfer.exports import export
from tfxfer.features import pooled_features
from tfxfer.models import build, scores_of
from tfxfer.training import Phase, fit
from tfxfer.training.material.lessons import Lessons

WRECKING = (Phase("top", train=-2, epochs=2, rate=3.0, schedule="constant"),)
LEARNING = (Phase("head", epochs=120, rate=1e-2),)


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    pixels = np.repeat((found.images[:400] * 15.9).astype(np.uint8)[..., None], 3, axis=-1)
    return from_arrays(pixels, found.target[:400].tolist())


def small_model(photos, **settings):
    return build(photos, backbone="micro", image_size=32, **settings)


@pytest.fixture(scope="module")
def wrecked(digits, tmp_path_factory):
    """A fit that wrecks the backbone, with its checkpoints and what it told."""
    model, folder, told = small_model(digits), tmp_path_factory.mktemp("held"), io.StringIO()
    console = Console(file=told, width=200)
    log = fit(model, digits, plan=WRECKING, checkpoints=folder, console=console)
    return model, log, folder, told.getvalue()


def test_the_probe_is_kept_where_it_is_better(wrecked, digits):
    _, log, _, told = wrecked
    assert (log.kept, log.guard.kept, log.phases[-1].name) == ("probe", "probe", "probe")
    assert log.guard.over_probe.high < 0
    assert log.guard.pictures == len(digits.split.validation)
    assert f"guard: {log.guard}\n" in told
    assert log.validation_accuracy == log.guard.probe > log["top"].best("val_accuracy")


def test_the_backbone_is_back_to_its_start(wrecked, digits):
    model, *_ = wrecked
    start = small_model(digits)
    for variable, value in zip(model.weights, start.weights, strict=True):
        if not variable.path.startswith("head_"):
            np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert {variable.path for variable in model.trainable_variables} == {
        "head_logits/kernel",
        "head_logits/bias",
    }


def test_it_predicts_what_scikit_learn_s_probe_predicts(wrecked, digits):
    model, log, *_ = wrecked
    train, test = (
        pooled_features(small_model(digits), digits, digits.split[part], progress=False)
        for part in ("train", "validation")
    )
    # Centred, and each variance taken halfway to the mean of all.
    mean, variances = train.mean(axis=0), train.var(axis=0)
    train, test = ((each - mean) / np.sqrt((variances + variances.mean()) / 2) for each in (train, test))
    line = LogisticRegression(C=1 / 30, max_iter=1000).fit(train, digits.targets("train"))
    scores = model.predict(digits.batches("validation", image_size=32), verbose=0)
    np.testing.assert_allclose(scores, line.predict_proba(test), atol=5e-3)
    assert log.validation_accuracy == line.score(test, digits.targets("validation"))


def test_what_comes_after_goes_on_with_it(wrecked, digits, tmp_path):
    model, log, *_ = wrecked
    loss, accuracy = model.evaluate(digits.batches("validation", image_size=32), verbose=0)
    assert (loss, accuracy) == pytest.approx((log.validation_loss, log.validation_accuracy), abs=1e-4)
    assert evaluate(model, digits, part="validation").accuracy == pytest.approx(log.validation_accuracy)
    export(model, tmp_path / "bundle", digits, formats=("keras",), log=log)
    training = json.loads((tmp_path / "bundle" / "card.json").read_text())["training"]
    assert (training["kept"], training["guard"]["sentence"]) == ("probe", str(log.guard))


def test_a_run_that_is_gone_on_with_comes_to_the_same(wrecked, digits):
    model, log, folder, _ = wrecked
    again = small_model(digits)
    found = fit(again, digits, plan=WRECKING, checkpoints=folder, resume=True, progress=False)
    assert (found.kept, found.guard.over_probe) == ("probe", log.guard.over_probe)
    for variable, value in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)


@pytest.fixture(scope="module", params=["photos", "tags", "numbers"])
def learnt(request):
    """Fits that learn well, of each task, and the same without a guard."""
    data = request.getfixturevalue(request.param)
    models = [small_model(data) for _ in range(2)]
    settings = {"plan": LEARNING, "features": "cache", "batch_size": 16, "progress": False}
    logs = [
        fit(model, data, guard=guard, **settings) for model, guard in zip(models, (True, False), strict=True)
    ]
    return data, models, logs


def test_a_fit_that_is_no_worse_stays_as_it_is(learnt):
    _, (model, plain), (log, without) = learnt
    assert log.kept == "head"
    assert log.guard.kept == "fine-tuned"
    assert (without.guard, without.guard_reason) == (None, "")
    for variable, value in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)


def test_its_figures_are_those_of_the_log(learnt):
    data, _, (log, _) = learnt
    (metric,) = log.validation_metrics.items()
    assert metric[0] == log.guard.measure
    if data.task == "regression":
        deviations = data.targets("train").std(axis=0)
        assert log.guard.fitted < 1 < metric[1] * 2 / deviations.min()
    else:
        assert log.guard.fitted == pytest.approx(metric[1], abs=1e-6)
    for score in (log.guard.probe, log.guard.colours):
        assert 0 <= score <= 1
    lead = log.guard.over_probe
    assert lead.low <= lead.value <= lead.high


def test_a_network_from_scratch_has_no_guard(photos):
    model = small_model(photos, weights=None)
    told = io.StringIO()
    log = fit(
        model, photos, plan=[Phase("all", train="all", epochs=1, batch_norm="train")],
        console=Console(file=told, width=200),
    )  # fmt: skip
    why = "the whole backbone learns from the beginning, as one without pretrained weights does"
    assert (log.guard, log.guard_reason) == (None, why)
    assert f"guard: none, since {why}.\n" in told.getvalue()


def test_a_phase_may_not_have_its_name(photos, says):
    message = (
        "a phase is called 'probe', as what the guard may keep is; give it another name, or guard=False."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit(small_model(photos), photos, plan=[Phase("probe", epochs=1)])


@pytest.mark.parametrize(("features", "epochs"), [("cache", 30), ("off", 1)])
def test_it_goes_by_kept_features_where_there_are_some(features, epochs, digits, monkeypatch):
    found, scores = [], Lessons.scores
    monkeypatch.setattr(Lessons, "scores", lambda *asked: found.append(scores(*asked)) or found[-1])
    model, plan = small_model(digits), [Phase("head", epochs=epochs, rate=1e-2), *WRECKING]
    log = fit(model, digits, plan=plan, features=features, progress=False)
    if features == "off":
        assert found == [None]
    else:
        assert log.kept == "head"  # else it is the probe that the model makes of pictures
        np.testing.assert_allclose(found[0], scores_of(model, digits, "validation"), atol=2e-3)

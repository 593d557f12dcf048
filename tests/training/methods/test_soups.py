"""Soup: greedy by brute force, with running averages and penalties, never worse than the best epoch."""

import itertools

import keras
import numpy as np
import pytest

from tests.training.unguarded import fit
from tfxfer.models import build
from tfxfer.training import L2SP, Phase, Soup


def brewed(points, *, most):
    """A soup after epochs whose weights were these points, judged by how far they are from 0."""
    variable = keras.Variable(points[0])
    soup = Soup([variable], most=most)
    for epoch, point in enumerate(points):
        variable.assign(point)
        soup.on_epoch_end(epoch, {"val_loss": float(np.linalg.norm(point))})
    soup.cook(lambda: {"val_loss": float(np.linalg.norm(variable)), "val_accuracy": 0.5})
    return soup, np.array(variable)


def by_hand(points, most):
    """What a greedy soup is, word for word: all points ranked, each kept if the mean gets no worse."""
    ranked = sorted(range(len(points)), key=lambda place: np.linalg.norm(points[place]))[:most]
    chosen = [ranked[0]]
    for place in ranked[1:]:
        before, after = (
            np.linalg.norm(np.mean([points[each] for each in some], axis=0))
            for some in (chosen, [*chosen, place])
        )
        if after <= before:
            chosen.append(place)
    return chosen


@pytest.mark.parametrize(("seed", "most"), list(itertools.product(range(6), (2, 3, 5))))
def test_it_is_what_greed_gives(seed, most):
    points = np.random.default_rng(seed).normal(size=(8, 2)).astype(np.float32)
    chosen = by_hand(points.astype(np.float64), most)
    soup, found = brewed(points, most=most)
    np.testing.assert_allclose(found, points[chosen].mean(axis=0), atol=1e-6)
    assert soup.epochs == (tuple(place + 1 for place in chosen) if len(chosen) > 1 else ())
    assert (soup.figures.get("val_loss") is not None) == (len(chosen) > 1)


def test_without_a_better_average_the_best_epoch_stays():
    points = np.array([[2.0, 0.0], [0.1, 0.0], [3.0, 0.1]], np.float32)
    soup, found = brewed(points, most=3)
    np.testing.assert_array_equal(found, points[1])
    assert (soup.epochs, soup.figures) == ((), {})
    assert str(soup) == "no average of its best epochs is as good as the best of them"


def test_what_is_no_number_does_not_go_in():
    variable = keras.Variable([np.nan])
    soup = Soup([variable], most=2)
    soup.on_epoch_end(0, {"val_loss": float("nan")})
    soup.cook(lambda: pytest.fail("there is nothing to judge"))
    assert np.isnan(np.array(variable)).all()


@pytest.fixture(scope="module")
def cooked(photos):
    """A fit that swings about its end, under a penalty and a running average."""
    model = build(classes=3, backbone="micro", image_size=32)
    before = {variable.path: np.array(variable) for variable in model.weights}
    settings = {"epochs": 8, "rate": 0.05, "schedule": "constant", "anchor": L2SP(beta=0.01)}
    head = Phase("head", soup=4, ema=0.5, **settings)
    return model, fit(model, photos, plan=[head], batch_size=16, progress=False), before


def test_a_fit_has_the_soup_s_weights_and_says_so(cooked, photos):
    model, log, _ = cooked
    head = log["head"]
    assert 2 <= len(head.soup) <= 4
    assert head.soup[0] == head.best_epoch
    assert head.best("val_loss") == head.souped["val_loss"] <= min(head.history["val_loss"])
    loss, accuracy = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=3e-3)
    assert accuracy == pytest.approx(log.validation_accuracy, abs=1e-4)


def test_what_is_frozen_is_the_same_to_the_bit(cooked):
    model, _, before = cooked
    frozen = [variable for variable in model.weights if not variable.path.startswith("head_")]
    assert len(frozen) > 10
    for variable in frozen:
        np.testing.assert_array_equal(np.array(variable), before[variable.path])


@pytest.mark.slow
def test_under_focal_loss_it_is_chosen_by_plain_cross_entropy_and_told(photos, capsys):
    model = build(classes=3, backbone="micro", image_size=32)
    head = Phase("head", epochs=8, rate=0.05, schedule="constant", soup=3)
    log = fit(model, photos, plan=[head], balance="focal", batch_size=16)
    loss, _ = model.evaluate(photos.batches("validation", image_size=32), verbose=0)
    assert loss == pytest.approx(log.validation_loss, abs=3e-3)
    told = "the average of epochs" if log["head"].soup else "no average of its best epochs"
    assert f"phase head: {told}" in capsys.readouterr().err

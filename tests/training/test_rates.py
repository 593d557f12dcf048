"""The rate finder: what it suggests, and that nothing is left of it."""

import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tfxfer.errors import DivergedError
from tfxfer.models import build
from tfxfer.training import L2SP, Phase, find_rate, fit, valley


def small_model():
    return build(classes=3, backbone="micro", image_size=32)


@pytest.fixture(scope="module")
def searched(photos):
    model = small_model()
    before = [np.array(variable) for variable in model.variables]
    return find_rate(model, photos, batch_size=16, seed=1, progress=False), model, before


def test_it_suggests_a_rate_that_learns_and_leaves_no_trace(searched, photos):
    found, model, before = searched
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert 1e-4 < found.suggestion < 1
    assert found.rates[0] == pytest.approx(1e-7)
    assert len(found.rates) == len(found.losses) <= 100
    ratios = np.divide(found.rates[1:], found.rates[:-1])
    np.testing.assert_allclose(ratios, 1e8 ** (1 / 99), rtol=1e-3)
    phase = Phase("head", epochs=8, rate=found.suggestion)
    assert fit(model, photos, plan=[phase], batch_size=16, progress=False).validation_accuracy > 0.6


@pytest.mark.parametrize("features", ["cache", pytest.param("off", marks=pytest.mark.slow)])
def test_other_phases_too_and_what_they_penalize(photos, features):
    model = small_model()
    before = [np.array(variable) for variable in model.variables]
    phase = Phase("top", train=-1, anchor=L2SP(), layer_decay=0.5, batch_norm="train")
    found = find_rate(model, photos, phase=phase, features=features, batch_size=16, progress=False)
    assert found.suggestion > 0
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert all(variable.regularizer is None for variable in model.weights)


def test_a_fit_finds_what_it_is_asked_to_find(photos):
    console = Console(file=io.StringIO(), width=200)
    phases = [Phase("head", epochs=3, rate="find"), Phase("top", train=-1, epochs=2, rate=1e-3)]
    log = fit(small_model(), photos, plan=phases, batch_size=16, console=console)
    assert f"phase head: a rate of {log['head'].rate:.1e}, of " in console.file.getvalue()
    assert log["top"].rate == 1e-3
    assert log["head"].best("loss") < log["head"].history["loss"][0]


def test_a_loss_that_is_no_number_is_told(photos, says):
    model = small_model()
    kernel = model.get_layer("head_logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    message = (
        "the loss is no number at a rate of 1.0e-07, before any could be told to be good; look at the "
        "pictures and the weights."
    )
    with pytest.raises(DivergedError, match=says(message)):
        find_rate(model, photos, progress=False)
    assert np.isnan(kernel).all()


def falls(losses):
    """Give the ends of every longest sequence that falls, by looking at all of them."""
    best, ends = 0, set()
    for count in range(len(losses), 0, -1):
        for places in itertools.combinations(range(len(losses)), count):
            values = [losses[place] for place in places]
            if all(later < earlier for earlier, later in itertools.pairwise(values)):
                best = count
                ends.add((places[0], places[-1]))
        if best:
            return ends
    return ends


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_the_valley_is_half_into_the_second_third_of_a_longest_fall(losses):
    middles = {first + int((last - first) / 3) + int((last - first) / 6) for first, last in falls(losses)}
    assert valley(losses) in middles


def test_it_says_what_it_found(searched):
    found, *_ = searched
    assert str(found) == (
        f"a rate of {found.suggestion:.1e}, of {len(found.rates)} from 1e-07 to {found.rates[-1]:.0e}"
    )

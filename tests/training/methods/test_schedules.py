"""rate_schedule: against the formula, written out."""

import math

import keras
import pytest

from tfxfer.training import Phase, rate_schedule


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.3])
def test_cosine_follows_the_formula(warmup):
    steps, peak = 100, 0.02
    rising = round(warmup * steps)
    schedule = rate_schedule(Phase("p", rate=peak, warmup=warmup), steps=steps)
    for step in range(steps + 1):
        if step < rising:
            expected = peak * (step + 1) / (rising + 1)
        else:
            expected = peak * (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-7)


def test_constant_rises_and_stays():
    schedule = rate_schedule(Phase("p", rate=0.5, schedule="constant", warmup=0.2), steps=10)
    assert [float(schedule(step)) for step in range(11)] == pytest.approx([0.5 / 3, 1 / 3, *[0.5] * 9])


def test_steps_are_those_of_bit():
    """Of 500 steps, the first 100 rise, and it falls after 200, 300 and 400."""
    schedule = rate_schedule(Phase("p", rate=0.003, schedule="step", warmup=0.2), steps=500)
    expected = {0: 0.003 / 101, 49: 0.003 * 50 / 101, 100: 0.003, 199: 0.003, 200: 3e-4, 299: 3e-4, 300: 3e-5}
    expected |= {399: 3e-5, 400: 3e-6, 499: 3e-6}
    assert {step: float(schedule(step)) for step in expected} == pytest.approx(expected)


def test_one_cycle_follows_the_formula():
    """As fastai writes it: from a 25th of the peak up, then down to a 100,000th, both along half a cosine."""
    steps, peak, rising = 100, 0.02, 25
    schedule = rate_schedule(Phase("p", rate=peak, schedule="one-cycle", warmup=0.25), steps=steps)
    for step in range(steps):
        if step < rising:
            low, high, share = peak / 25, peak, step / rising
        else:
            low, high, share = peak, peak / 1e5, (step - rising) / (steps - 1 - rising)
        expected = low + (high - low) * (1 - math.cos(math.pi * share)) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("kind", ["one-cycle", "step"])
def test_keras_can_save_them(kind):
    schedule = rate_schedule(Phase("p", schedule=kind, warmup=0.2), steps=20)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert [float(again(step)) for step in range(20)] == [float(schedule(step)) for step in range(20)]


@pytest.mark.parametrize("kind", ["cosine", "one-cycle", "step", "constant"])
def test_a_single_step_has_a_rate(kind):
    assert float(rate_schedule(Phase("p", schedule=kind, warmup=0.5), steps=1)(0)) > 0

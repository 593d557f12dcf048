"""rate_schedule: against the formula, written out."""

import math

import pytest

from tfxfer.training import rate_schedule


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.3])
def test_cosine_follows_the_formula(warmup):
    steps, peak = 100, 0.02
    rising = round(warmup * steps)
    schedule = rate_schedule("cosine", peak=peak, steps=steps, warmup=warmup)
    for step in range(steps + 1):
        if step < rising:
            expected = peak * (step + 1) / (rising + 1)
        else:
            expected = peak * (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-7)


def test_constant_rises_and_stays():
    schedule = rate_schedule("constant", peak=0.5, steps=10, warmup=0.2)
    assert [float(schedule(step)) for step in range(11)] == pytest.approx([0.5 / 3, 1 / 3, *[0.5] * 9])

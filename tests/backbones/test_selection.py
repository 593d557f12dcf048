"""find_backbones, pareto_front: what fits into limits, and what nothing beats."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.backbones import BACKBONES, find_backbones, pareto_front
from tfxfer.backbones.selection import ORDERS
from tfxfer.errors import SettingError

LIMITS = st.none() | st.integers(10**5, 10**9)


def test_without_limits_all_come_in_the_catalogue_s_order():
    assert find_backbones() == tuple(BACKBONES)


def test_the_best_within_five_million_parameters_and_400_million_macs_comes_first():
    found = find_backbones(max_parameters="5M", max_macs="400M", sort="top1")
    assert [spec.name for spec in found[:3]] == [
        "efficientnet_b0",
        "mobilenet_v3_large",
        "mobilenet_v3_large_075",
    ]
    assert found[-1].top1 is None


@given(LIMITS, LIMITS, st.none() | st.floats(0, 100), st.sampled_from([None, *ORDERS]))
def test_exactly_what_fits_is_found_and_sorted(parameters, macs, top1, order):
    found = find_backbones(max_parameters=parameters, max_macs=macs, min_top1=top1, sort=order)
    assert {spec.name for spec in found} == {
        spec.name
        for spec in BACKBONES
        if (parameters is None or spec.parameters <= parameters)
        and (macs is None or spec.macs <= macs)
        and (top1 is None or (spec.top1 is not None and spec.top1 >= top1))
    }
    if order == "top1":
        keys = [-1 if spec.top1 is None else spec.top1 for spec in reversed(found)]
    else:
        keys = [spec.input.height if order == "size" else getattr(spec, order or "name") for spec in found]
    assert order is None or keys == sorted(keys)


def test_nothing_may_fit():
    assert find_backbones(max_parameters=1000) == ()


@given(LIMITS)
def test_none_beats_the_front_and_the_front_beats_the_rest(macs):
    found = find_backbones(max_macs=macs)
    front = pareto_front(found)
    for spec in found:
        better = [f for f in front if spec.top1 is not None and f.macs <= spec.macs and f.top1 >= spec.top1]
        assert better or spec.top1 is None
    for one, other in itertools.pairwise(front):
        assert one.macs < other.macs
        assert one.top1 < other.top1


def test_the_front_of_nothing_is_empty():
    assert pareto_front([BACKBONES["micro"]]) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"max_parameters": "5X"},
            "max_parameters must be a whole count above 0, got '5X'; write it as 400k, 5M, 1.2G or 5000000.",
        ),
        (
            {"max_macs": 0},
            "max_macs must be a whole count above 0, got 0; write it as 400k, 5M, 1.2G or 5000000.",
        ),
        ({"min_top1": 101}, "min_top1 must be in 0..100, got 101; it is a percentage, e.g. 75."),
        ({"min_top1": float("nan")}, "min_top1 must be in 0..100, got nan; it is a percentage, e.g. 75."),
        (
            {"sort": "top"},
            "sort must be one of name, top1, parameters, macs, size, or None; got 'top'; "
            "did you mean 'top1'?",
        ),
        (
            {"sort": "zebra"},
            "sort must be one of name, top1, parameters, macs, size, or None; got 'zebra'.",
        ),
    ],
    ids=["parameters", "macs", "top1", "nan", "near", "far"],
)
def test_what_is_no_limit_or_order_is_refused(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        find_backbones(**settings)

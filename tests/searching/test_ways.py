"""Samplers, pruners and judges by name; a number of trials and a time."""

import pytest

from tfxfer.errors import SettingError
from tfxfer.searching.ways import check_ways

WAYS = {"sampler": "tpe", "pruner": "median", "by": "loss", "trials": 20, "timeout": None}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampler": "tpee"}, "no sampler 'tpee'; did you mean 'tpe'? There are tpe, random, grid."),
        ({"pruner": "x"}, "no pruner 'x'. There are median, hyperband, none."),
        ({"by": "los"}, "no by 'los'; did you mean 'loss'? There are loss, metric."),
        ({"trials": 0}, "trials must be at least 1, got 0."),
        ({"timeout": 0}, "timeout must be above 0 seconds, or None, got 0."),
    ],
)
def test_what_is_no_way_is_refused(wrong, message, says):
    check_ways(**WAYS)
    with pytest.raises(SettingError, match=says(message)):
        check_ways(**WAYS | wrong)

"""The methods: each has its line, and is told by the command's help and the docstring of explain."""

import tfxfer
from tfxfer.explaining.methods import EXPLAIN_METHODS, SUMMARIES


def test_each_has_its_line_and_is_told_where_it_is_chosen():
    assert tuple(SUMMARIES) == EXPLAIN_METHODS
    assert all(f'``"{name}"``' in tfxfer.explain.__doc__ for name in EXPLAIN_METHODS)

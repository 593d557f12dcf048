"""share: per cent and numbers, and nothing else."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.cli.shares import share


@given(st.integers(0, 100))
def test_per_cent_and_numbers_are_the_same_share(percent):
    assert share(f"{percent}%") == percent / 100
    assert share(f" {percent / 100} ") == percent / 100


@pytest.mark.parametrize("text", ["5", "101%", "-1%", "nan", "five", "%", ""])
def test_anything_else_is_refused(text, says):
    with pytest.raises(click.BadParameter, match=says(f"{text!r} is no share; give 0% to 100%, or 0 to 1.")):
        share(text)

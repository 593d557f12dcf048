"""read_count, write_count: large counts as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.backbones.counts import read_count, write_count
from tfxfer.errors import SettingError

COUNTS = st.integers(1, 10**13)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("5M", 5_000_000),
        ("400k", 400_000),
        ("400 K", 400_000),
        ("1.2G", 1_200_000_000),
        ("0.5m", 500_000),
        (" 3538984 ", 3_538_984),
        ("3,538,984", 3_538_984),
        ("5_000k", 5_000_000),
        (7, 7),
    ],
)
def test_what_people_write_is_read(written, count):
    assert read_count(written, setting="max_macs") == count


@pytest.mark.parametrize(
    "written",
    ["", "5X", "M", "-5M", "0", "0k", "1.5", "1.2345k", "1,2G", "5MM", "1e6", "\u0665M", True, 2.5, "inf"],
)
def test_what_is_no_count_is_refused(written, says):
    message = (
        f"max_macs must be a whole count above 0, got {written!r}; write it as 400k, 5M, 1.2G or 5000000."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_count(written, setting="max_macs")


@given(COUNTS, st.sampled_from(["{}", "{:,}", "{:_}"]))
def test_plain_counts_come_back_whole(count, form):
    assert read_count(form.format(count), setting="x") == count


@given(st.integers(1, 10**6), st.sampled_from([("k", 10**3), ("M", 10**6), ("G", 10**9)]))
def test_letters_multiply(count, letter):
    assert read_count(f"{count}{letter[0]}", setting="x") == count * letter[1]
    assert read_count(f"{count / 1000:.3f}{letter[0]}", setting="x") == count * letter[1] // 1000


@given(COUNTS)
def test_what_is_written_is_read_back_within_half_a_percent(count):
    written = write_count(count)
    assert abs(read_count(written, setting="x") - count) <= count * 0.005
    assert len(written) <= 6


@given(COUNTS, COUNTS)
def test_what_is_larger_is_not_written_smaller(one, other):
    small, large = sorted((one, other))
    assert read_count(write_count(small), setting="x") <= read_count(write_count(large), setting="x")

"""Large counts as people write them: 400k, 5M, 1.2G."""

from __future__ import annotations

import re
from decimal import Decimal

from tfxfer.errors import SettingError

__all__ = ["read_count", "write_count"]

FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
WRITTEN = re.compile(r"(\d{1,3}(?:[,_]\d{3})+|\d+|\d+\.\d+) ?([kKmMgG]?)", re.ASCII)


def read_count(written: int | str, *, setting: str) -> int:
    """Read a count above 0.

    Args:
        written: A whole number, or text such as ``"400k"``, ``"5M"``, ``"1.2G"``, ``"3,538,984"``;
            k, M and G are thousand, million and thousand million, in either case.
        setting: What the count is called, for the message.

    Returns:
        The count.

    Raises:
        SettingError: It is not one, is 0, or is not whole.

    >>> read_count("1.2G", setting="max_macs")
    1200000000
    """
    found = WRITTEN.fullmatch(str(written).strip())
    if found and not isinstance(written, bool):
        letter = found[2].lower() if found[2] in "kK" else found[2].upper()
        count = Decimal(re.sub("[,_]", "", found[1])) * FACTORS[letter]
        if count > 0 and count == int(count):
            return int(count)
    raise SettingError(
        f"{setting} must be a whole count above 0, got {written!r}; write it as 400k, 5M, 1.2G or 5000000."
    )


def write_count(count: int) -> str:
    """Write a count in three digits at least and a letter.

    Args:
        count: A whole number, 0 or more.

    Returns:
        At most six characters up to 999G; whole below 1000.

    >>> [write_count(count) for count in (512, 40_774_272, 999_999, 60_933_000_000)]
    ['512', '40.8M', '1.00M', '60.9G']
    """
    for letter, factor in FACTORS.items():
        if count < 999.5 * factor or letter == "G":
            break
    if not letter:
        return str(count)
    value = count / factor
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f}{letter}"

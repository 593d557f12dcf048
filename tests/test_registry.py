"""Registry: by name, in order, near misses named, no name twice."""

import re
from dataclasses import dataclass

import pytest

from tfxfer.errors import SettingError
from tfxfer.registry import Registry


@dataclass(frozen=True)
class Fruit:
    name: str


@pytest.fixture
def fruits():
    registry = Registry("fruit", listing="`fruits`")
    for name in ("apple", "pear"):
        registry.add(Fruit(name))
    return registry


def test_entries_come_back_by_name_and_in_order(fruits):
    assert fruits["pear"] == Fruit("pear")
    assert [fruit.name for fruit in fruits] == ["apple", "pear"]
    assert len(fruits) == 2
    assert "apple" in fruits
    assert "plum" not in fruits


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aple", "no fruit 'aple'; did you mean 'apple'? `fruits` lists all 2."),
        ("zebra", "no fruit 'zebra'. `fruits` lists all 2."),
    ],
)
def test_an_unknown_name_is_refused(fruits, name, message, says):
    with pytest.raises(SettingError, match=says(message)):
        fruits[name]


def test_a_name_is_given_once(fruits):
    with pytest.raises(ValueError, match=re.escape("fruit 'pear' is registered twice.")):
        fruits.add(Fruit("pear"))

"""What fits a type, and what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal

import pytest

from tfxfer.config import L2SP, Phase, Recipe
from tfxfer.config.kinds import allowed, default_of, fits, is_none, types_of


@pytest.mark.parametrize(
    ("member", "value", "does"),
    [
        (str, "a", True),
        (str, 1, False),
        (int, 1, True),
        (int, 1.0, False),
        (int, True, False),
        (float, 1, True),
        (float, 10**400, False),
        (float, False, False),
        (bool, False, True),
        (bool, 0, False),
        (Literal["a", "b"], "b", True),
        (Literal["a", "b"], ["b"], False),
        (tuple[float, float], [0, 1], True),
        (tuple[float, float], [0], False),
        (tuple[str, ...], [], True),
        (Sequence[str], ["a"], True),
        (Sequence[str], "a", False),
        (Mapping[str, str], {}, True),
        (L2SP, {}, True),
        (slice, {}, True),
        (slice, 1, False),
        (Path, "a", False),
        (Any, "a", False),
    ],
)
def test_what_fits(member, value, does):
    assert fits(member, value) is does


@pytest.mark.parametrize(
    ("kind", "default", "stands"),
    [
        (str | None, "pretrained", True),
        (str | None, None, False),  # a name like any other
        (int | None, None, True),
        (int | None, 5, True),
        (str, "none", False),
        (Literal["none", "focal"] | None, None, False),
    ],
)
def test_where_none_stands_for_nothing(kind, default, stands):
    assert is_none(kind, "none", default) is stands
    assert not is_none(kind, "other", default)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (str | Path | None, "text"),
        (float | Literal["find"], "a number or 'find'"),
        (Literal["a", "b", "c"], "'a', 'b' or 'c'"),
        (str | int | slice, "text, a whole number or a table"),
        (tuple[float, float] | None, "a list of 2"),
        (Literal["head"] | tuple[Phase, ...] | None, "'head' or a list"),
        (bool, "true or false"),
    ],
)
def test_it_is_said_what_is_allowed(kind, words):
    assert allowed(kind) == words


@pytest.mark.parametrize("settings", [Recipe, Phase, L2SP])
def test_types_and_defaults_are_found(settings):
    kinds = types_of(settings)
    assert set(kinds) == {each.name for each in fields(settings)}
    assert not any(isinstance(kind, str) for kind in kinds.values())
    given = {each.name: default_of(each) for each in fields(settings)}
    required = {name: "head" for name, default in given.items() if default is MISSING}
    assert settings(**given | required) == settings(**required)

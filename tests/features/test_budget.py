"""The budget: views are counted before anything is computed, the least lately used features go first."""

import os

import pytest

from tfxfer.errors import SettingError
from tfxfer.features import budget
from tfxfer.features.budget import affordable_views, check_writable, clear_cache, make_room, usage


@pytest.fixture
def home(cache_home):
    return cache_home / "features"


def fill(home, name, size, used):
    store = home / name
    store.mkdir(parents=True)
    (store / "a.arrow").write_bytes(b"0" * size)
    os.utime(store, (used, used))
    return store


def test_views_are_as_many_as_have_room(monkeypatch):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 1000)
    pictures = {"training": 10, "validation": 5, "row": 10}
    assert affordable_views(4, **pictures) == 4
    assert affordable_views(12, **pictures) == 9
    assert affordable_views(4, training=100, validation=5, row=10) == 0


def test_half_of_what_is_free_is_the_most(monkeypatch):
    monkeypatch.setattr(budget, "_free", lambda: 400)
    assert affordable_views(4, training=10, validation=0, row=10) == 2
    assert affordable_views(4, training=10, validation=0, row=10, kept=100) == 3


def test_what_was_used_longest_ago_makes_room(home, monkeypatch):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 1000)
    old, mine, new = (fill(home, name, 300, used) for name, used in (("b", 1), ("a", 2), ("c", 3)))
    make_room(100, keeping=mine)
    assert old.exists()
    make_room(200, keeping=mine)
    assert not old.exists()
    make_room(500, keeping=mine)
    assert (mine.exists(), new.exists()) == (True, False)


def test_usage_is_told_and_cleared(home):
    assert str(usage()) == f"0.0 MB of features of 0 frozen parts in {home}"
    fill(home, "a", 2_000_000, 1)
    assert str(clear_cache()) == f"2.0 MB of features of 1 frozen part in {home}"
    assert usage().models == 0


def test_a_folder_that_cannot_be_made_is_told(cache_home, says):
    (cache_home / "features").write_text("a file")
    message = (
        f"features cannot be kept in {cache_home / 'features'} (File exists); have XDG_CACHE_HOME name a "
        "folder that can be written, or give features='off'."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_writable()

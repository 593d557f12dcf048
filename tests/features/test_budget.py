"""The budget: views are counted before anything is computed, the least lately used features go first."""

import os
import sys

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
    assert affordable_views(12, **pictures, beside=100) == 8
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
    assert make_room(500, keeping=mine)
    assert (mine.exists(), new.exists()) == (True, False)
    assert not make_room(800, keeping=mine)


def test_usage_is_told_and_cleared(home):
    assert str(usage()) == f"0.0 MB of features of 0 frozen parts in {home}"
    fill(home, "a", 2_000_000, 1)
    assert str(clear_cache()) == f"2.0 MB of features of 1 frozen part in {home}"
    assert usage().models == 0


def test_a_folder_that_cannot_be_made_is_told(cache_home, says):
    (cache_home / "features").write_text("a file")
    message = (
        f"features cannot be kept in {cache_home / 'features'} (File exists); have XDG_CACHE_HOME name a "
        "folder that can be written and has room."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_writable()


@pytest.mark.skipif(
    sys.platform != "linux", reason="a folder that root cannot write to either is Linux's /proc"
)
def test_a_folder_that_takes_no_file_is_told_before_anything_is_computed(cache_home):
    (cache_home / "features").symlink_to("/proc/self")
    with pytest.raises(
        SettingError, match=r"^features cannot be kept in \S+ \(No such file or directory\); "
    ):
        check_writable()


def test_what_another_process_removes_meanwhile_is_passed_over(home):
    fill(home, "a", 300, 1)
    (home / "a" / "b.arrow").symlink_to("gone")
    assert usage().size == 300


def test_what_cannot_be_removed_is_not_said_to_be(home, monkeypatch, says):
    fill(home, "a", 2_000_000, 1)
    monkeypatch.setattr(budget.shutil, "rmtree", lambda *_, **__: None)  # as where a folder is read-only
    message = (
        f"2.0 MB of features of 1 frozen part in {home} could not be removed; have the folder writable, and "
        "nothing that trains add to it."
    )
    with pytest.raises(SettingError, match=says(message)):
        clear_cache()

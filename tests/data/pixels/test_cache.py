"""cached: the same pixels, read once, where there is room."""

import numpy as np
import pytest

from tfxfer.data.pixels import cache as room
from tfxfer.data.pixels.cache import cached
from tfxfer.errors import SettingError

SHAPE = (6, 4, 4, 3)


class Counting:
    def __init__(self):
        self.calls = []

    def __call__(self, index):
        self.calls.append(index)
        return np.full(SHAPE[1:], index, np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(room.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path / "tfxfer"


@pytest.mark.parametrize(("where", "reads"), [("memory", 1), ("disk", 1), ("auto", 1), ("none", 2)])
def test_each_picture_is_read_once(where, reads):
    counting = Counting()
    read = cached(counting, SHAPE, cache=where)
    for index in (4, 1, 4, 1):
        np.testing.assert_array_equal(read(index), np.full(SHAPE[1:], index))
    assert counting.calls == [4, 1] * reads


def test_what_is_kept_cannot_be_changed():
    read = cached(Counting(), SHAPE, cache="memory")
    with pytest.raises(ValueError, match="read-only"):
        read(2)[:] = 0


def test_the_file_is_nowhere_to_be_found(home):
    read = cached(Counting(), SHAPE, cache="disk")
    read(0)
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("memory", "disk", "reads"), [(0, 1000, 1), (0, 0, 2), (288, 0, 1), (287, 287, 2), (287, 288, 1)]
)
def test_auto_takes_what_there_is_room_for(monkeypatch, home, memory, disk, reads):
    monkeypatch.setattr(room, "MEMORY_BYTES", memory)
    monkeypatch.setattr(room, "DISK_BYTES", disk)
    counting = Counting()
    read = cached(counting, SHAPE)
    read(0), read(0)
    assert len(counting.calls) == reads
    assert home.exists() == (memory < 288)  # it was asked how much is free


def test_a_cache_on_a_disk_without_room_is_refused_before_anything_is_read(monkeypatch, home, says):
    monkeypatch.setattr(room, "_free", lambda: 2_000_000_000)
    counting = Counting()
    message = (
        f"12.3 GB of decoded pictures have no room in {home} (2.0 GB are free); clear some, or give "
        "cache='none' or a smaller image_size."
    )
    with pytest.raises(SettingError, match=says(message)):
        cached(counting, (12_300_000, 10, 10, 10), cache="disk")
    assert not counting.calls


def test_an_unknown_cache_is_named(says):
    with pytest.raises(SettingError, match=says("cache must be one of auto, memory, disk, none, got 'ram'.")):
        cached(Counting(), SHAPE, cache="ram")


@pytest.mark.parametrize(("where", "reads"), [("auto", 2), ("disk", None)])
def test_where_nothing_can_be_written_auto_goes_without(monkeypatch, tmp_path, where, reads, says):
    (tmp_path / "tfxfer").write_text("a file in the way")
    monkeypatch.setattr(room, "MEMORY_BYTES", 0)
    counting = Counting()
    if reads is None:
        message = (
            f"0.0 GB of decoded pictures have no room in {tmp_path / 'tfxfer'} (0.0 GB are free); clear "
            "some, or give cache='none' or a smaller image_size."
        )
        with pytest.raises(SettingError, match=says(message)):
            cached(counting, SHAPE, cache=where)
        return
    read = cached(counting, SHAPE, cache=where)
    read(0), read(0)
    assert len(counting.calls) == reads

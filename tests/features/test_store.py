"""FeatureStore: rows come back as they went in, in this process and the next; damage is told and mended."""

import os
import re
import time

import numpy as np
import pytest

from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.features import store as room
from tfxfer.features.store import FeatureStore, row_key

ROWS = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float16)
KEYS = [row_key(f"{index}", "policy", index % 3) for index in range(20)]


def filled(folder, rows=range(20)):
    store = FeatureStore(folder, 6)
    for index in rows:
        store.add(KEYS[index], ROWS[index])
    store.flush()
    return store


def test_rows_come_back_in_any_order(tmp_path):
    for store in (filled(tmp_path / "a"), FeatureStore(tmp_path / "a", 6)):
        order = np.random.default_rng(1).permutation(20)
        places = store.places([KEYS[index] for index in order])
        np.testing.assert_array_equal(store.gather(places), ROWS[order])
        np.testing.assert_array_equal(store.gather(places, slice(2, 5)), ROWS[order][:, 2:5])
        assert len(store) == 20


def test_rows_are_gathered_across_shards(tmp_path):
    filled(tmp_path, range(8))
    filled(tmp_path, range(20))
    assert len(list(tmp_path.glob("*.arrow"))) == 2
    store = FeatureStore(tmp_path, 6)
    np.testing.assert_array_equal(store.gather(store.places(KEYS[::-1])), ROWS[::-1])


def test_what_is_there_is_not_added_again(tmp_path):
    filled(tmp_path)
    filled(tmp_path)
    assert len(list(tmp_path.glob("*.arrow"))) == 1


def test_a_shard_is_written_when_it_is_large_or_late(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "SHARD_BYTES", 5 * 12)
    store = FeatureStore(tmp_path, 6)
    for index in range(7):
        store.add(KEYS[index], ROWS[index])
    assert len(FeatureStore(tmp_path, 6)) == 5
    monkeypatch.setattr(room, "LONGEST_UNWRITTEN", 0.0)
    store.add(KEYS[7], ROWS[7])
    assert len(FeatureStore(tmp_path, 6)) == 8


def test_what_was_not_flushed_is_lost_and_nothing_else(tmp_path):
    filled(tmp_path, range(4))
    store = FeatureStore(tmp_path, 6)
    store.add(KEYS[5], ROWS[5])
    again = FeatureStore(tmp_path, 6)
    assert [key in again for key in KEYS[:6]] == [True] * 4 + [False] * 2


def test_a_damaged_shard_is_told_and_removed(tmp_path):
    filled(tmp_path)
    (shard,) = tmp_path.glob("*.arrow")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    message = f"kept features are damaged ({shard}): the file is removed, and what was in it computed anew."
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        store = FeatureStore(tmp_path, 6)
    assert len(store) == 0
    assert not shard.exists()


def test_drafts_of_dead_writers_are_cleared_away(tmp_path):
    old, new = tmp_path / ".a-1.part", tmp_path / ".b-2.part"
    for draft in (old, new):
        draft.mkdir()
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    FeatureStore(tmp_path, 6)
    assert new.exists()
    assert not old.exists()


def test_what_another_process_removes_meanwhile_is_passed_over(tmp_path):
    filled(tmp_path)
    for name in ("gone.arrow", ".gone-1.part"):
        (tmp_path / name).symlink_to(tmp_path / "nowhere")
    assert len(FeatureStore(tmp_path, 6)) == 20


def test_a_disk_that_takes_no_more_is_told(tmp_path, cache_home, says):
    resource = pytest.importorskip("resource", reason="Windows has no limits of what a process writes")
    store = FeatureStore(tmp_path, 6)
    store.add(KEYS[0], ROWS[0])
    message = (
        f"features cannot be kept in {cache_home / 'features'} (File too large); have XDG_CACHE_HOME name a "
        "folder that can be written and has room."
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(SettingError, match=says(message)):
            store.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
    store.flush()
    assert len(FeatureStore(tmp_path, 6)) == 1


def test_keys_tell_pictures_policies_and_views_apart():
    keys = {row_key(picture, policy, view) for picture in "ab" for policy in "xy" for view in (0, 1, 2)}
    assert len(keys) == 2 * (1 + 2 * 2)

"""Checkpoints: whole or not there, the newest whole one counts, three are kept."""

import re
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.training.resuming.checkpoints import Checkpoint, Checkpoints, check_checkpoints


def checkpoint(number):
    return Checkpoint({"number": number}, {"weights/0": np.full((2, 3), number, np.float32)})


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "run.checkpoints")


def number_of(found):
    assert found.arrays["weights/0"].tolist() == [[found.state["number"]] * 3] * 2
    return found.state["number"]


@given(
    st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False) | st.text() | st.none()),
    st.lists(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3), max_size=3),
)
def test_what_is_written_is_read(state, values):
    arrays = {f"weights/{place}": np.array(each, np.float32) for place, each in enumerate(values)}
    again = Checkpoint.from_bytes(Checkpoint(state, arrays).to_bytes())
    assert again.state == state
    assert again.arrays.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(again.arrays[name], value)
        assert again.arrays[name].dtype == value.dtype


def test_three_are_kept_and_the_newest_counts(checkpoints):
    assert not checkpoints
    assert checkpoints.newest() is None
    for number in range(5):
        checkpoints.write(checkpoint(number))
    assert checkpoints
    names = sorted(path.name for path in checkpoints.folder.iterdir())
    assert [name[:9] for name in names] == ["00000002-", "00000003-", "00000004-"]
    assert number_of(checkpoints.newest()) == 4


def damaged(path, how):
    content = path.read_bytes()
    if how == "cut off":
        path.write_bytes(content[: len(content) // 2])
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])


@pytest.mark.parametrize("how", ["cut off", "emptied", "a bit turned"])
def test_a_damaged_one_is_told_and_the_one_before_it_taken(checkpoints, how):
    for number in range(3):
        checkpoints.write(checkpoint(number))
    newest = max(checkpoints.folder.iterdir())
    damaged(newest, how)
    message = (
        f"{newest} is damaged (its content is not what its name says); what was before it is gone on from."
    )
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        found = checkpoints.newest()
    assert number_of(found) == 1
    checkpoints.write(checkpoint(7))
    assert number_of(checkpoints.newest()) == 7


def test_what_a_killed_run_left_half_is_removed(checkpoints):
    checkpoints.write(checkpoint(0))
    half = checkpoints.folder / ".00000001-abc.npz-x.part"
    half.mkdir()
    (half / "file").write_bytes(b"1")
    checkpoints.write(checkpoint(1))
    assert not half.exists()


def test_a_full_disk_takes_older_ones_room_and_then_is_told_once(checkpoints, monkeypatch, recwarn):
    """The disk is one of our own counting: a small file system needs rights that tests have not."""
    room = 2
    put = Checkpoints._put

    def counted(self, name, content):
        if len(self._files()) >= room:
            raise OSError(28, "No space left on device")
        put(self, name, content)

    monkeypatch.setattr(Checkpoints, "_put", counted)
    for number in range(4):
        checkpoints.write(checkpoint(number))
    assert number_of(checkpoints.newest()) == 3
    assert not recwarn
    room = 0
    message = (
        f"no checkpoint can be written to {checkpoints.folder} (No space left on device); training goes on, "
        "and if it is interrupted goes on from the last one that is there."
    )
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        checkpoints.write(checkpoint(4))
    checkpoints.write(checkpoint(5))  # told once
    assert number_of(checkpoints.newest()) == 3


def test_they_go_away_and_leave_what_is_not_theirs(checkpoints):
    checkpoints.clear()
    checkpoints.write(checkpoint(0))
    checkpoints.clear()
    assert not checkpoints.folder.exists()
    checkpoints.write(checkpoint(0))
    (checkpoints.folder / "notes.txt").write_text("mine")
    checkpoints.clear()
    assert [path.name for path in checkpoints.folder.iterdir()] == ["notes.txt"]


def test_what_to_do_with_a_run_that_is_there_must_be_said(checkpoints):
    assert not check_checkpoints(checkpoints.folder, resume=True)  # nothing is there: it begins
    checkpoints.write(checkpoint(0))
    message = (
        f"{checkpoints.folder} holds a run that was interrupted; go on with it by --resume (resume=True), or "
        "remove the folder to begin anew."
    )
    with pytest.raises(SettingError, match=f"^{re.escape(message)}$"):
        check_checkpoints(checkpoints.folder, resume=False)
    for settings in ({"resume": True}, {"resume": False, "force": True}):
        assert number_of(check_checkpoints(checkpoints.folder, **settings).newest()) == 0


def test_impossible_folders_are_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    message = f"checkpoints must be a folder, and {file} is a file; give another one."
    with pytest.raises(SettingError, match=f"^{re.escape(message)}$"):
        check_checkpoints(file, resume=False)


def test_a_damaged_run_of_which_nothing_is_left_begins_anew(checkpoints):
    checkpoints.write(checkpoint(0))
    damaged(next(checkpoints.folder.iterdir()), "emptied")
    with pytest.warns(TfxferWarning, match="is damaged"):
        assert checkpoints.newest() is None
    shutil.rmtree(checkpoints.folder)

"""What is known from before: kept outside the pictures, trusted only when whole and of this version."""

import re

import pytest

from tfxfer.data.auditing import remembered
from tfxfer.data.auditing.inspection import Facts
from tfxfer.data.auditing.remembered import cache_file, file_state, recall, remember
from tfxfer.errors import TfxferWarning

STATE = (10, 20, 30)
KNOWN = {
    "a\udce9.png": (STATE, Facts("readable", "", "PNG", 5, 4, "ab", 2**64 - 1, True, "00ff")),
    "b.png": (STATE, Facts("oversized", "claims too much.")),
}


@pytest.fixture(autouse=True)
def kept(cache_home, tmp_path):  # noqa: ARG001 it must be there first
    remember(tmp_path, KNOWN)
    return cache_file(tmp_path)


def test_what_is_kept_comes_back(tmp_path, cache_home, kept):
    assert recall(tmp_path) == KNOWN
    assert kept.is_relative_to(cache_home)
    assert list(tmp_path.iterdir()) == []


def test_folders_are_kept_apart(tmp_path):
    assert recall(tmp_path / "other") == {}


def test_what_could_not_be_read_is_not_kept(tmp_path):
    remember(tmp_path, {"a.png": (STATE, Facts("unreadable", "cannot be opened (Permission denied)."))})
    assert recall(tmp_path) == {}


def test_another_version_s_findings_are_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "_FORM", 0)
    assert recall(tmp_path) == {}


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "other"])
def test_a_damaged_cache_is_not_used_and_that_is_said(tmp_path, kept, harm):
    content = kept.read_bytes()
    place = content.index(b"claims")
    kept.write_bytes(
        {
            "flip": content[:place] + b"C" + content[place + 1 :],
            "cut": content[: len(content) // 2],
            "empty": b"",
            "other": b"something else",
        }[harm]
    )
    message = (
        f"what earlier audits found is damaged ({kept}): every picture is looked at again, and the file is "
        "written anew."
    )
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        assert recall(tmp_path) == {}


def test_a_cache_that_cannot_be_read_is_said(tmp_path, kept):
    kept.unlink()
    kept.mkdir()
    message = (
        f"what earlier audits found cannot be read from {kept} (Is a directory): every picture is looked at "
        "again."
    )
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        assert recall(tmp_path) == {}


def test_a_cache_that_cannot_be_written_is_said(tmp_path, kept):
    kept.unlink()
    kept.mkdir()
    message = (
        "what was found cannot be kept for the next audit, which will look at every picture again: "
        f"{kept} is a folder; give a file to write to."
    )
    with pytest.warns(TfxferWarning, match=f"^{re.escape(message)}$"):
        remember(tmp_path, KNOWN)


def test_a_file_is_known_by_size_time_and_cap(tmp_path):
    (tmp_path / "a.png").write_bytes(b"123")
    size, changed, cap = file_state(tmp_path / "a.png", 64)
    assert (size, changed, cap) == (3, (tmp_path / "a.png").stat().st_mtime_ns, 64)
    assert file_state(tmp_path / "nowhere.png", 64) is None

"""whole_folder: the target appears whole or not at all, and nothing is overwritten unasked."""

import os
import shutil
from pathlib import Path

import pytest

from tfxfer.errors import DiskFullError, SettingError
from tfxfer.runtime import check_target, remove_drafts, whole_file, whole_folder


def test_the_folder_appears_with_all_that_was_written(tmp_path):
    with whole_folder(tmp_path / "deep" / "bundle") as draft:
        (draft / "a.txt").write_text("a")
        assert not (tmp_path / "deep" / "bundle").exists()
    assert (tmp_path / "deep" / "bundle" / "a.txt").read_text() == "a"
    assert [item.name for item in (tmp_path / "deep").iterdir()] == ["bundle"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_when_the_work_breaks_off(tmp_path, interruption):
    def work():
        with whole_folder(tmp_path / "bundle") as draft:
            (draft / "half.txt").write_text("half")
            raise interruption

    with pytest.raises(interruption):
        work()
    assert list(tmp_path.iterdir()) == []


def test_force_replaces_and_leaves_no_remains(tmp_path):
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "manifest.json").write_text("{}")
    with whole_folder(target, force=True) as draft:
        (draft / "new.txt").write_text("new")
    assert [item.name for item in target.iterdir()] == ["new.txt"]
    assert [item.name for item in tmp_path.iterdir()] == ["bundle"]


def test_force_keeps_the_old_folder_when_the_work_breaks_off(tmp_path):
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_folder(target, force=True):
        raise KeyboardInterrupt
    assert (target / "manifest.json").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["bundle"]


def written(draft):
    (draft / "a.bin").symlink_to("/dev/full")
    (draft / "a.bin").write_bytes(bytes(10))


def copied(draft):
    source = draft / "source"
    source.mkdir()
    (source / "a.bin").write_bytes(bytes(10))
    (draft / "copy").mkdir()
    (draft / "copy" / "a.bin").symlink_to("/dev/full")
    shutil.copytree(source, draft / "copy", dirs_exist_ok=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("work", [written, copied])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, work, says):
    message = (
        f"{tmp_path / 'bundle'} cannot be written: the disk is full, its own or that of temporary files "
        "(TMPDIR); make room, or give another place."
    )
    with pytest.raises(DiskFullError, match=says(message)), whole_folder(tmp_path / "bundle") as draft:
        work(draft)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_as_readable_as_any(tmp_path):
    with whole_folder(tmp_path / "bundle"):
        pass
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "bundle").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_target_that_is_there_is_refused(tmp_path, says):
    message = (
        f"{tmp_path} exists already, and is never overwritten unasked; give another folder, or "
        "--force (force=True) to replace it."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_target(tmp_path)
    assert check_target(tmp_path, force=True) == tmp_path
    assert check_target(tmp_path / "deeper" / "..", force=True) == tmp_path


def test_force_never_replaces_a_person_s_own_folder(tmp_path, says):
    (tmp_path / "picture.png").touch()
    message = (
        f"{tmp_path} is not a folder that tfxfer wrote (it has no manifest.json), and not even --force "
        "replaces it; give another one, or remove it yourself."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_target(tmp_path, force=True)
    with pytest.raises(SettingError, match=r"^/ is not a folder that tfxfer wrote"):
        check_target("/", force=True)


def test_a_target_that_appears_meanwhile_is_kept(tmp_path):
    target = tmp_path / "bundle"

    def work():
        with whole_folder(target):
            target.mkdir()
            (target / "precious").touch()

    with pytest.raises(SettingError, match=r"^.* exists already"):
        work()
    assert [item.name for item in tmp_path.iterdir()] == ["bundle"]
    assert (target / "precious").exists()


def test_an_interruption_between_the_two_moves_brings_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    real = Path.replace

    def interrupted(self, other):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return real(self, other)

    def work():
        with whole_folder(target, force=True) as draft:
            (draft / "manifest.json").write_text("new")
            monkeypatch.setattr(Path, "replace", interrupted)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (target / "manifest.json").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["bundle"]


def test_a_file_is_refused(tmp_path, says):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingError, match=says(f"{file} is a file; give a folder to write to.")):
        check_target(file, force=True)


def test_a_link_is_refused(tmp_path, says):
    (tmp_path / "bundle").mkdir()
    link = tmp_path / "latest"
    link.symlink_to("bundle")
    with pytest.raises(SettingError, match=says(f"{link} is a link; give the folder that it leads to.")):
        check_target(link, force=True)


def test_a_place_that_cannot_hold_a_folder_is_refused(tmp_path, says):
    file = tmp_path / "file"
    file.touch()
    message = (
        f"{file / 'bundle'} cannot be made: {file} takes no new folder (Not a directory); give another one."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_target(file / "bundle")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place that takes no folder")
def test_a_file_system_that_takes_no_folder_is_refused(says):
    message = (
        "/proc/bundle cannot be made: /proc takes no new folder (No such file or directory); give "
        "another one."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_target("/proc/bundle")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("there", [False, True])
def test_a_folder_without_permission_is_refused(tmp_path, says, there):
    if there:
        (tmp_path / "bundle").mkdir()
    tmp_path.chmod(0o500)
    message = (
        f"{tmp_path / 'bundle'} cannot be made: {tmp_path} takes no new folder (Permission denied); "
        "give another one."
    )
    with pytest.raises(SettingError, match=says(message)):
        check_target(tmp_path / "bundle", force=there)
    tmp_path.chmod(0o700)


def test_a_file_appears_whole_and_replaces_an_older_one(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    for text in ("old", "new"):
        with whole_file(target) as draft:
            draft.write_text(text)
            assert draft.suffix == ".txt"
            assert target.exists() == (text == "new")
        assert target.read_text() == text
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_a_file_stays_as_it_was_when_the_work_breaks_off(tmp_path, interruption):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def work():
        with whole_file(target) as draft:
            draft.write_text("half")
            raise interruption

    with pytest.raises(interruption):
        work()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_was_left_by_others_that_were_killed_goes(tmp_path):
    mine, other = tmp_path / "flow[e]rs", tmp_path / "flow[e]rs-small"
    with whole_file(mine) as draft, whole_folder(other) as another:
        remove_drafts(mine)
        assert not draft.parent.exists()
        assert another.exists()
        draft.parent.mkdir()
        draft.touch()


def test_a_folder_is_no_place_for_a_file(tmp_path, says):
    message = f"{tmp_path} is a folder; give a file to write to."
    with pytest.raises(SettingError, match=says(message)), whole_file(tmp_path):
        pass


def test_a_file_below_a_file_cannot_be_made(tmp_path, says):
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "a.txt"
    message = f"{target} cannot be made: its folder takes no new file (File exists); give another one."
    with pytest.raises(SettingError, match=says(message)), whole_file(target):
        pass

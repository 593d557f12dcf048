"""Journals: each epoch once, phase by phase, begun again or not; TensorBoard reads what is written."""

import pytest

from tests.training.journals import rows_of, scalars_of
from tfxfer.contracts import PhaseLog
from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.training.journals import Journal, check_journals
from tfxfer.training.resuming.course import Course, Stretch


def at(*losses, stretch=None, model=None):
    """A course whose phases had these losses, and the next has some so far."""
    course = Course(model, None, {})
    course.logs = [PhaseLog("done", 1, {"loss": each, "val_loss": each}, 1, 0.0) for each in losses]
    if stretch is not None:
        course.stretch = Stretch(None, 1e-3, history={"loss": list(stretch), "val_loss": list(stretch)})
    return course


def test_a_phase_that_begins_again_leaves_nothing_of_its_first_time(tmp_path):
    journal = Journal(tmp_path / "log.csv", tmp_path / "board", ["head", "top/1"])
    for course in (at(stretch=(3.0, 2.0)), at(stretch=()), at(stretch=(1.0,)), at((1.0,), stretch=(0.5,))):
        journal.update(course)
    assert [(row["epoch"], row["phase"], row["loss"]) for row in rows_of(tmp_path / "log.csv")] == [
        (1, "head", 1.0),
        (2, "top/1", 0.5),
    ]
    assert scalars_of(tmp_path / "board" / "1_head" / "train") == {"epoch_loss": [(1, 1.0)]}
    assert scalars_of(tmp_path / "board" / "2_top%2F1" / "validation") == {"epoch_loss": [(2, 0.5)]}


def test_another_fit_replaces_what_is_there_and_nothing_of_others(tmp_path):
    (tmp_path / "board" / "another").mkdir(parents=True)
    Journal(tmp_path / "log.csv", tmp_path / "board", ["head", "top"]).update(at((3.0,), (2.0,)))
    Journal(tmp_path / "log.csv", tmp_path / "board", ["head", "top"]).update(at(stretch=(1.0,)))
    assert [row["loss"] for row in rows_of(tmp_path / "log.csv")] == [1.0]
    assert scalars_of(tmp_path / "board" / "1_head" / "train") == {"epoch_loss": [(1, 1.0)]}
    assert not list((tmp_path / "board" / "2_top").rglob("events*"))
    assert (tmp_path / "board" / "another").is_dir()


def test_what_cannot_be_written_is_told_once(tmp_path, says):
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "log.csv"
    journal = Journal(target, None, ["head"])
    message = (
        f"the log of the epochs cannot be written ({target} cannot be made: its folder takes no new file "
        "(File exists); give another one); training goes on."
    )
    with pytest.warns(TfxferWarning, match=says(message)):
        journal.update(at(stretch=(1.0,)))
    journal.update(at(stretch=(1.0, 0.5)))  # once is enough


def test_a_file_and_a_folder_are_asked_for(tmp_path, says):
    assert check_journals(None, None) == (None, None)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(
        SettingError, match=says(f"csv must be a file, and {tmp_path} is a folder; give another one.")
    ):
        check_journals(tmp_path, None)
    with pytest.raises(
        SettingError, match=says(f"tensorboard must be a folder, and {file} is a file; give another one.")
    ):
        check_journals(None, file)


def test_logs_are_not_where_the_bundle_will_be_nor_there_already(tmp_path, says):
    bundle, file, folder = tmp_path / "model", tmp_path / "log.csv", tmp_path / "board"
    message = f"{bundle / 'log.csv'} is within {bundle}, which is written as a whole; put it elsewhere."
    with pytest.raises(SettingError, match=says(message)):
        check_journals(bundle / "log.csv", None, apart=bundle)
    folder.mkdir()
    asked = {"apart": bundle, "replace": False}
    assert check_journals(file, folder, **asked) == (file, folder)
    file.touch()
    (folder / "run").mkdir()
    for given in ({"csv": file, "tensorboard": None}, {"csv": None, "tensorboard": folder}):
        message = (
            f"{given['csv'] or folder} exists already, and is never overwritten unasked; give another one, "
            "or --force (force=True) to replace it."
        )
        with pytest.raises(SettingError, match=says(message)):
            check_journals(**given, **asked)
        check_journals(**given)

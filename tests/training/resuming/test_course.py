"""Course: where a fit goes on is told, and another run is not gone on with."""

import io
import re
import shutil

import pytest
from rich.console import Console

from tests.training.resuming.test_noting import PLAN, Interrupt, run, small_model
from tests.training.unguarded import fit
from tfxfer.errors import SettingError
from tfxfer.training import two_phases


@pytest.fixture(scope="module")
def interrupted(photos, tmp_path_factory):
    """Checkpoints of a run that stopped after an epoch."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(KeyboardInterrupt):
        run(photos, checkpoints=folder, plan=PLAN[:1], callbacks=[Interrupt(1)])
    return folder


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"seed": 1}, "had seed=0, and this one has 1"),
        ({"batch_size": 8}, "had batch_size=16, and this one has 8"),
        ({"augment": "light"}, "had another augment"),
        ({"plan": PLAN[:2]}, "had another plan"),
    ],
)
def test_a_run_with_other_settings_is_not_gone_on_with(photos, interrupted, settings, says):
    message = f"the run in {interrupted} {says}; give the same, or remove the folder to begin anew."
    with pytest.raises(SettingError, match=f"^{re.escape(message)}$"):
        run(photos, **{"plan": PLAN[:1], "checkpoints": interrupted, "resume": True, **settings})


def test_what_was_chosen_is_chosen_again_and_nothing_else_is_gone_on_with(photos, tmp_path):
    chosen = {"plan": "head", "batch_size": 8, "checkpoints": tmp_path / "checkpoints"}
    chosen |= {"label_smoothing": 0.1}  # else the head would be solved
    with pytest.raises(KeyboardInterrupt):
        run(photos, **chosen, callbacks=[Interrupt(1)])
    with pytest.raises(SettingError, match=r"had another plan; give the same"):
        run(photos, **{**chosen, "plan": two_phases(stages=4, head_epochs=19, top_epochs=0)}, resume=True)
    console = Console(file=io.StringIO(), width=200)
    settings = {**chosen, "progress": True, "console": console, "resume": True}
    _, log = run(photos, **settings)
    words = "20, since it ends early where it gets no better"
    assert log.chosen == {"head_epochs": words}
    assert f"head_epochs: {words}.\n" in console.file.getvalue()
    assert 1 < len(log["head"].history["loss"]) <= 20


def test_other_pictures_are_told(photos, interrupted):
    fewer = photos.few(3)
    with pytest.raises(SettingError, match=r"had another pictures; give the same"):
        run(fewer, plan=PLAN[:1], checkpoints=interrupted, resume=True)


def test_going_on_needs_a_folder(photos):
    with pytest.raises(
        SettingError, match=r"^resume=True needs a folder of checkpoints to go on from; give checkpoints\.$"
    ):
        run(photos, resume=True)


def test_where_it_goes_on_is_told(photos, interrupted, tmp_path):
    shutil.copytree(interrupted, tmp_path / "copy")
    console = Console(file=io.StringIO(), width=200)
    log = fit(
        small_model(),
        photos,
        plan=PLAN[:1],
        batch_size=16,
        checkpoints=tmp_path / "copy",
        resume=True,
        console=console,
    )
    told = console.file.getvalue()
    assert (
        f"going on with a run that was interrupted: no phase is done, 1 epoch of head ({tmp_path}/copy)."
        in told
    )
    assert "epoch 1/3" not in told
    assert "epoch 2/3" in told
    assert len(log["head"].history["loss"]) == 3

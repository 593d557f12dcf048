"""The door: help, exit status, one message and no traceback."""

import gc
import os
import signal
import subprocess
import sys
import time
import weakref

import pytest
import tensorflow as tf

import tfxfer
from tests.conftest import write_pictures
from tfxfer.cli import main as door


@pytest.fixture
def listening():
    """Have SIGINT heard, here and by children: where tests run in the background, shells have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def status(*arguments):
    with pytest.raises(SystemExit) as left:
        door.main([str(argument) for argument in arguments])
    return left.value.code


def test_help_lists_the_commands(capfd):
    assert status("--help") == 0
    output = capfd.readouterr().out
    for command in ("audit", "augment", "train", "predict", "evaluate", "backbones", "demo"):
        assert f"\n  {command} " in output


def test_the_version_is_told(capfd):
    assert status("--version") == 0
    assert capfd.readouterr().out == f"tfxfer, version {tfxfer.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "here"], "Error: Missing option '--to'.\n"),
        (["train", "here", "--to", "there", "--batch-size", "0"], "0 is not in the range x>=1.\n"),
        (["trian"], "Error: No such command 'trian'."),
    ],
    ids=["missing", "range", "command"],
)
def test_wrong_usage_is_status_2(capfd, arguments, message):
    assert status(*arguments) == 2
    assert message in capfd.readouterr().err


def complaint(capfd, expected, *arguments):
    assert status(*arguments) == expected
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_a_wrong_setting_is_status_2(capfd, pictures, tmp_path):
    error = complaint(capfd, 2, "train", pictures, "--to", tmp_path / "model", "--backbone", "resnet5")
    assert error == (
        f"tfxfer: no backbone 'resnet5'; did you mean 'resnet50'? `tfxfer backbones` lists all "
        f"{len(tfxfer.BACKBONES)}.\n"
    )


def test_a_path_as_a_backbone_is_shown_its_form(capfd, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").touch()
    error = complaint(capfd, 2, "train", pictures, "--to", tmp_path / "model", "--backbone", "./mine")
    assert error == (
        "tfxfer: no backbone './mine' in the catalogue, but there is a folder of that name; write "
        "'file:./mine' to build on it.\n"
    )


def test_a_target_that_is_there_is_status_2(capfd, pictures):
    error = complaint(capfd, 2, "train", pictures, "--to", pictures)
    assert error.startswith(f"tfxfer: {pictures} exists already")


def test_bad_data_is_status_1(capfd, tmp_path):
    error = complaint(capfd, 1, "train", tmp_path / "nowhere", "--to", tmp_path / "model")
    assert error == (
        f"tfxfer: {tmp_path / 'nowhere'} does not exist; give a folder that holds one folder a class.\n"
    )


def test_a_warning_is_a_line_of_the_same_form(capfd, pictures, tmp_path):
    (pictures / "red" / "scan.tiff").touch()
    assert status("shards", pictures, "--to", tmp_path / "shards") == 0
    red = pictures / "red"
    assert capfd.readouterr().err.startswith(
        f"tfxfer: scan.tiff in {red} left out: what is to be used must be JPEG, PNG, GIF, BMP or WebP.\n"
    )


def test_an_unforeseen_failure_is_status_1_and_told(capfd, monkeypatch, tmp_path):
    def fail(_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(tfxfer, "load", fail)
    error = complaint(capfd, 1, "predict", tmp_path, tmp_path / "a.png")
    assert error == "tfxfer: RuntimeError: out of luck\nTFXFER_DEBUG=1 shows where.\n"


def test_a_full_memory_says_what_to_do(capfd, monkeypatch, tmp_path):
    def fail(_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmuch more text")

    monkeypatch.setattr(tfxfer, "load", fail)
    error = complaint(capfd, 1, "predict", tmp_path, tmp_path / "a.png")
    assert error == ("tfxfer: the memory is full; give a smaller --batch-size, --image-size or backbone.\n")


def test_a_seed_out_of_range_is_status_2(capfd, tmp_path):
    complaint(capfd, 2, "train", tmp_path, "--to", tmp_path / "model", "--seed", "-1")


def test_debug_shows_the_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("TFXFER_DEBUG", "1")
    with pytest.raises(tfxfer.BundleError):
        door.main(["predict", str(tmp_path / "nowhere"), "a.png"])


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("listening")
def test_an_interruption_that_meets_a_destructor_comes_again(capfd, monkeypatch, tmp_path, signal_):
    interrupt_within_a_destructor(capfd, monkeypatch, tmp_path, signal_)


@pytest.mark.usefixtures("listening")
def test_in_the_background_sigterm_comes_again_though_sigint_is_ignored(capfd, monkeypatch, tmp_path):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupt_within_a_destructor(capfd, monkeypatch, tmp_path, signal.SIGTERM)


def interrupt_within_a_destructor(capfd, monkeypatch, tmp_path, signal_):
    class Interrupted:
        def __del__(self):
            signal.raise_signal(signal_)

    def load(_):
        Interrupted()
        for _ in range(3000):  # as training does, which is never away from Python for long
            time.sleep(0.01)

    monkeypatch.setattr(tfxfer, "load", load)
    error = complaint(capfd, 1, "predict", tmp_path, tmp_path / "a.png")
    assert error == "\ntfxfer: interrupted; nothing is left half-written.\n"


def test_what_an_interruption_leaves_in_a_cycle_goes_while_python_runs(capfd, monkeypatch, tmp_path):
    class Iterating:  # as an iterator of TensorFlow's, which would wait for Python at its end
        def __init__(self):
            self.myself = self

    left = []

    def load(_):
        left.append(weakref.ref(Iterating()))
        raise KeyboardInterrupt

    monkeypatch.setattr(tfxfer, "load", load)
    gc.disable()
    try:
        complaint(capfd, 1, "predict", tmp_path, tmp_path / "a.png")
    finally:
        gc.enable()
    assert left[0]() is None


@pytest.mark.parametrize("signal_", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("listening")
def test_ctrl_c_leaves_no_half_bundle(tmp_path, signal_):
    pictures = write_pictures(tmp_path / "pictures", count=20)
    command = [sys.executable, "-m", "tfxfer", "train", pictures, "--to", tmp_path / "model"]
    command += ["--backbone", "micro", "--image-size", "32", "--head-epochs", "1000", "--top-epochs", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([str(part) for part in command], env=environment, **streams) as process:
        try:
            lines = iter(process.stderr.readline, "")
            assert any(line.startswith("head   epoch 1/1000") for line in lines)
            process.send_signal(signal_)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert output == ""
    assert errors.endswith("tfxfer: interrupted; nothing is left half-written.\n")
    # What was noted after an epoch that was done, if it came to that, is there to go on with.
    assert {item.name for item in tmp_path.iterdir()} - {"model.checkpoints"} == {"pictures"}

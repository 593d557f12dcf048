"""Two devices learn as one does; proven on logical CPUs, in a process of its own. No GPU was there."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

import tfxfer
from tests.conftest import REPOSITORY, write_pictures
from tfxfer.errors import SettingError
from tfxfer.runtime import scope_of, strategy_of


@pytest.mark.parametrize("name", ["auto", "none"])
def test_one_device_is_as_without_a_strategy(name):
    with tfxfer.strategy(name) as devices:
        assert devices.num_replicas_in_sync == 1
        assert not tf.distribute.has_strategy()
        model = tfxfer.build(classes=3, backbone="micro", image_size=32)
    assert strategy_of(model) is devices
    with scope_of(devices):
        assert not tf.distribute.has_strategy()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mirror", "no strategy 'mirror'; did you mean 'mirrored'? There are auto, none, mirrored."),
        (
            "mirrored",
            "strategy 'mirrored' is for several devices, and TensorFlow sees 0 GPUs; leave it out, or take "
            "'auto'.",
        ),
    ],
)
def test_what_cannot_be_is_refused(says, name, message):
    with pytest.raises(SettingError, match=says(message)), tfxfer.strategy(name):
        pass


def outcome(home, script, *arguments):
    """What a script says of some pictures, of which the last batch is uneven."""
    folder = write_pictures(home / "pictures", count=20)
    for index in range(13, 20):
        (folder / "red" / f"{index:02}.png").unlink()
    command = [sys.executable, "-W", "error::UserWarning", "-m", f"tests.runtime.{script}", str(folder)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_plain_keras_judging_and_the_command_line_take_two_devices(tmp_path):
    found = outcome(tmp_path, "mirrored_plain", str(tmp_path / "model"))
    assert found["train"] % 18 == 1  # a single picture, for two devices
    assert found["test"] % 7 == 1
    assert max(found["plain Keras"]) < 1e-6
    assert max(found["judged"]) < 1e-6
    assert found["command"] == [[str(tmp_path / "model" / "model.tflite")], 2, "mixed_bfloat16"]
    assert found["logs"] == [2, 1]


@pytest.mark.slow
def test_two_devices_learn_as_one(tmp_path):
    found = outcome(tmp_path, "mirrored")
    training, _ = found.pop("pictures")
    assert training % 16  # the last batch is uneven
    assert training % 18 == 1  # or a single picture, for two devices
    said = found.pop("said")
    assert len(found) == 8
    assert {name: apart for name, apart in found.items() if max(apart) > 2e-6 or apart[0] > 1e-6} == {}
    assert said == [
        "phase head finds no memory for batches of 16 pictures on 2 devices, where Keras cannot accumulate "
        "gradients; give a smaller batch_size (and rate), image_size or backbone.",
        "the model was built on one device, and this is the scope of MirroredStrategy over 2; build it in "
        "that scope too.",
    ]

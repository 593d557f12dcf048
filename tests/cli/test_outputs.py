"""Forms are read as a list, and an unknown one is refused before anything runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.cli.main import main
from tfxfer.cli.outputs import forms

NAMES = st.lists(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1))


@given(NAMES)
def test_what_is_joined_by_commas_comes_apart_again(names):
    assert forms(",".join(names)) == forms(" , ".join(names)) == tuple(names)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "keras,tflit",
            "tfxfer: no export format 'tflit'; did you mean 'tflite'? tfxfer.exports.FORMATS lists all 8.\n",
        ),
        (
            ",",
            "tfxfer: formats must name at least one of keras, saved-model, tflite, tflite-float16, "
            "tflite-dynamic, tflite-int8, tflite-int16x8, onnx.\n",
        ),
    ],
)
def test_unknown_forms_are_refused_before_anything_runs(capfd, shared_pictures, tmp_path, asked, message):
    with pytest.raises(SystemExit) as left:
        main(["train", str(shared_pictures), "--to", str(tmp_path / "model"), "--formats", asked])
    assert left.value.code == 2
    assert capfd.readouterr().err == message
    assert list(tmp_path.iterdir()) == []


def test_devices_that_are_not_there_are_refused_before_anything_runs(capfd, shared_pictures, tmp_path):
    command = ["train", str(shared_pictures), "--to", str(tmp_path / "model"), "--strategy", "mirrored"]
    with pytest.raises(SystemExit) as left:
        main(command)
    assert left.value.code == 2
    assert capfd.readouterr().err == (
        "tfxfer: strategy 'mirrored' is for several devices, and TensorFlow sees 0 GPUs; leave it out, or "
        "take 'auto'.\n"
    )
    assert list(tmp_path.iterdir()) == []

"""What is asked is checked before a model is loaded: method, label, pictures, bundle."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfxfer.contracts import InputContract
from tfxfer.errors import BundleError, DataError, SettingError
from tfxfer.explaining.asking import Asked, check_asked
from tfxfer.runtime import ModelFacts

PIXELS = np.zeros((8, 8, 3), np.uint8)


def facts(task="single_label", classes=("ant", "bee")):
    return ModelFacts(task, classes, InputContract(32, 32), "crop")


def asked(pictures=PIXELS, *, method="grad-cam", label=None, **known):
    return Asked.of(facts(**known), pictures, method=method, label=label)


def test_labels_are_indices_each_once_in_the_order_asked_for():
    assert asked().labels == ()
    assert asked(label="bee").labels == (1,)
    assert asked(label=["bee", "ant", "bee"]).labels == (1, 0)
    assert asked(task="regression", classes=("wear", "age")).labels == (0, 1)
    assert asked(task="regression", classes=("wear", "age"), label="age").labels == (1,)


def test_pictures_have_names(tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(file)
    assert asked(str(file)).pictures == ((str(file), Path(file)),)
    names = [name for name, _ in asked([file, PIXELS, file.read_bytes()]).pictures]
    assert names == [str(file), "picture 2", "picture 3"]
    assert [name for name, _ in asked(np.stack([PIXELS] * 2)).pictures] == ["picture 1", "picture 2"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "gradcam"},
            "no method 'gradcam'; did you mean 'grad-cam'? There are grad-cam, grad-cam++, "
            "integrated-gradients, occlusion.",
        ),
        ({"label": "be"}, "no label 'be'; did you mean 'bee'? The model knows ant, bee."),
        (
            {"label": "cat", "classes": tuple(f"class {n}" for n in range(12))},
            "no label 'cat'. The model knows class 0, class 1, class 2, class 3, class 4, class 5, class 6, "
            "class 7, class 8, class 9 and 2 more.",
        ),
    ],
    ids=["method", "label", "label of many"],
)
def test_bad_settings_say_what_is_allowed(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        asked(**settings)


def test_pictures_that_cannot_be_read_are_named(tmp_path, says):
    message = (
        f"1 file cannot be read as pictures; mend or remove them:\n  {tmp_path / 'no.png'} does not exist."
    )
    with pytest.raises(DataError, match=says(message)):
        asked(tmp_path / "no.png")


def test_a_bundle_is_held_to_its_manifest(bundle, tmp_path, says):
    assert check_asked(bundle, PIXELS, label="red").facts.resize == "stretch"
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "model.keras").write_bytes(b"?")
    message = (
        f"{copy / 'model.keras'} is not the file that was exported (its SHA-256 differs); export the model "
        "again."
    )
    with pytest.raises(BundleError, match=says(message)):
        check_asked(copy, PIXELS)

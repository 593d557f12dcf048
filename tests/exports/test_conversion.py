"""convert: further forms beside those that are there, or the bundle as it was."""

import json
import shutil
from dataclasses import replace

import pytest

from tfxfer.data import from_folder
from tfxfer.errors import BundleError, DataError, SettingError
from tfxfer.exports import convert
from tfxfer.runtime import check_digest


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle[0], tmp_path / "bundle")


@pytest.fixture(scope="module")
def converted(bundle, photos, tmp_path_factory):
    folder = shutil.copytree(bundle[0], tmp_path_factory.mktemp("converted") / "bundle")
    return folder, convert(folder, formats=["tflite_float16", "tflite-int8"], photos=photos)


def test_the_new_forms_lie_beside_the_old(converted, bundle):
    folder, artifacts = converted
    names = {path.name for path in bundle[0].iterdir()} | {"model-float16.tflite", "model-int8.tflite"}
    assert {path.name for path in folder.iterdir()} == names
    assert [artifact.format for artifact in artifacts] == ["tflite-float16", "tflite-int8"]
    for artifact in artifacts:
        assert artifact.path.parent == folder
        check_digest(folder, artifact.path.name)
        assert artifact.comparison.images == 9
    assert artifacts[1].size < artifacts[0].size < (folder / "model.tflite").stat().st_size


def test_the_manifest_tells_how_each_does(converted):
    folder, (_, int8) = converted
    parity = json.loads((folder / "manifest.json").read_text())["parity"]
    assert set(parity) == {"keras", "saved-model", "tflite", "tflite-float16", "tflite-int8"}
    told = parity["tflite-int8"]
    assert told["bounds"] == {"agreement": 0.95, "loss": 0.015}
    assert told["made"] == int8.made
    assert [each["made"] for each in told["tried"]][-1] == int8.made
    assert parity["tflite"]["bounds"] == {"bound": 0.001}


def test_a_form_that_is_there_is_written_anew(copy, photos):
    (copy / "model.tflite").unlink()
    convert(copy, formats=["tflite"], photos=photos.root)
    check_digest(copy, "model.tflite")


def test_pictures_are_looked_for_where_they_were(copy, says):
    message = f"{copy} does not say where its pictures were; give them (photos=…, --photos)."
    with pytest.raises(SettingError, match=says(message)):
        convert(copy, formats=["tflite"])


def test_pictures_of_other_classes_are_refused(copy, photos, says):
    given = replace(photos, classes=("cyan", "green", "red"))
    message = (
        f"{copy} is for blue, green, red, and {photos.root} has cyan, green, red; give the pictures it was "
        "trained on."
    )
    with pytest.raises(SettingError, match=says(message)):
        convert(copy, formats=["tflite"], photos=given)


def test_other_pictures_are_refused(copy, pictures, says):
    for index, path in enumerate(sorted(pictures.rglob("*.png"))):
        path.write_bytes(path.read_bytes() + bytes([index]))
    message = (
        f"none of the 36 pictures of {pictures} is of the train part of {copy}; give those it was trained on."
    )
    with pytest.raises(DataError, match=says(message)):
        convert(copy, formats=["tflite"], photos=from_folder(pictures))


def test_a_model_that_was_edited_is_refused(copy, photos):
    with (copy / "model.keras").open("ab") as file:
        file.write(b"more")
    before = sorted(path.name for path in copy.iterdir())
    with pytest.raises(BundleError, match=r"model\.keras is not the file that was exported"):
        convert(copy, formats=["tflite"], photos=photos)
    assert sorted(path.name for path in copy.iterdir()) == before


def test_unknown_forms_are_refused_first(tmp_path, says):
    message = (
        "no export format 'tflite-int4'; did you mean 'tflite-int8'? tfxfer.exports.FORMATS lists all 8."
    )
    with pytest.raises(SettingError, match=says(message)):
        convert(tmp_path, formats=["tflite-int4"])

"""convert: further forms beside those that are there, and in the report; or the bundle as it was."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tfxfer.conversion import convert
from tfxfer.data import from_folder
from tfxfer.errors import BundleError, DataError, SettingError, TfxferWarning
from tfxfer.evaluation import evaluate
from tfxfer.exports import LiteRTModel, export
from tfxfer.models import build
from tfxfer.reporting import REPORT_FILES, add_report, write_report
from tfxfer.runtime import check_digest
from tfxfer.training import Phase, fit


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures, seed=4)


@pytest.fixture(scope="module")
def bundle(photos, tmp_path_factory):
    """A folder with a report, and its artifacts."""
    model = build(photos, backbone="micro", image_size=32)
    log = fit(model, photos, plan=[Phase("head", epochs=5, rate=3e-3)], progress=False)
    target, report = tmp_path_factory.mktemp("bundle") / "colours", evaluate(model, photos)
    about = {"log": log, "settings": {"seed": 4}, "report": report}
    beside = partial(add_report, model, photos, report)
    return target, export(model, target, photos, beside=beside, **about)


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


@pytest.mark.parametrize("name", ["model.tflite", "model-float16.tflite", "model-int8.tflite"])
def test_several_pictures_at_once_are_each_as_alone(converted, name):
    """The number is open: one where nobody says otherwise, as fixed as a phone wants it."""
    file = converted[0] / name
    model, alone = Interpreter(model_path=str(file)), LiteRTModel(file)
    (image,), (scores,) = model.get_input_details(), model.get_output_details()
    assert image["shape"].tolist() == [1, 32, 32, 3]
    assert image["shape_signature"].tolist() == [-1, 32, 32, 3]
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    model.resize_tensor_input(image["index"], images.shape, strict=True)
    model.allocate_tensors()
    model.set_tensor(image["index"], images.astype(image["dtype"]))
    model.invoke()
    np.testing.assert_allclose(model.get_tensor(scores["index"]), alone.all_scores(images), atol=1e-6)


def test_the_manifest_tells_how_each_does(converted):
    folder, (_, int8) = converted
    parity = json.loads((folder / "manifest.json").read_text())["parity"]
    assert set(parity) == {"keras", "saved-model", "tflite", "tflite-float16", "tflite-int8"}
    told = parity["tflite-int8"]
    assert told["bounds"] == {"agreement": 0.95, "loss": 0.015}
    assert told["made"] == int8.made
    assert [each["made"] for each in told["tried"]][-1] == int8.made
    assert parity["tflite"]["bounds"] == {"bound": 0.001}


def test_the_report_tells_of_them_and_else_what_it_did(converted, bundle):
    folder, artifacts = converted
    before, now = (json.loads((each / "report.json").read_text()) for each in (bundle[0], folder))
    assert [each["form"] for each in before["files"]] == ["keras", "saved-model", "tflite"]
    assert [each["form"] for each in now["files"]] == [
        *(each["form"] for each in before["files"]),
        *(each.format for each in artifacts),
    ]
    for told, artifact in zip(now["files"][3:], artifacts, strict=True):
        assert (told["file"], told["bytes"]) == (artifact.path.name, artifact.size)
        assert told["agreement"] == artifact.comparison.agreement
    assert list(now) == list(before)
    changed = {name for name in now if now[name] != before[name]}
    assert {"files"} <= changed <= {"files", "summary"}
    for name in ("report.html", "report.md", "MODEL_CARD.md"):
        check_digest(folder, name)
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert all(artifact.path.name in text for artifact in artifacts)
    # Its pictures are there again.
    pages = [(each / "report.html").read_text() for each in (bundle[0], folder)]
    assert pages[0].count("<img src=") == pages[1].count("<img src=") > 10


def test_one_that_was_edited_is_judged_anew_and_none_stays_none(copy, photos):
    (copy / "report.json").write_text("{}")
    (copy / "model.tflite").unlink()
    with pytest.warns(TfxferWarning, match=r"^MODEL_CARD\.md was filled in, and stays as it is; "):
        convert(copy, formats=["tflite"], photos=photos.root)
    check_digest(copy, "model.tflite")
    found = json.loads((copy / "report.json").read_text())
    assert found["headline"]["name"] == "accuracy"
    assert found["files"][-1]["bytes"] == (copy / "model.tflite").stat().st_size
    for name in REPORT_FILES:
        (copy / name).unlink()
    convert(copy, formats=["tflite"], photos=photos.root)
    assert not set(REPORT_FILES) & {path.name for path in copy.iterdir()}


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


@pytest.mark.parametrize("name", ["model.tflite", "labels.txt", "saved_model/1/saved_model.pb"])
def test_a_file_that_was_edited_is_not_vouched_for(copy, photos, says, name):
    """Else the new manifest would have its digest, and the new file might be made of it."""
    with (copy / name).open("ab") as file:
        file.write(b"more")
    message = (
        f"{copy / name} is not the file that was exported (its SHA-256 differs); export the model again."
    )
    for write in (partial(convert, formats=["tflite-float16"]), write_report):
        with pytest.raises(BundleError, match=says(message)):
            write(copy, photos=photos)


def test_an_edited_form_is_mended_by_writing_it_anew(copy, photos):
    (copy / "model.tflite").write_bytes(b"other")
    convert(copy, formats=["tflite"], photos=photos)
    check_digest(copy, "model.tflite")


def test_unknown_forms_are_refused_first(tmp_path, says):
    message = (
        "no export format 'tflite-int4'; did you mean 'tflite-int8'? tfxfer.exports.FORMATS lists all 8."
    )
    with pytest.raises(SettingError, match=says(message)):
        convert(tmp_path, formats=["tflite-int4"])

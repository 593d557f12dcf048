"""A model that tells what it does not know does so in every file that can, and after loading."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import write_pictures
from tfxfer.conversion import convert
from tfxfer.data import from_folder, read_image
from tfxfer.errors import BundleError, ParityError, TfxferWarning
from tfxfer.evaluation import fit_rejection, with_known
from tfxfer.exports import FORMATS, LiteRTModel, export, load, read_metadata
from tfxfer.exports import bundle as bundle_module
from tfxfer.exports.known import KnownYardstick, read_rejection
from tfxfer.exports.quantizing.quantizer import Quantizer
from tfxfer.models import build
from tfxfer.training import Phase, fit

SMALL = ["tflite-float16", "tflite-dynamic", "tflite-int8", "tflite-int16x8"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("known")
    photos = from_folder(write_pictures(home / "pictures", count=45, colours=("blue", "red"))).folds(3)[0]
    model = build(photos, backbone="micro", image_size=32)
    fit(model, photos, plan=[Phase("head", epochs=5, rate=3e-3)], progress=False)
    rejection = fit_rejection(model, photos, share=0.2)
    artifacts = export(model, home / "bundle", photos, rejection=rejection)
    return photos, model, rejection, home / "bundle", artifacts


@pytest.fixture(scope="module")
def converted(made, tmp_path_factory):
    folder = shutil.copytree(made[3], tmp_path_factory.mktemp("converted") / "bundle")
    return folder, convert(folder, formats=SMALL, photos=made[0])


@pytest.fixture(scope="module")
def images(made):
    return np.stack([read_image(path, height=32, width=32) for path in made[0].paths("test")])


def test_every_file_but_the_plain_one_says_it(made, images):
    _, model, rejection, folder, artifacts = made
    said = with_known(model, rejection).predict(images, verbose=0)
    scores, known = said["scores"], said["known"]
    loaded = tf.saved_model.load(str(folder / "saved_model" / "1"))
    found = loaded.serve(images.astype("float32"))
    np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
    np.testing.assert_allclose(found["known"], known, atol=1e-3)
    lite = LiteRTModel(folder / "model.tflite")
    said = [lite.outputs(image) for image in images]
    np.testing.assert_allclose([each.scores for each in said], scores, atol=1e-5)
    np.testing.assert_allclose([each.known for each in said], known, atol=1e-3)
    assert lite._interpreter.get_signature_list()["serving_default"]["outputs"] == ["known", "scores"]
    np.testing.assert_allclose(FORMATS["keras"].scores(folder / "model.keras", images), scores, atol=1e-5)
    assert [artifact.comparison.disagreements for artifact in artifacts] == [0, 0, 0]
    assert [artifact.known and artifact.known.disagreements for artifact in artifacts] == [None, 0, 0]
    names = ("images", "agreement", "turned_away", "refused")
    assert {name: artifacts[1].to_dict()["known"][name] for name in names} == {
        "images": 14,
        "agreement": 1.0,
        "turned_away": int((known < 0).sum()),
        "refused": "",
    }
    assert json.loads((folder / "card.json").read_text())["rejection"] == rejection.to_dict()


def test_the_predictor_tells(made, tmp_path):
    photos, model, rejection, folder, _ = made
    strange = write_pictures(tmp_path / "strange", count=12, colours=("green",)) / "green"
    files = [*photos.paths("test"), *sorted(strange.iterdir())]
    images = np.stack([read_image(path, height=32, width=32) for path in files])
    known = with_known(model, rejection).predict(images, verbose=0)["known"]
    predictions = load(folder).predict(files)
    assert [each.known for each in predictions] == (known >= 0).tolist()
    assert not all(each.known for each in predictions)
    for each in predictions:
        assert each.to_dict()["known"] is each.known
        assert str(each).endswith("  (none of these, it seems)") is not each.known


def test_the_bundle_keeps_how_it_is_told(made, images):
    _, model, rejection, folder, _ = made
    again = with_known(model, read_rejection(folder)).predict(images, verbose=0)["known"]
    np.testing.assert_array_equal(again, with_known(model, rejection).predict(images, verbose=0)["known"])
    assert "rejection.npz" in json.loads((folder / "manifest.json").read_text())["files"]


def test_smaller_forms_say_it_too(made, converted, images):
    _, model, rejection, *_ = made
    folder, artifacts = converted
    known = with_known(model, rejection).predict(images, verbose=0)["known"]
    for artifact in artifacts:
        lite = LiteRTModel(artifact.path)
        outputs = lite._interpreter.get_signature_list()["serving_default"]["outputs"]
        assert sorted(outputs) == ["known", "scores"], artifact.format
        found = np.array([lite.outputs(image).known for image in images])
        off = np.abs(found - known).mean() / rejection.spread
        assert artifact.known.mean_difference == pytest.approx(off, rel=1e-3)
        assert off <= FORMATS[artifact.format].bounds.known
        assert read_metadata(artifact.path).facts.reject_threshold == 0
    told = json.loads((folder / "manifest.json").read_text())["parity"]["tflite-int8"]
    assert told["bounds"]["known"] == 0.25
    assert told["known"]["agreement"] == artifacts[2].known.agreement


def test_what_only_tells_what_is_known_is_never_int8(made, images):
    _, _, rejection, folder, _ = made
    quantizer = Quantizer((folder / "model.tflite").read_bytes(), images)
    assert {each.kind for each in quantizer.operations}.isdisjoint({"SQRT", "LOG", "EXP"})
    assert quantizer.operations[-1].kind == "SOFTMAX"
    basis = 4 * rejection.basis.size
    assert 2 * basis <= quantizer.apart <= 2 * basis + 8 * len(rejection.origin) + 64


# AutoGraph of TensorFlow 2.21 on Python 3.13, which pytest.warns tells once more.
@pytest.mark.filterwarnings("ignore:.*got an unexpected keyword argument .___pyct_anno:DeprecationWarning")
def test_what_says_it_badly_is_the_plain_classifier(made, monkeypatch, tmp_path):
    photos, model, rejection, *_ = made
    form = FORMATS["tflite-dynamic"]
    strict = replace(form, bounds=replace(form.bounds, known=1e-9))
    monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [strict])
    with pytest.warns(TfxferWarning) as warned:
        (artifact,) = export(model, tmp_path / "bundle", photos, rejection=rejection)
    assert artifact.passed
    assert LiteRTModel(artifact.path).outputs(np.zeros((32, 32, 3), np.uint8)).known is None
    assert read_metadata(artifact.path).facts.reject_threshold is None
    assert artifact.known.refused.endswith(" off in the mean (bound 1e-09)")
    assert [str(each.message) for each in warned if each.category is TfxferWarning] == [
        f"model-dynamic.tflite {artifact.known.refused}; it is handed out without known. Take another "
        "format, more test pictures, or accept=True (--accept)."
    ]
    with pytest.warns(TfxferWarning, match="handed out all the same"):
        (artifact,) = export(model, tmp_path / "all", photos, rejection=rejection, accept=True)
    assert LiteRTModel(artifact.path).outputs(np.zeros((32, 32, 3), np.uint8)).known is not None


def test_a_bundle_that_does_not_keep_it_gets_no_further_forms(made, tmp_path, says):
    folder = shutil.copytree(made[3], tmp_path / "bundle")
    (folder / "rejection.npz").unlink()
    message = (
        f"{folder} tells what is none of its classes, and has no rejection.npz that says how: it is of an "
        "earlier version; train it again."
    )
    with pytest.raises(BundleError, match=says(message)):
        convert(folder, formats=["tflite-dynamic"])


def test_what_rounding_decides_is_no_disagreement():
    yardstick = KnownYardstick(np.float32([1, -1, 1e-4]), spread=0.5)
    exact = FORMATS["tflite"].bounds
    assert yardstick.complaint(yardstick.compare(np.float32([1.0004, -1, -1e-4])), exact) == ""
    assert yardstick.complaint(yardstick.compare(np.float32([-1, -1, -1e-4])), exact) == (
        "disagrees with the model on whether 1 of 3 pictures show any of the classes (largest difference 4 "
        "standard deviations, bound 0.001)"
    )


def test_a_small_form_may_be_off_by_so_much():
    """One picture may always be called otherwise, but all of them may not be off."""
    yardstick = KnownYardstick(np.float32([1, 2, 3, -1]), spread=2.0)
    int8 = FORMATS["tflite-int8"].bounds
    assert yardstick.complaint(yardstick.compare(np.float32([1, 2, 3, 0])), int8) == ""
    assert yardstick.complaint(yardstick.compare(np.float32([1, 2, 3, 9])), int8) == (
        "says the same as the model of 75.0% of 4 pictures on whether they show any of the classes (bound "
        "95.0%), 1.2 standard deviations off in the mean (bound 0.25)"
    )
    assert yardstick.complaint(yardstick.compare(np.float32([-0.1, 2, 3, 0])), int8)
    assert yardstick.complaint(yardstick.compare(np.full(4, np.nan, np.float32)), int8)


@pytest.mark.parametrize("change", [lambda known: -known, lambda known: known * np.nan], ids=["other", "NaN"])
def test_a_file_that_says_otherwise_is_not_written(made, monkeypatch, tmp_path, change):
    photos, model, rejection, *_ = made
    form = FORMATS["saved-model"]
    broken = replace(form, known=lambda path, images: change(form.known(path, images)))
    monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [broken])
    pattern = r"^saved_model disagrees with the model on whether \d+ of 14 pictures show any of the classes"
    with pytest.raises(ParityError, match=pattern):
        export(model, tmp_path / "bundle", photos, rejection=rejection)
    assert not (tmp_path / "bundle").exists()

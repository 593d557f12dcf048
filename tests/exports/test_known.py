"""A model that tells what it does not know does so in every file that can, and after loading."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import write_pictures
from tfxfer.data import from_folder, read_image
from tfxfer.errors import ParityError, SettingError
from tfxfer.evaluation import fit_rejection, with_known
from tfxfer.exports import FORMATS, LiteRTModel, convert, export, load
from tfxfer.exports import bundle as bundle_module
from tfxfer.exports.known import KnownYardstick
from tfxfer.models import build
from tfxfer.training import Phase, fit


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("known")
    photos = from_folder(write_pictures(home / "pictures", count=45, colours=("blue", "red"))).folds(3)[0]
    model = build(photos, backbone="micro", image_size=32)
    fit(model, photos, plan=[Phase("head", epochs=5, rate=3e-3)], progress=False)
    rejection = fit_rejection(model, photos, share=0.2)
    artifacts = export(model, home / "bundle", photos, rejection=rejection)
    return photos, model, rejection, home / "bundle", artifacts


def test_every_file_but_the_plain_one_says_it(made):
    photos, model, rejection, folder, artifacts = made
    images = np.stack([read_image(path, height=32, width=32) for path in photos.paths("test")])
    said = with_known(model, rejection).predict(images, verbose=0)
    scores, known = said["scores"], said["known"]
    loaded = tf.saved_model.load(str(folder / "saved_model"))
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


def test_a_small_form_is_the_plain_classifier(made, tmp_path):
    photos, model, rejection, *_ = made
    forms = ("saved-model", "tflite", "tflite-dynamic")
    export(model, tmp_path / "bundle", photos, rejection=rejection, formats=forms, accept=True)
    known = {
        file.name: LiteRTModel(file).outputs(np.zeros((32, 32, 3), np.uint8)).known is not None
        for file in (tmp_path / "bundle").glob("*.tflite")
    }
    assert known == {"model.tflite": True, "model-dynamic.tflite": False}


def test_no_further_form_is_made_of_it(made, says):
    folder = made[3]
    message = (
        f"{folder} tells in saved-model, tflite what is none of its classes, and its model.keras does not; "
        "export tflite-dynamic when you train, with formats=…."
    )
    with pytest.raises(SettingError, match=says(message)):
        convert(folder, formats=["tflite-dynamic"])


def test_what_rounding_decides_is_no_disagreement():
    yardstick = KnownYardstick(np.float32([1, -1, 1e-4]), spread=0.5)
    assert yardstick.complaint(np.float32([1.0004, -1, -1e-4])) == ""
    assert yardstick.complaint(np.float32([-1, -1, -1e-4])) == (
        "disagrees with the model on whether 1 of 3 pictures show any of the classes (largest difference 4 "
        "standard deviations, bound 0.001)"
    )


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

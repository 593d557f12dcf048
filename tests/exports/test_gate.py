"""The gate: what loses too much is not handed out, what must not differ stops it all."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.errors import ParityError, TfxferWarning
from tfxfer.exports import FORMATS, export
from tfxfer.exports import bundle as bundle_module
from tfxfer.models import build

# AutoGraph of TensorFlow 2.21 on Python 3.13, which pytest.warns tells once more.
AUTOGRAPH = pytest.mark.filterwarnings(
    "ignore:.*got an unexpected keyword argument .___pyct_anno:DeprecationWarning"
)


@pytest.fixture
def altered(monkeypatch):
    """Have the keras format read back other scores than it wrote, as a broken converter would."""

    def alter(change, bounds=FORMATS["keras"].bounds):
        form = replace(FORMATS["keras"], bounds=bounds)
        broken = replace(form, scores=lambda path, images: change(form.scores(path, images)))
        monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [broken])

    return alter


def test_a_file_that_disagrees_is_not_written(fitted, photos, tmp_path, altered):
    altered(lambda scores: np.roll(scores, 1, axis=1))
    pattern = (
        r"^model\.keras disagrees with the model on [1-9] of 9 pictures \(largest difference [\d.]+, bound "
        r"0\.001\); leave this format out with formats=…, and report this\.$"
    )
    with pytest.raises(ParityError, match=pattern):
        export(fitted[0], tmp_path / "bundle", photos)
    assert list(tmp_path.iterdir()) == []


def test_both_sides_are_computed_in_whole_float32(fitted, photos, tmp_path, altered):
    seen = []

    def watched(scores):
        seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
        return scores

    altered(watched)
    export(fitted[0], tmp_path / "model", photos, formats=("keras",))
    assert seen == [False]
    assert tf.config.experimental.tensor_float_32_execution_enabled()


def test_a_file_that_must_not_differ_and_does_not_run_names_its_form(fitted, photos, tmp_path, monkeypatch):
    def write(_, path, __):
        path.write_bytes(b"no model" * 10)
        return []

    broken = replace(FORMATS["tflite"], write=write)
    monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [broken])
    pattern = r"^model\.tflite does not run \(.+\); leave this format out with formats=…, and report this\.$"
    with pytest.raises(ParityError, match=pattern):
        export(fitted[0], tmp_path / "bundle", photos)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def dividing(photos, tmp_path_factory):
    """A model that divides by 0, as float32 may and whole numbers may not."""
    image = keras.Input((32, 32, 3))
    found = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    vector = keras.layers.GlobalAveragePooling2D()(keras.ops.minimum(1 / found, 1.0))
    file = tmp_path_factory.mktemp("own") / "dividing.keras"
    keras.utils.set_random_seed(0)
    keras.Model(image, vector).save(file)
    return build(photos, backbone=f"file:{file}", image_size=32, pixel_range=(0, 255))


@AUTOGRAPH
def test_a_form_that_does_not_run_is_not_handed_out_and_others_are(dividing, photos, tmp_path):
    pattern = (
        r"^(model-int\S+\.tflite) does not run \(LiteRT cannot run \1: .*\(DIV\) failed to invoke\.\); it is "
        r"not handed out\. Take another format\.$"
    )
    forms = ("tflite-int16x8", "tflite-int8", "tflite")
    with pytest.warns(TfxferWarning, match=pattern):
        *refused, whole = export(dividing, tmp_path / "bundle", photos, formats=forms, accept=True)
    assert (whole.passed, whole.path.exists()) == (True, True)
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert [name for name in manifest["files"] if name.endswith(".tflite")] == ["model.tflite"]
    for each in refused:
        assert (each.passed, each.path.exists(), each.comparison) == (False, False, None)
        told = manifest["parity"][each.format]
        assert told["refused"].startswith(f"does not run (LiteRT cannot run {each.path.name}: ")
        assert (told["images"], told["agreement"], told["accuracy_change_interval"]) == (0, None, None)
        assert all(trial["fails"].startswith("does not run (LiteRT") for trial in told["tried"])


def test_nan_is_no_agreement(fitted, photos, tmp_path, altered):
    altered(lambda scores: scores * np.nan)
    with pytest.raises(ParityError, match="largest difference nan"):
        export(fitted[0], tmp_path / "bundle", photos)


def test_numbers_that_disagree_are_not_written(of_task, tmp_path, altered):
    photos, model, _, _, _ = of_task["regression"]
    altered(lambda scores: scores + np.array([0, 0.01], np.float32))
    pattern = (
        r"^model\.keras disagrees with the model on (\d+) of \1 pictures \(largest difference 0\.0\d+ "
        r"standard deviations, bound 0\.001\); leave this format out with formats=…, and report this\.$"
    )
    with pytest.raises(ParityError, match=pattern):
        export(model, tmp_path / "bundle", photos)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_disagree_are_not_written(of_task, tmp_path, altered):
    photos, model, _, _, _ = of_task["multi_label"]
    altered(lambda scores: 1 - scores)
    with pytest.raises(ParityError, match=r"^model\.keras disagrees with the model on (\d+) of \1 "):
        export(model, tmp_path / "bundle", photos)


@pytest.fixture
def lossy(altered):
    """A form that may lose little, and says the next class of everything."""
    altered(lambda scores: np.roll(scores, 1, axis=1), FORMATS["tflite-int8"].bounds)


@pytest.mark.usefixtures("lossy")
def test_a_form_that_loses_too_much_is_not_handed_out(fitted, photos, tmp_path):
    pattern = (
        r"^model\.keras .*says the same as the model of 0\.0% of 9 pictures \(bound 95\.0%\); it is not "
        r"handed out\. Take another format, more test pictures, or accept=True \(--accept\)\.$"
    )
    with pytest.warns(TfxferWarning, match=pattern):
        (artifact,) = export(fitted[0], tmp_path / "bundle", photos)
    assert not artifact.passed
    assert artifact.refused.endswith("of 9 pictures (bound 95.0%)")
    assert artifact.size > 0
    assert not artifact.path.exists()
    assert (tmp_path / "bundle" / "manifest.json").exists()


@pytest.mark.usefixtures("lossy")
def test_it_is_where_that_is_accepted(fitted, photos, tmp_path):
    with pytest.warns(TfxferWarning, match="it is handed out all the same, since accept was given"):
        (artifact,) = export(fitted[0], tmp_path / "bundle", photos, accept=True)
    assert not artifact.passed
    assert artifact.refused == ""
    assert artifact.accepted.endswith("of 9 pictures (bound 95.0%)")
    assert artifact.path.exists()
    assert artifact.comparison.agreement == 0


@AUTOGRAPH
def test_a_form_that_reads_files_is_asked_by_them_too(bundle, fitted, photos, tmp_path, monkeypatch):
    whole, saved_model, _ = bundle[1]
    assert whole.files is None
    assert saved_model.files.images == saved_model.to_dict()["files_images"] == 9
    assert saved_model.files.largest_difference <= 0.01
    form = FORMATS["saved-model"]
    broken = replace(form, files=lambda path, files: np.roll(form.files(path, files), 1, axis=1))
    monkeypatch.setattr(bundle_module, "choose_formats", lambda _: [broken])
    pattern = (
        r"^saved_model answers 9 picture files up to 0\.\d+ off what the model says of their pixels \(bound "
        r"0\.05\): its decoder is not Pillow; give it pixels\.$"
    )
    with pytest.warns(TfxferWarning, match=pattern):
        (artifact,) = export(fitted[0], tmp_path / "bundle", photos)
    assert artifact.path.exists()

"""transfer: one call from a folder to a bundle; on failure the target is as it was."""

import io
import json
import re
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import tfxfer
from tests.conftest import COLOURS, write_pictures
from tests.tfds_sets import prepare
from tfxfer.data import content_sha256
from tfxfer.data.auditing import looking
from tfxfer.reporting import REPORT_FILES
from tfxfer.runtime import file_sha256
from tfxfer.workflow import Means, for_card

QUICK = {"backbone": "micro", "image_size": 32, "head_epochs": 2, "top_epochs": 1, "progress": False}
QUICK |= {"report": False, "guard": False}  # a probe would win against so few epochs
BLOCKS = "1, since a fifth of the backbone's 4 suits 42 training pictures"


def test_one_call_does_it_all(shared_pictures, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    watched = {**QUICK, "progress": True, "console": console, "guard": True}
    run = tfxfer.transfer(
        shared_pictures, to=tmp_path / "model", seed=2, augment="light", mix="cutmix", **watched
    )
    lines = console.file.getvalue().splitlines()
    even = "the largest class has 1.0 times the training pictures of the smallest (14 and 14)"
    assert f"top_blocks: {BLOCKS}." in lines
    assert f"balance: none, since {even}; that is even enough." in lines
    assert not any(line.startswith(("head_epochs:", "top_epochs:")) for line in lines)
    assert [phase.name for phase in run.log.phases] == ["head", "top", "probe"]
    assert [artifact.format for artifact in run.files] == ["keras", "saved-model", "tflite"]
    outcome = json.loads(json.dumps(run.to_dict()))
    assert set(outcome) == {
        "task",
        "classes",
        "images",
        "left_out",
        "test_accuracy",
        "validation_accuracy",
        "guard",
        "calibration",
        "rejection",
        "seconds",
        "files",
    }
    assert outcome["images"] == 60
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["settings"]["seed"] == 2
    light = tfxfer.augmentation("light")
    assert card["settings"]["augment"] == {"name": "light", "digest": light.digest}
    assert card["settings"]["mix"] == "cutmix(alpha=1)"
    assert [phase["epochs"] for phase in card["settings"]["plan"]] == [2, 1]
    assert [phase["rate"] for phase in card["training"]["phases"]] == [3e-3, 1e-4, None]
    assert card["training"]["guard"]["sentence"] == outcome["guard"] == str(run.log.guard)
    assert (card["settings"]["features"], card["settings"]["views"]) == ("auto", None)
    assert card["training"]["chosen"] == run.log.chosen == {"top_blocks": BLOCKS}
    reason = "cutmix(alpha=1) mixes pictures anew in every step, so what is made of them is never the same"
    assert (card["training"]["features"], card["training"]["features_reason"]) == ("off", reason)
    assert card["test"]["accuracy"] == outcome["test_accuracy"]
    predictor = tfxfer.load(tmp_path / "model")
    report = tfxfer.evaluation.judge(
        predictor.predictions(run.photos.paths("test"), run.photos.labels("test"))
    )
    assert report.accuracy == run.report.accuracy
    # The temperature is in every file: probabilities are those of the calibrated model.
    np.testing.assert_allclose(report.predictions.scores, run.report.predictions.scores, atol=1e-3)
    test = card["calibration"].pop("test")
    assert card["calibration"] == outcome["calibration"] == run.calibration.to_dict()
    assert test["after"] == {name: card["test"]["calibration"][name] for name in test["after"]}
    assert set(test["before"]) == set(test["after"])


def test_label_errors_are_refused_early_where_cleanlab_is_missing(
    shared_pictures, tmp_path, monkeypatch, says
):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    message = "likely label errors need cleanlab, which is not installed; pip install 'tfxfer[labels]'."
    with pytest.raises(tfxfer.MissingExtra, match=says(message)):
        tfxfer.transfer(shared_pictures, to=tmp_path / "model", label_errors=True, **QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The shared pictures as a table, with an owner for every four of a colour."""
    file = tmp_path_factory.mktemp("table") / "photos.csv"
    rows = [f"{colour}/{i:02}.png,{colour},{colour} {i // 4}" for colour in COLOURS for i in range(20)]
    file.write_text("\n".join(["file,colour,owner", *rows]))
    return file


COLUMNS = {"path": "file", "label": "colour", "group": "owner"}


@pytest.fixture(scope="module")
def of_table(table, shared_pictures, tmp_path_factory):
    """What is made of it, with nothing that can be left out, beside a copy of it."""
    home = tmp_path_factory.mktemp("of a table")
    settings = {**QUICK, "columns": COLUMNS, "root": shared_pictures, "calibrate": False, "report": False}
    return tfxfer.transfer(shutil.copy(table, home), to=home / "model", formats=("tflite",), **settings)


def test_a_table_goes_the_whole_way_and_a_bundle_may_lie_beside_it(of_table, shared_pictures):
    folder = of_table.files[0].path.parent
    assert of_table.photos.classes == ("blue", "green", "red")
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["columns"] == COLUMNS
    assert card["settings"]["separator"] is None
    assert card["settings"]["augment"] == {"name": "none", "digest": None}
    split = json.loads((folder / "split.json").read_text())
    owners = [{entry["group"] for entry in split[part]} for part in ("train", "validation", "test")]
    assert sum(map(len, owners)) == len(set().union(*owners)) == 15
    assert all((shared_pictures / entry["path"]).is_file() for entry in split["test"])
    seen = tfxfer.load(folder).seen_in_training()
    assert len(seen) == len(of_table.photos.split.train) + len(of_table.photos.split.validation)


def test_a_report_is_left_out_where_nobody_wants_it_and_needs_a_model_to_judge(of_table, says):
    folder = of_table.files[0].path.parent
    assert not set(REPORT_FILES) & {path.name for path in folder.iterdir()}
    message = f"{folder} was exported without model.keras; export the model again, with all formats."
    with pytest.raises(tfxfer.BundleError, match=says(message)):
        tfxfer.write_report(folder)


def test_calibrating_is_left_out_where_nobody_wants_it_and_for_numbers(
    of_table, shared_pictures, tmp_path, numbers
):
    table = tmp_path / "numbers.csv"
    rows = [f"{record.path},{record.target[0]}" for record in numbers.records]
    table.write_text("\n".join(["path,label", *rows]))
    settings = {**QUICK, "formats": ("tflite",), "top_epochs": 0, "root": shared_pictures}
    of_numbers = tfxfer.transfer(table, to=tmp_path / "numbers", task="regression", **settings)
    for run in (of_table, of_numbers):
        assert run.calibration is None
        assert run.to_dict()["calibration"] is None
        assert "calibration" not in json.loads((run.files[0].path.parent / "card.json").read_text())


def test_a_bundle_never_replaces_the_table_it_was_made_of(table, shared_pictures, tmp_path, says):
    work = tmp_path / "work"
    work.mkdir()
    (work / "manifest.json").write_text("{}")
    near = work / "photos.csv"
    near.write_text(table.read_text())
    reading = {"columns": COLUMNS, "root": shared_pictures}
    message = f"{work} holds {near}, and would replace it; give another folder."
    with pytest.raises(tfxfer.SettingError, match=says(message)):
        tfxfer.transfer(near, to=work, force=True, **reading, **QUICK)
    assert near.is_file()


@pytest.mark.slow
def test_without_weights_everything_learns(shared_pictures, tmp_path):
    settings = {**QUICK, "weights": None, "formats": ("keras",), "head_epochs": 1}
    run = tfxfer.transfer(shared_pictures, to=tmp_path / "model", **settings)
    (phase,) = run.log.phases
    assert phase.name == "all"
    assert len(phase.history["loss"]) == 2
    assert phase.learning_parameters > 0.95 * run.model.count_params()


@pytest.mark.slow
def test_a_hub_module_goes_the_whole_way(shared_pictures, hub_module, tmp_path):
    settings = {**QUICK, "report": True, "backbone": f"hub:{hub_module}", "pixel_range": (0, 1)}
    run = tfxfer.transfer(shared_pictures, to=tmp_path / "model", **settings)
    assert [phase.name for phase in run.log.phases] == ["head", "top"]
    assert [artifact.format for artifact in run.files] == ["keras", "saved-model", "tflite"]
    files = run.photos.paths("test")
    scores = tfxfer.load(tmp_path / "model").scores(files)
    assert abs(scores - run.report.predictions.scores).max() < 1e-5


@pytest.mark.slow
def test_a_preset_of_keras_hub_goes_the_whole_way(shared_pictures, tmp_path):
    pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)
    from tests import keras_hub_presets

    folder = keras_hub_presets.write_preset(tmp_path / "vit", "ViT")
    settings = {**QUICK, "report": True, "backbone": f"kerashub:{folder}", "top_blocks": 2}
    run = tfxfer.transfer(shared_pictures, to=tmp_path / "model", **settings)
    assert [phase.name for phase in run.log.phases] == ["head", "top"]
    assert [artifact.format for artifact in run.files] == ["keras", "saved-model", "tflite"]
    scores = tfxfer.load(tmp_path / "model").scores(run.photos.paths("test"))
    assert abs(scores - run.report.predictions.scores).max() < 1e-5


def test_a_hub_module_for_inference_trains_its_head(shared_pictures, frozen_hub_module, tmp_path):
    settings = {**QUICK, "report": True, "backbone": f"hub:{frozen_hub_module}", "pixel_range": (0, 1)}
    run = tfxfer.transfer(shared_pictures, to=tmp_path / "model", formats=("keras",), **settings)
    assert [phase.name for phase in run.log.phases] == ["head"]


@pytest.fixture(scope="module")
def first_hop(shared_pictures, tmp_path_factory):
    """A bundle on micro that tells three colours apart."""
    target = tmp_path_factory.mktemp("first") / "colours"
    return tfxfer.transfer(shared_pictures, to=target, formats=("keras",), **QUICK), target


@pytest.mark.slow
def test_a_bundle_is_the_start_of_the_next(first_hop, tmp_path):
    first, bundle = first_hop
    pictures = write_pictures(tmp_path / "pictures", colours=("green", "red"))
    settings = {**QUICK, "backbone": f"file:{bundle}", "image_size": 48}
    run = tfxfer.transfer(pictures, to=tmp_path / "second", formats=("keras", "tflite"), **settings)
    assert [phase.name for phase in run.log.phases] == ["head", "top"]
    assert (run.model.name, run.model.input_shape, run.model.output_shape) == (
        "micro",
        (None, 48, 48, 3),
        (None, 2),
    )
    stem = "stem_conv"
    mine, theirs = (each.get_layer(stem).get_weights()[0] for each in (run.model, first.model))
    assert (mine == theirs).all()
    card = json.loads((tmp_path / "second" / "card.json").read_text())
    assert card["settings"]["backbone"] == f"file:{bundle}"
    scores = tfxfer.load(tmp_path / "second").scores(run.photos.paths("test"))
    assert abs(scores - run.report.predictions.scores).max() < 1e-5


def foreign(path):
    """Save what transfer tutorials make: a base that is a model in the model, behind augmentation."""
    base = tfxfer.backbones.build_backbone(tfxfer.BACKBONES["micro"], input_shape=(32, 32, 3))
    image = keras.Input((32, 32, 3))
    x = base(keras.layers.RandomFlip("horizontal")(image), training=False)
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(image, keras.layers.Dense(5)(x)).save(path)
    return path


def test_what_is_said_of_batch_norm_is_of_every_phase():
    means = Means.of(tfxfer.Recipe().with_settings(backbone="micro", batch_norm="recalibrate"))
    phases, _ = means.phases_of(images=20, stages=4)
    assert [phase.batch_norm for phase in phases] == ["recalibrate"] * 2


def test_the_card_leads_to_the_same_things_from_any_folder(shared_pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first").mkdir()
    photos = tfxfer.from_folder(shared_pictures)
    recipe = tfxfer.Recipe().with_settings(backbone="file:first", weights=Path("own.h5"), source=photos)
    card = json.loads(json.dumps(for_card(recipe, photos, ())))
    assert card["backbone"] == f"file:{tmp_path / 'first'}"
    assert card["weights"] == str(tmp_path / "own.h5")
    assert (card["source"], card["root"], card["columns"]) == (None, None, {})


@pytest.mark.slow
def test_anybody_s_model_is_the_start_of_the_next_and_that_of_another(shared_pictures, tmp_path, monkeypatch):
    settings = {**QUICK, "image_size": None, "formats": ("keras",), "head_epochs": 1}
    foreign(tmp_path / "Tutorial.keras")
    monkeypatch.chdir(tmp_path)
    told = {**settings, "backbone": "file:Tutorial.keras", "pixel_range": (0, 255)}
    run = tfxfer.transfer(shared_pictures, to="one", **told)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    tfxfer.write_report(tmp_path / "one", label_errors=True)  # by the backbone as it was
    assert run.model.name == "file_tutorial"
    assert not [layer for layer in run.model.layers if isinstance(layer, keras.Model)]
    assert tfxfer.models.Anatomy.of(run.model).stage_names == ("stem", "block_1", "block_2", "block_3")
    assert tfxfer.set_trainable(run.model, "block_2:").names == ("block_2", "block_3", "head")
    assert tfxfer.set_trainable(run.model, slice(-10, None)).names == ("block_3", "head")
    settings |= {"backbone": f"file:{tmp_path / 'one'}", "formats": ("keras", "tflite")}
    again = tfxfer.transfer(shared_pictures, to=tmp_path / "two", **settings)
    assert again.model.name == "file_tutorial"
    assert tfxfer.models.Anatomy.of(again.model).stage_names == ("stem", "block_1", "block_2", "block_3")
    scores = tfxfer.load(tmp_path / "two").scores(again.photos.paths("test"))
    assert abs(scores - again.report.predictions.scores).max() < 1e-5


@pytest.mark.parametrize(
    "settings",
    [
        {"backbone": "nonesuch"},
        {"backbone": "hub:nonesuch"},
        {"backbone": "kerashub:nonesuch"},
        {"backbone": "file:nonesuch"},
        {"top_blocks": 99},
        {"resize": "squeeze"},
        {"augment": "lite"},
        {"mix": "mixups"},
        {"formats": ("tflit",)},
        {"seed": -1},
        {"max_bad": 5},
        {"near_duplicates": "apart"},
        {"balance": "evenly"},
        {"batch_norm": "thaw"},
        {"drop_path": 0.1},
        {"dropout": 1.5},
    ],
    ids=str,
)
def test_wrong_settings_leave_nothing_behind(shared_pictures, tmp_path, settings):
    with pytest.raises((tfxfer.SettingError, tfxfer.WeightsError)):
        tfxfer.transfer(shared_pictures, to=tmp_path / "model", **{**QUICK, **settings})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", [".", "model", "red/model"])
def test_a_bundle_among_the_pictures_is_refused(tmp_path, where):
    pictures = write_pictures(tmp_path / "pictures")
    with pytest.raises(tfxfer.SettingError):
        tfxfer.transfer(pictures, to=pictures / where, force=True, **QUICK)
    assert len(list(pictures.rglob("*"))) == 39


def test_bad_data_leaves_nothing_behind(tmp_path):
    pictures = write_pictures(tmp_path / "pictures")
    (pictures / "red" / "00.png").write_text("no picture")
    with pytest.raises(tfxfer.DataError, match=r"^1 of 36 pictures \(2\.8%\) cannot be read, "):
        tfxfer.transfer(pictures, to=tmp_path / "model", max_bad=0.02, **QUICK)
    assert not (tmp_path / "model").exists()


def test_bad_pictures_are_left_out_and_listed_in_the_bundle(tmp_path, capfd, monkeypatch):
    pictures = write_pictures(tmp_path / "pictures", count=20)
    for index in range(6):
        shutil.copy(pictures / "blue" / f"{index:02}.png", pictures / "blue" / f"{index:02} again.png")
    victim = tfxfer.from_folder(pictures).paths("train")[-1]
    victim.write_bytes(victim.read_bytes()[:100])
    names = []
    look = looking.inspect_file
    monkeypatch.setattr(looking, "inspect_file", lambda path, **_: names.append(path) or look(path, **_))
    monkeypatch.setattr(tfxfer.Photos, "check", None)  # every picture is looked at once
    settings = {**QUICK, "formats": ("keras",), "balance": "auto"}
    run = tfxfer.transfer(pictures, to=tmp_path / "model", **settings)
    assert len(names) == len(set(names)) == 66
    assert (len(run.photos), run.to_dict()["left_out"]) == (65, 1)
    assert victim not in run.photos.paths("train")
    name = victim.relative_to(pictures).as_posix()
    listed = json.loads((tmp_path / "model" / "left_out.json").read_text())
    reason = listed["left_out"][0]["reason"]
    assert reason.startswith("is damaged (")
    entry = {"path": name, "class": "red", "part": "train", "reason": reason}
    assert listed == {"pictures": 66, "left_out": [entry]}
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert "left_out.json" in manifest["files"]
    assert name not in (tmp_path / "model" / "split.json").read_text()
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert (card["settings"]["max_bad"], card["settings"]["near_duplicates"]) == (0.05, "together")
    assert (card["settings"]["balance"], card["training"]["balance"]) == ("auto", "none")
    assert card["training"]["balance_reason"].startswith("the largest class has 1.")
    split = json.loads((tmp_path / "model" / "split.json").read_text())
    alike = [{entry.get("alike") for entry in split[part]} - {None} for part in tfxfer.contracts.PARTS]
    assert sum(map(len, alike)) == len(set().union(*alike)) == 6
    assert f"  {victim} {reason}\n" in capfd.readouterr().err


def steps(photos, to):
    """Go from a data set to a checked bundle, in one epoch."""
    model = tfxfer.build(photos, backbone="micro", image_size=32)
    phases = [tfxfer.Phase("head", epochs=1, rate=1e-3)]
    log = tfxfer.fit(model, photos, plan=phases, progress=False)
    report = tfxfer.evaluate(model, photos)
    return report, tfxfer.export(model, to, photos, report=report, log=log, formats=("tflite",))


@pytest.fixture(scope="module")
def sources(shared_pictures, tmp_path_factory):
    """The shared pictures as each source has them."""
    import tensorflow as tf

    home = tmp_path_factory.mktemp("sources")
    folder = tfxfer.from_folder(shared_pictures)
    arrays = np.stack([np.asarray(Image.open(content)) for _, content in folder.contents()])
    labels = [record.label for record in folder.records]
    tfxfer.write_shards(folder, home / "shards", pictures_per_shard=16)
    for file_format in ("tfrecord", "array_record"):
        prepare(home / file_format, file_format=file_format)
    pairs = tf.data.Dataset.from_tensor_slices((arrays, labels)).batch(8)
    return {
        "shards": tfxfer.from_shards(home / "shards"),
        "arrays": tfxfer.from_arrays(arrays, labels, classes=folder.classes),
        "tf.data": tfxfer.from_dataset(pairs, classes=folder.classes),
        "tfrecord": tfxfer.from_tfds("squares", data_dir=home / "tfrecord"),
        "array_record": tfxfer.from_tfds("squares", data_dir=home / "array_record"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("source", ["shards", "arrays", "tf.data", "tfrecord", "array_record"])
def test_every_source_goes_the_whole_way(sources, source, tmp_path):
    photos = sources[source]
    report, (file,) = steps(photos, tmp_path / "model")
    assert report.predictions.files == tuple(photos.names("test"))
    assert report.predictions.labels.tolist() == photos.labels("test")
    assert file.comparison.disagreements == 0
    split = json.loads((tmp_path / "model" / "split.json").read_text())
    digests = {photos.records[index].path: content_sha256(content) for index, content in photos.contents()}
    for part in ("train", "validation", "test"):
        assert [entry["path"] for entry in split[part]] == photos.names(part)
        assert all(entry["sha256"] == digests[entry["path"]] for entry in split[part])


@pytest.mark.slow
def test_shards_are_known_again_by_content(sources, shared_pictures, tmp_path):
    steps(sources["shards"], tmp_path / "model")
    files = {file_sha256(file) for file in shared_pictures.rglob("*.png")}
    seen = tfxfer.load(tmp_path / "model").seen_in_training()
    assert len(seen) == 51
    assert seen < files


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"balance": "sampling"},
            "balance is for one class a picture (single_label), got 'sampling' for multi_label; leave it "
            "out.",
        ),
        ({"mix": "mixup"}, "mix is for one class a picture (single_label), got multi_label; leave it out."),
        (
            {"augment": "frofa", "features": "off"},
            "augment='frofa' changes kept features, and features='off' keeps none; leave one out.",
        ),
    ],
    ids=["balance", "mix", "features"],
)
def test_what_does_not_go_together_is_refused_before_a_picture_is_read(tmp_path, settings, message):
    rows = [f"{index}.png,{'odd' if index % 2 else 'even;low'}" for index in range(20)]
    for index in range(20):
        (tmp_path / f"{index}.png").write_text("no picture")
    (tmp_path / "tags.csv").write_text("\n".join(["path,label", *rows]))
    with pytest.raises(tfxfer.SettingError, match=f"^{re.escape(message)}$"):
        tfxfer.transfer(
            tmp_path / "tags.csv", to=tmp_path / "model", task="multi_label", **{**QUICK, **settings}
        )


@pytest.mark.slow
def test_one_call_takes_tensorflow_datasets(tmp_path):
    prepare(tmp_path / "prepared")
    reading = {"data_dir": tmp_path / "prepared", "formats": ("tflite",)}
    run = tfxfer.transfer("tfds:squares", to=tmp_path / "model", **reading, **QUICK)
    assert run.to_dict()["images"] == 45
    message = f"{tmp_path} holds {tmp_path / 'prepared'}, and would replace it; give another folder."
    (tmp_path / "manifest.json").touch()
    with pytest.raises(tfxfer.SettingError, match=f"^{re.escape(message)}$"):
        tfxfer.transfer("tfds:squares", to=tmp_path, force=True, **reading, **QUICK)


def test_a_run_that_is_interrupted_goes_on_where_it_was(shared_pictures, tmp_path, monkeypatch):
    """All is trained when it is: nothing is left but to judge and to export."""
    target, settings = tmp_path / "model", {**QUICK, "formats": ("keras",)}

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tfxfer.workflow.export", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tfxfer.transfer(shared_pictures, to=target, **settings)
    checkpoints = tmp_path / "model.checkpoints"
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.name]
    message = (
        f"{checkpoints} holds a run that was interrupted; go on with it by --resume (resume=True), or remove "
        "the folder to begin anew."
    )
    with pytest.raises(tfxfer.SettingError, match=f"^{re.escape(message)}$"):
        tfxfer.transfer(shared_pictures, to=target, **settings)
    (tmp_path / ".model-0a1b2c3d.part").mkdir()  # as one has that was killed while it wrote
    run = tfxfer.transfer(shared_pictures, to=target, resume=True, **settings)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert [len(phase.history["loss"]) for phase in run.log.phases] == [2, 1]
    assert run.log.extraction_seconds == 0

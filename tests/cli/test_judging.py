"""tfxfer evaluate on shards and TensorFlow Datasets: the test part counts, what was learnt from does not."""

import json
from dataclasses import replace

import pytest

import tfxfer
from tests.cli.test_commands import run
from tests.tfds_sets import prepare
from tfxfer.cli.judging import judge_source
from tfxfer.data import from_folder, write_shards
from tfxfer.errors import DataError, SettingError


@pytest.fixture(scope="module")
def sharded(shared_pictures, tmp_path_factory):
    """Shards, and the bundle of a model for them, as if it had learnt from them."""
    home = tmp_path_factory.mktemp("sharded")
    write_shards(from_folder(shared_pictures), home / "shards")
    photos = tfxfer.from_shards(home / "shards")
    model = tfxfer.build(photos, backbone="micro", image_size=32)
    tfxfer.export(model, home / "model", photos, formats=("tflite",))
    return home


def test_the_test_part_of_shards_counts(capfd, sharded):
    captured = run(capfd, "evaluate", sharded / "model", sharded / "shards", "--json")
    figures = json.loads(captured.out)
    expected = json.loads((sharded / "model" / "card.json").read_text())["test"]
    assert figures["confusion"] == expected["confusion"]
    assert sum(map(sum, figures["confusion"])) == 9
    assert captured.err == ""


def test_what_was_learnt_from_is_left_out_wherever_it_is(sharded, shared_pictures, capfd, tmp_path):
    write_shards(from_folder(shared_pictures, seed=3), tmp_path / "otherwise")
    predictor = tfxfer.load(sharded / "model")
    seen = predictor.seen_in_training()
    others = from_folder(shared_pictures, seed=3)
    new = [file for file in others.paths("test") if tfxfer.runtime.file_sha256(file) not in seen]
    report = judge_source(predictor, tmp_path / "otherwise", columns={})
    assert sorted(report.predictions.files) == sorted(
        file.relative_to(shared_pictures).as_posix() for file in new
    )
    assert capfd.readouterr().err == (
        f"{9 - len(new)} of 9 pictures left out: the model was trained or chosen on them.\n"
    )
    everything = judge_source(predictor, tmp_path / "otherwise", columns={}, everything=True)
    assert len(everything.predictions.files) == 9


def test_groups_in_shards_are_judged_by_themselves(sharded, shared_pictures, tmp_path):
    photos = from_folder(shared_pictures)
    stems = [record.path[-6:-4] for record in photos.records]
    cameras = [None if stem < "10" else "old" if stem < "15" else "new" for stem in stems]
    learnt, validates, judging = (
        tuple(index for index, stem in enumerate(stems) if low <= stem < high)
        for low, high in (("00", "08"), ("08", "10"), ("10", "20"))
    )
    split = replace(photos.split, train=learnt, validation=validates, test=judging)
    records = [replace(each, group=camera) for each, camera in zip(photos.records, cameras, strict=True)]
    write_shards(replace(photos, records=tuple(records), split=split), tmp_path / "shards")
    report = judge_source(tfxfer.load(sharded / "model"), tmp_path / "shards", columns={}, everything=True)
    assert [(group.name, group.images) for group in report.subgroups] == [("new", 15), ("old", 15)]


def test_tensorflow_datasets_are_judged_by(capfd, sharded, tmp_path):
    prepare(tmp_path)
    capfd.readouterr()
    output = run(capfd, "evaluate", sharded / "model", "tfds:squares", "--data-dir", tmp_path, "--json").out
    assert sum(map(sum, json.loads(output)["confusion"])) == 9


def test_other_classes_and_tasks_are_refused(sharded, shared_pictures, tags, tmp_path, says):
    predictor = tfxfer.load(sharded / "model")
    write_shards(tags, tmp_path / "tags")
    message = (
        f"the model is for single_label, and {tmp_path / 'tags'} for multi_label; give pictures of the "
        "model's task."
    )
    with pytest.raises(SettingError, match=says(message)):
        judge_source(predictor, tmp_path / "tags", columns={})
    predictor.classes = ("blue", "green", "yellow")
    message = f"{sharded / 'shards'} has a class 'red' that is not among the known ones: blue, green, yellow."
    with pytest.raises(DataError, match=says(message)):
        judge_source(predictor, sharded / "shards", columns={})
    message = "data_dir is for data sets of TensorFlow Datasets; leave it out, or give tfds: and a name."
    with pytest.raises(SettingError, match=says(message)):
        judge_source(predictor, shared_pictures, columns={}, data_dir=tmp_path)


def test_the_model_s_order_of_numbers_counts(numbers, tmp_path, says):
    model = tfxfer.build(numbers, backbone="micro", image_size=32)
    tfxfer.export(model, tmp_path / "model", numbers, formats=("tflite",))
    write_shards(numbers, tmp_path / "shards")
    predictor = tfxfer.load(tmp_path / "model")
    report = judge_source(predictor, tmp_path / "shards", columns={})
    assert report.predictions.labels.tolist() == numbers.targets("test").tolist()
    predictor.classes = predictor.classes[::-1]
    report = judge_source(predictor, tmp_path / "shards", columns={})
    assert report.predictions.labels.tolist() == numbers.targets("test")[:, ::-1].tolist()
    predictor.classes = ("red", "yellow")
    message = (
        f"the model tells red, yellow, and {tmp_path / 'shards'} has red, blue; give pictures with the "
        "model's numbers."
    )
    with pytest.raises(SettingError, match=says(message)):
        judge_source(predictor, tmp_path / "shards", columns={})

"""tfxfer shards: whatever train takes becomes shards, and one line tells what came of it."""

import json

import pytest

from tests.cli.test_commands import TRAIN, run
from tests.tfds_sets import prepare
from tfxfer import data
from tfxfer.cli.main import main


def test_a_folder_becomes_shards(capfd, shared_pictures, tmp_path):
    output = run(
        capfd, "shards", shared_pictures, "--to", tmp_path / "shards", "--pictures-per-shard", 20
    ).out
    assert output == (
        "class       train  validation        test\n"
        "blue           14           3           3\n"
        "green          14           3           3\n"
        "red            14           3           3\n"
        "\n"
        "60 pictures in 5 shards.\n"
        f"Train on them: tfxfer train {tmp_path / 'shards'} --to MODEL\n"
    )
    assert len(data.read_photos(tmp_path / "shards")) == 60


def test_tensorflow_datasets_becomes_shards(capfd, tmp_path):
    prepare(tmp_path / "prepared")
    capfd.readouterr()
    arguments = ("shards", "tfds:squares", "--data-dir", tmp_path / "prepared", "--to", tmp_path / "shards")
    outcome = json.loads(run(capfd, *arguments, "--json").out)
    assert outcome == {
        "classes": ["blue", "green", "red"],
        "images": 45,
        "files": [
            str(tmp_path / "shards" / f"{part}-00000-of-00001.tfrecord")
            for part in ("train", "validation", "test")
        ],
    }


def test_nothing_but_a_line_tells_that_it_is_not_prepared(capfd, tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["train", "tfds:mnist", "--data-dir", str(tmp_path), "--to", str(tmp_path / "model"), *TRAIN])
    assert left.value.code == 1
    assert capfd.readouterr().err == (
        f"tfxfer: tfds:mnist is not prepared at {tmp_path}/mnist/3.0.1, and nothing is downloaded unasked; "
        "give --download (download=True), or --data-dir (data_dir=…) if it is prepared elsewhere.\n"
    )

"""tfxfer shards: whatever train takes becomes shards, and one line tells what came of it."""

import json
import shutil

import pytest

from tests.cli.test_commands import TRAIN, run
from tests.tfds_sets import prepare
from tfxfer import data
from tfxfer.cli.main import main
from tfxfer.contracts import PARTS


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
        "left_out": 0,
        "files": [
            str(tmp_path / "shards" / f"{part}-00000-of-00001.tfrecord")
            for part in ("train", "validation", "test")
        ],
    }


def test_near_duplicates_come_into_one_part_and_bad_pictures_are_left_out(capfd, pictures, tmp_path):
    for index in range(6):
        shutil.copy(pictures / "blue" / f"{index:02}.png", pictures / "blue" / f"{index:02} again.png")
    (pictures / "red" / "03.png").write_text("no picture")
    captured = run(capfd, "shards", pictures, "--to", tmp_path / "shards")
    assert captured.out.splitlines()[-2] == "41 pictures in 3 shards, 1 left out."
    assert f"{pictures / 'red' / '03.png'} is not a JPEG" in captured.err
    photos = data.read_photos(tmp_path / "shards")
    parts = {name: part for part in PARTS for name in photos.names(part)}
    assert all(parts[f"blue/{i:02}.png"] == parts[f"blue/{i:02} again.png"] for i in range(6))
    run(capfd, "shards", pictures, "--to", tmp_path / "as they are", "--near-duplicates", "ignore")
    photos = data.read_photos(tmp_path / "as they are")
    parts = {name: part for part in PARTS for name in photos.names(part)}
    assert any(parts[f"blue/{i:02}.png"] != parts[f"blue/{i:02} again.png"] for i in range(6))


def test_shards_are_not_written_among_the_pictures(capfd, pictures):
    with pytest.raises(SystemExit) as left:
        main(["shards", str(pictures), "--to", str(pictures / "shards")])
    assert left.value.code == 2
    assert capfd.readouterr().err == (
        f"tfxfer: {pictures / 'shards'} is inside the pictures' folder {pictures}; give one outside it.\n"
    )


def test_nothing_but_a_line_tells_that_it_is_not_prepared(capfd, tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["train", "tfds:mnist", "--data-dir", str(tmp_path), "--to", str(tmp_path / "model"), *TRAIN])
    assert left.value.code == 1
    assert capfd.readouterr().err == (
        f"tfxfer: tfds:mnist is not prepared at {tmp_path}/mnist/3.0.1, and nothing is downloaded unasked; "
        "give --download (download=True), or --data-dir (data_dir=…) if it is prepared elsewhere.\n"
    )

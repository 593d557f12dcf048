"""Shards: a data set goes through them and comes back the same, bit by bit; a damaged one is named."""

import io
import json
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.sources.test_arrays import IMAGES, LABELS, NAMES, ROWS
from tfxfer.contracts import PARTS
from tfxfer.data import from_arrays, from_dataset, from_folder, from_shards, from_table, write_shards
from tfxfer.data.sources import shards
from tfxfer.errors import DataError, SettingError
from tfxfer.runtime import file_sha256


def told(photos):
    """What is known of each picture, by its path."""
    parts = {index: part for part in PARTS for index in photos.split[part]}
    return {
        record.path: (photos.classes[record.label], record.group, parts[index])
        for index, record in enumerate(photos.records)
    }


@pytest.fixture(scope="module")
def sharded(shared_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded") / "shards"
    photos = from_folder(shared_pictures, seed=2)
    return photos, folder, write_shards(photos, folder, pictures_per_shard=10)


def test_a_folder_comes_back_the_same_byte_by_byte(sharded):
    photos, folder, _ = sharded
    again = from_shards(folder)
    assert again.classes == photos.classes
    assert told(again) == told(photos)
    assert again.split.given == PARTS
    for index, content in again.contents():
        assert content == (photos.root / again.records[index].path).read_bytes()
    for part in ("validation", "test"):
        assert again.names(part) == [photos.records[index].path for index in photos.split[part]]


def test_pixels_are_those_of_the_files(sharded):
    photos, folder, _ = sharded
    for part in ("validation", "test"):
        both = [
            each.batches(part, image_size=24).as_numpy_iterator() for each in (photos, from_shards(folder))
        ]
        for (images, labels), (others, truth) in zip(*both, strict=True):
            np.testing.assert_array_equal(images, others)
            np.testing.assert_array_equal(labels, truth)


def test_what_is_written_says_what_it_is(sharded):
    _, folder, files = sharded
    assert [file.name for file in files] == [
        *(f"train-{number:05}-of-00005.tfrecord" for number in range(5)),
        "validation-00000-of-00001.tfrecord",
        "test-00000-of-00001.tfrecord",
    ]
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        [*(file.name for file in files), "manifest.json", "shards.json"]
    )
    index = json.loads((folder / "shards.json").read_text())
    assert index["classes"] == ["blue", "green", "red"]
    assert index["counts"]["train"] == {"blue": 14, "green": 14, "red": 14}
    assert index["split"] == {"seed": 2, "given": []}
    assert index["shards"]["train"][files[4].name] == 2
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in files:
        assert manifest["files"][file.name] == {
            "bytes": file.stat().st_size,
            "sha256": file_sha256(file),
        }


def test_the_training_shards_are_mixed(sharded):
    _, folder, files = sharded
    photos = from_shards(folder)
    first = [photos.records[index].label for index in photos.split.train[:10]]
    assert len(set(first)) == 3
    examples = [tf.train.Example.FromString(each.numpy()) for each in tf.data.TFRecordDataset(str(files[0]))]
    assert set(examples[0].features.feature) == {"path", "label", "image"}


def test_groups_and_names_that_are_no_text_come_back(pictures, tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    (pictures / "red" / "00.png").rename(pictures / "red" / name)
    rows = [
        f"{file.relative_to(pictures)},{file.parent.name},{file.parent.name} {index % 5}"
        for index, file in enumerate(sorted(pictures.rglob("*.png")))
        if file.name != name
    ]
    (pictures / "photos.csv").write_text("\n".join(["path,label,group", *rows]))
    for index, photos in enumerate(
        (from_folder(pictures), from_table(pictures / "photos.csv", group="group"))
    ):
        write_shards(photos, tmp_path / str(index))
        assert told(from_shards(tmp_path / str(index))) == told(photos)


def test_pixels_go_as_png_and_a_stream_goes_too(tmp_path):
    arrays = from_arrays(IMAGES, LABELS, classes=NAMES)
    stream = from_dataset(tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)), classes=NAMES)
    for name, photos in (("arrays", arrays), ("stream", stream)):
        write_shards(photos, tmp_path / name, pictures_per_shard=7)
        again = from_shards(tmp_path / name)
        assert told(again) == told(photos)
        for index, content in again.contents():
            assert content.startswith(b"\x89PNG")
            image = Image.open(io.BytesIO(content))
            np.testing.assert_array_equal(np.asarray(image), IMAGES[int(again.records[index].path)])
    # Shards of shards: read and written at once.
    write_shards(from_shards(tmp_path / "arrays"), tmp_path / "again", pictures_per_shard=5)
    assert told(from_shards(tmp_path / "again")) == told(arrays)


def copied(folder, to):
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_a_shard_that_is_cut_short_is_named(sharded, tmp_path, says):
    _, folder, files = sharded
    victim = copied(folder, tmp_path / "copy") / files[1].name
    content = victim.read_bytes()
    victim.write_bytes(content[:-100])
    message = (
        f"{victim} has {len(content) - 100:,} bytes and was written with {len(content):,}; copy it again, or "
        "write the shards again."
    )
    with pytest.raises(DataError, match=says(message)):
        from_shards(victim.parent)


def test_a_shard_that_is_damaged_is_named(sharded, tmp_path):
    _, folder, files = sharded
    victim = copied(folder, tmp_path / "copy") / files[2].name
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 255
    victim.write_bytes(content)
    start = f"{victim} is damaged (".replace("(", r"\(")
    with pytest.raises(
        DataError, match=rf"^{start}.*corrupted record.*\); copy it again, or write the shards again\.$"
    ):
        from_shards(victim.parent)


def test_a_shard_of_other_pictures_is_named(sharded, tmp_path, says):
    _, folder, files = sharded
    copy = copied(folder, tmp_path / "copy")
    index = json.loads((copy / "shards.json").read_text())
    index["shards"]["train"][files[0].name] = 11
    (copy / "shards.json").write_text(json.dumps(index))
    message = f"{copy / files[0].name} holds 10 pictures, and shards.json says 11; write the shards again."
    with pytest.raises(DataError, match=says(message)):
        from_shards(copy)


def test_bad_pictures_stop_it_before_anything_is_written(pictures, tmp_path, says):
    (pictures / "red" / "03.png").write_text("no picture")
    message = (
        "1 file cannot be read as pictures; mend or remove them:\n"
        f"  {pictures / 'red' / '03.png'} is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its "
        "name says."
    )
    with pytest.raises(DataError, match=says(message)):
        write_shards(from_folder(pictures), tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


def test_what_is_there_is_replaced_when_asked(sharded, tmp_path, says):
    photos, _, _ = sharded
    write_shards(photos, tmp_path / "shards", pictures_per_shard=5)
    message = (
        f"{tmp_path / 'shards'} exists already, and is never overwritten unasked; give another folder, or "
        "--force (force=True) to replace it."
    )
    with pytest.raises(SettingError, match=says(message)):
        write_shards(photos, tmp_path / "shards")
    assert len(write_shards(photos, tmp_path / "shards", force=True)) == 3
    assert told(from_shards(tmp_path / "shards")) == told(photos)


def targets_told(photos):
    parts = {index: part for part in PARTS for index in photos.split[part]}
    return {record.path: (record.target, parts[index]) for index, record in enumerate(photos.records)}


@pytest.mark.parametrize("kind", ["arrays", "stream"])
def test_several_labels_and_numbers_come_back(tmp_path, kind):
    numbers = np.stack([np.arange(36) / 3, -(np.arange(36.0) ** 2)], axis=1).astype(np.float32)
    for task, labels, names in (
        ("multi_label", ROWS, ["even", "red"]),
        ("regression", numbers, ["size", "depth"]),
    ):
        pairs = tf.data.Dataset.from_tensor_slices((IMAGES, labels))
        settings = {"classes": names, "task": task}
        photos = (
            from_arrays(IMAGES, labels, **settings) if kind == "arrays" else from_dataset(pairs, **settings)
        )
        write_shards(photos, tmp_path / task, pictures_per_shard=9)
        again = from_shards(tmp_path / task)
        assert (again.task, again.classes) == (task, photos.classes)
        assert targets_told(again) == targets_told(photos)
        images, truth = next(again.batches("test", image_size=8, batch_size=3).as_numpy_iterator())
        assert images.shape == (3, 8, 8, 3)
        np.testing.assert_array_equal(truth, labels[[int(name) for name in again.names("test")[:3]]])
    index = json.loads((tmp_path / "multi_label" / "shards.json").read_text())
    assert sum(counts["even"] for counts in index["counts"].values()) == 18
    file = tmp_path / "regression" / "test-00000-of-00001.tfrecord"
    example = tf.train.Example.FromString(next(iter(tf.data.TFRecordDataset(str(file)))).numpy())
    assert len(example.features.feature["label"].float_list.value) == 2


def test_a_stream_keeps_few_files_open(tmp_path, monkeypatch):
    opened, most = set(), []
    writer = tf.io.TFRecordWriter

    class Counted(writer):
        def __init__(self, path):
            super().__init__(path)
            opened.add(path)
            most.append(len(opened))
            self.path = path

        def close(self):
            super().close()
            opened.discard(self.path)

    monkeypatch.setattr(tf.io, "TFRecordWriter", Counted)
    monkeypatch.setattr(shards, "_OPEN_AT_MOST", 3)
    stream = from_dataset(tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)), classes=NAMES)
    write_shards(stream, tmp_path / "shards", pictures_per_shard=2)
    assert max(most) == 3
    assert not opened
    again = from_shards(tmp_path / "shards")
    assert told(again) == told(stream)
    assert again.names("train") != sorted(again.names("train"))


def test_a_shard_holds_at_least_one_picture(sharded, tmp_path, says):
    with pytest.raises(SettingError, match=says("pictures_per_shard must be at least 1, got 0.")):
        write_shards(sharded[0], tmp_path / "shards", pictures_per_shard=0)

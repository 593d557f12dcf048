"""read_photos: a folder or a table, told by what is given."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.data.sources.test_listing import PICTURES, csv
from tests.tfds_sets import prepare
from tfxfer.data import (
    from_folder,
    from_shards,
    from_table,
    from_tfds,
    is_folder,
    is_tfds,
    labelled_files,
    read_labelled,
    read_photos,
    write_shards,
)
from tfxfer.errors import DataError, SettingError


def test_a_folder_is_read_as_a_folder_and_a_file_as_a_table(pictures):
    assert read_photos(pictures, seed=3, resize="stretch") == from_folder(pictures, seed=3, resize="stretch")
    table = csv(pictures, [(label, path, "x", "train") for path, label in PICTURES], "what,file,who,part")
    columns = {"path": "file", "label": "what", "split": "part"}
    expected = from_table(table, path="file", label="what", split="part", seed=3, resize="stretch")
    assert read_photos(table, columns=columns, seed=3, resize="stretch") == expected


def test_a_table_elsewhere(pictures, tmp_path):
    table = csv(tmp_path, [(path, label, path) for path, label in PICTURES], "path,label,who")
    photos = read_photos(str(table), root=pictures, columns={"group": "who"})
    assert photos == from_table(table, root=pictures, group="who")


def test_a_folder_may_be_called_like_a_table(tmp_path):
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "photos.xlsx").touch()
    assert is_folder(tmp_path / "a.csv")
    assert is_folder(tmp_path / "nowhere")
    assert not is_folder(tmp_path / "nowhere.csv")
    assert not is_folder(tmp_path / "photos.xlsx")


def test_what_is_not_there_is_asked_for_as_it_was_called(tmp_path):
    with pytest.raises(DataError, match="give a folder that holds one folder a class"):
        read_photos(tmp_path / "nowhere")
    with pytest.raises(DataError, match="give a table that lists pictures"):
        read_photos(tmp_path / "nowhere.csv")


KNOWN = ("blue", "green", "red")


def test_what_judges_is_read_the_same_way(pictures):
    files, targets, groups = read_labelled(pictures, classes=KNOWN)
    assert groups is None
    assert (files, targets.tolist()) == labelled_files(pictures, classes=KNOWN)
    table = csv(pictures, [(label, path, "test") for path, label in PICTURES], "what,file,part")
    columns = {"path": "file", "label": "what", "split": "part"}
    again, same, _ = read_labelled(table, classes=KNOWN, columns=columns)
    assert (again, same.tolist()) == (files, targets.tolist())
    assert targets.dtype == same.dtype == np.int64


def test_a_folder_judges_one_label_alone(pictures, says):
    message = (
        f"{pictures} is not a table, and folders have one label a picture; for regression, give a .csv, "
        ".tsv, .jsonl, .ndjson file."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_labelled(pictures, classes=KNOWN, task="regression")


def test_what_judges_may_have_groups(pictures):
    rows = [(path, label, "Anna" if index else "") for index, (path, label) in enumerate(PICTURES)]
    table = csv(pictures, rows, "path,label,owner")
    listed = read_labelled(table, classes=KNOWN, columns={"group": "owner"})
    assert listed.groups == [None, *["Anna"] * (len(PICTURES) - 1)]


@pytest.mark.parametrize("read", [read_photos, partial(read_labelled, classes=KNOWN)], ids=["learn", "judge"])
@pytest.mark.parametrize(
    ("settings", "what"), [({"columns": {"label": "kind"}}, "columns"), ({"root": "here"}, "root")]
)
def test_a_folder_has_no_columns(pictures, settings, what, says, read):
    message = (
        f"{pictures} is not a table, and {what} is for tables; leave it out, or give a .csv, .tsv, .jsonl, "
        ".ndjson file."
    )
    with pytest.raises(SettingError, match=says(message)):
        read(pictures, **settings)


def test_an_unknown_role_of_a_column(pictures, says):
    message = "no role 'lable' for a column; did you mean 'label'? There are path, label, split, group."
    with pytest.raises(SettingError, match=says(message)):
        read_photos(csv(pictures, PICTURES), columns={"lable": "kind"})


def test_shards_are_told_from_class_folders(pictures, tmp_path):
    write_shards(from_folder(pictures), tmp_path / "shards")
    photos = read_photos(tmp_path / "shards", resize="stretch")
    assert photos.resize == "stretch"
    assert photos.records == from_shards(tmp_path / "shards").records


def test_a_data_set_of_tensorflow_datasets_has_features(says):
    message = (
        "tfds:squares is not a table, and a path column is for tables; leave it out, or give a .csv, .tsv, "
        ".jsonl, .ndjson file."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_photos("tfds:squares", columns={"path": "photo"})


def test_a_data_set_of_tensorflow_datasets(tmp_path):
    prepare(tmp_path)
    photos = read_photos("tfds:squares", data_dir=tmp_path, seed=3, resize="stretch")
    expected = from_tfds("squares", data_dir=tmp_path, seed=3)
    assert (photos.records, photos.split, photos.resize) == (expected.records, expected.split, "stretch")
    numbers = read_photos("tfds:squares", data_dir=tmp_path, columns={"label": "number"}, task="regression")
    assert (numbers.task, numbers.classes) == ("regression", ("number",))
    assert not is_folder("tfds:squares")
    assert is_tfds(Path("tfds:squares"))


@pytest.mark.parametrize(
    ("settings", "what"), [({"data_dir": "here"}, "data_dir"), ({"download": True}, "download")]
)
def test_only_tensorflow_datasets_prepares(pictures, settings, what, says):
    message = f"{what} is for data sets of TensorFlow Datasets; leave it out, or give tfds: and a name."
    with pytest.raises(SettingError, match=says(message)):
        read_photos(pictures, **settings)
    message = (
        "tfds:squares is not a table, and root is for tables; leave it out, or give a .csv, .tsv, .jsonl, "
        ".ndjson file."
    )
    with pytest.raises(SettingError, match=says(message)):
        read_photos("tfds:squares", root=pictures)

"""from_folder: class folders or a fixed split; everything else has its message."""

import os
import shutil

import pytest

from tests.conftest import draw, write_pictures
from tfxfer.contracts import PARTS
from tfxfer.data import from_folder, labelled_files
from tfxfer.errors import DataError, SettingError, TfxferWarning


def test_one_folder_a_class(pictures):
    photos = from_folder(pictures)
    assert photos.classes == ("blue", "green", "red")
    assert len(photos) == 36
    assert photos.records[0].path == "blue/00.png"
    assert [len(photos.split[part]) for part in PARTS] == [24, 6, 6]
    assert photos.split.given == ()


def test_the_same_seed_gives_the_same_split_wherever_the_folder_lies(pictures, tmp_path):
    elsewhere = shutil.copytree(pictures, tmp_path / "elsewhere")
    assert from_folder(pictures, seed=3).split == from_folder(elsewhere, seed=3).split
    assert from_folder(pictures, seed=3).split != from_folder(pictures, seed=4).split


def test_suffixes_in_any_case_subfolders_and_strays(tmp_path):
    write_pictures(tmp_path, count=4, colours=("blue", "red"))
    draw("red", 9).save(tmp_path / "red" / "A.JPG")
    (tmp_path / "red" / "deeper").mkdir()
    draw("red", 10).save(tmp_path / "red" / "deeper" / "b.WebP")
    (tmp_path / "red" / "notes.txt").write_text("not a picture")
    (tmp_path / "red" / ".hidden.png").write_text("not looked at")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").touch()
    photos = from_folder(tmp_path)
    found = [record.path for record in photos.records if record.label == 1]
    assert found == ["red/00.png", "red/01.png", "red/02.png", "red/03.png", "red/A.JPG", "red/deeper/b.WebP"]


@pytest.mark.parametrize("middle", ["validation", "val", "valid", "VAL"])
def test_three_parts_are_taken_as_they_are(tmp_path, middle):
    for part, count in (("train", 5), (middle, 2), ("test", 3)):
        write_pictures(tmp_path / part, count=count)
    photos = from_folder(tmp_path)
    assert [len(photos.split[part]) for part in PARTS] == [15, 6, 9]
    assert photos.split.given == ("train", "validation", "test")
    assert all(path.parts[-3] == middle for path in photos.paths("validation"))


@pytest.mark.parametrize("other", ["val", "validation", "test"])
def test_train_and_one_other_cuts_validation_from_train(tmp_path, other):
    write_pictures(tmp_path / "train", count=20)
    write_pictures(tmp_path / other, count=4)
    photos = from_folder(tmp_path)
    assert [len(photos.split[part]) for part in PARTS] == [48, 12, 12]
    assert photos.split.given == ("train", "test")
    assert all(path.parts[-3] == other for path in photos.paths("test"))
    assert not set(photos.paths("train")) & set(photos.paths("validation"))


def test_classes_may_be_called_train_and_test(tmp_path):
    for name in ("train", "test"):
        write_pictures(tmp_path / name, count=5, colours=("red",))
        for file in (tmp_path / name / "red").iterdir():
            file.rename(tmp_path / name / file.name)
        (tmp_path / name / "red").rmdir()
    assert from_folder(tmp_path).classes == ("test", "train")


def test_a_class_called_train_beside_others(tmp_path):
    write_pictures(tmp_path, count=4, colours=("blue", "red"))
    (tmp_path / "blue").rename(tmp_path / "train")
    assert from_folder(tmp_path).classes == ("red", "train")


def test_training_and_testing_are_parts_too(tmp_path):
    write_pictures(tmp_path / "Training", count=10)
    write_pictures(tmp_path / "Testing", count=2)
    (tmp_path / "annotations").mkdir()
    photos = from_folder(tmp_path)
    assert photos.classes == ("blue", "green", "red")
    assert len(photos.split.test) == 6


def test_train_alone_is_cut_into_all_three(tmp_path):
    write_pictures(tmp_path / "train", count=10)
    photos = from_folder(tmp_path)
    assert photos.root == tmp_path / "train"
    assert [len(photos.split[part]) for part in PARTS] == [21, 6, 3]


def test_hidden_folders_inside_a_class_are_left_out(pictures):
    for name in (".ipynb_checkpoints", "__MACOSX"):
        shutil.copytree(pictures / "blue", pictures / "red" / name)
    assert len(from_folder(pictures)) == 36


def test_links_are_followed_and_rings_of_them_do_no_harm(pictures, tmp_path):
    write_pictures(tmp_path / "elsewhere", count=3, colours=("red",))
    (pictures / "red" / "more").symlink_to(tmp_path / "elsewhere" / "red")
    (pictures / "red" / "ring").symlink_to(pictures / "red")
    assert len(from_folder(pictures)) == 39


def test_a_link_that_leads_nowhere_is_named(pictures):
    (pictures / "red" / "lost.png").symlink_to(pictures / "nowhere.png")
    photos = from_folder(pictures)
    with pytest.raises(DataError, match=f"{pictures / 'red' / 'lost.png'} does not exist"):
        photos.check()


def test_pictures_that_are_not_read_are_told_of(pictures):
    (pictures / "red" / "scan.TIF").touch()
    (pictures / "red" / "phone.heic").touch()
    message = (
        rf"^(scan.TIF|phone.heic) and 1 more in {pictures / 'red'} left out: what is to be used must be "
        r"JPEG, PNG, GIF, BMP or WebP\."
    )
    with pytest.warns(TfxferWarning, match=message):
        assert len(from_folder(pictures)) == 36


def test_names_that_are_no_text_do_no_harm(pictures):
    name = os.fsdecode(b"caf\xe9.png")
    draw("red", 5).save(pictures / "red" / name)
    photos = from_folder(pictures)
    assert len(photos) == 37
    batches = photos.batches("train", image_size=8, batch_size=99)
    assert len(next(iter(batches))[1]) == len(photos.split.train)


def refused(folder, message, says, error=DataError):
    with pytest.raises(error, match=says(message)):
        from_folder(folder)


def test_a_missing_folder(tmp_path, says):
    folder = tmp_path / "nowhere"
    refused(folder, f"{folder} does not exist; give a folder that holds one folder a class.", says)


def test_a_file(tmp_path, says):
    (tmp_path / "a.png").touch()
    message = f"{tmp_path / 'a.png'} is a file; give a folder that holds one folder a class."
    refused(tmp_path / "a.png", message, says)


def test_an_empty_folder(tmp_path, says):
    message = (
        f"{tmp_path} holds no pictures in class folders; put the pictures of each class in a folder of "
        f"its own, such as {tmp_path / 'cats'} and {tmp_path / 'dogs'}."
    )
    refused(tmp_path, message, says)


def test_an_empty_class(pictures, says):
    (pictures / "yellow").mkdir()
    message = f"class 'yellow' has no pictures ({pictures / 'yellow'}); add some, or remove the folder."
    refused(pictures, message, says)


def test_one_class(tmp_path, says):
    write_pictures(tmp_path, count=1, colours=("red",))
    message = (
        f"{tmp_path} holds one class only (red); a classifier needs at least two class folders side by side."
    )
    refused(tmp_path, message, says)


def test_a_class_with_too_few_pictures(tmp_path, says):
    write_pictures(tmp_path, count=2)
    message = (
        "class 'blue' has 2 pictures, too few for a split into train, validation, test; add pictures "
        "until it has at least 3, or remove the class."
    )
    refused(tmp_path, message, says)


def test_a_class_that_training_lacks(tmp_path, says):
    write_pictures(tmp_path / "train", count=5, colours=("blue", "red"))
    write_pictures(tmp_path / "test", count=2)
    message = f"{tmp_path / 'test'} has a class 'green' that is not among the known ones: blue, red."
    refused(tmp_path, message, says)


def test_an_unknown_way_to_resize(pictures, says):
    message = "resize must be 'crop' or 'stretch', got 'squeeze'."
    with pytest.raises(SettingError, match=says(message)):
        from_folder(pictures, resize="squeeze")


def test_a_class_whose_name_cannot_be_written(pictures, says):
    (pictures / "red").rename(pictures / "re\nd")
    message = r"class 're\nd' has a name that cannot be written down; give its folder another one."
    refused(pictures, message, says)


@pytest.mark.parametrize("odd", ["unlabelled", "test"], ids=["a stranger", "a part without classes"])
def test_a_fixed_split_with_an_odd_folder(tmp_path, odd, says):
    """As competitions hand them out: a flat folder of pictures without labels beside the parts."""
    write_pictures(tmp_path / "train", count=5)
    write_pictures(tmp_path / "val", count=5)
    (tmp_path / odd).mkdir()
    draw("red", 0).save(tmp_path / odd / "0.png")
    message = (
        f"{tmp_path / 'train'} holds class folders, so {tmp_path} is read as a fixed split, in which {odd}/ "
        "has no place: a part is called train, validation or test and holds class folders; move or rename "
        "it."
    )
    refused(tmp_path, message, says)


def test_one_part_given_twice(tmp_path, says):
    for part in ("train", "val", "valid"):
        write_pictures(tmp_path / part, count=5)
    message = f"{tmp_path / 'val'} and {tmp_path / 'valid'} are both the validation part; keep one."
    refused(tmp_path, message, says)


def test_labelled_files_takes_all_of_a_folder_and_the_test_part_of_a_split(pictures, tmp_path):
    files, labels = labelled_files(pictures, classes=("red", "green", "blue"))
    assert len(files) == 36
    assert (files[0].parent.name, labels[0]) == ("blue", 2)
    write_pictures(tmp_path / "split" / "train", count=4)
    write_pictures(tmp_path / "split" / "val", count=2, colours=("red",))
    files, labels = labelled_files(tmp_path / "split", classes=("red", "green", "blue"))
    assert {file.parts[-3] for file in files} == {"val"}
    assert labels == [0, 0]


def test_labelled_files_refuses_a_class_the_model_does_not_know(pictures, says):
    message = f"{pictures} has a class 'green' that is not among the known ones: blue, red."
    with pytest.raises(DataError, match=says(message)):
        labelled_files(pictures, classes=("blue", "red"))

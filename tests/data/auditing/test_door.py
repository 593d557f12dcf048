"""audit: real files, everything that can be the matter with them, and what is known from before."""

import io
import os
import shutil
import warnings

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from rich.console import Console

import tfxfer
from tests.conftest import draw, write_pictures
from tests.data.pixels.test_decode import bomb
from tfxfer.data import from_folder
from tfxfer.data.auditing import looking
from tfxfer.data.auditing.remembered import cache_file
from tfxfer.errors import DataError, SettingError, TfxferWarning

pytestmark = pytest.mark.usefixtures("cache_home")


def scene(index, *, size=(240, 180)):
    """Draw something with large and small shapes, as photographs have."""
    return draw("red", index, size=16).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def messy(tmp_path):
    """A folder with one of each fault, and good pictures."""
    root = tmp_path / "messy"
    for name, first in (("ants", 0), ("bees", 10)):
        (root / name).mkdir(parents=True)
        for index in range(4):
            scene(first + index).save(root / name / f"{index}.jpg", quality=95)
    content = (root / "ants" / "0.jpg").read_bytes()
    (root / "ants" / "cut.jpg").write_bytes(content[: len(content) // 2])
    (root / "ants" / "bomb.png").write_bytes(bomb(100_000, 100_000))
    scene(20).save(root / "ants" / "gif.jpg", format="GIF")
    shutil.copy(root / "ants" / "1.jpg", root / "ants" / "copy of 1.jpg")
    scene(12).resize((100, 75)).save(root / "ants" / "small 12.png")
    ImageOps.mirror(scene(13)).save(root / "bees" / "mirrored.png")
    Image.new("RGB", (64, 64), (9, 9, 9)).save(root / "bees" / "flat.png")
    scene(30, size=(20, 15)).save(root / "bees" / "tiny.png")
    scene(31, size=(900, 60)).save(root / "bees" / "long.png")
    (root / "bees" / "scan.tif").touch()
    return root


def test_a_table_and_shards_are_read_as_what_they_are(pictures, tmp_path):
    table = tmp_path / "few.csv"
    table.write_text(
        "path,label\n" + "".join(f"pictures/{c}/{i:02}.png,{c}\n" for c in ("red", "blue") for i in range(9))
    )
    assert tfxfer.audit(str(table)).class_counts == {"blue": 9, "red": 9}
    tfxfer.write_shards(from_folder(pictures), tmp_path / "shards")
    assert tfxfer.audit(tmp_path / "shards").class_counts == {"blue": 12, "green": 12, "red": 12}


def test_everything_is_found_at_once(messy):
    found = tfxfer.audit(messy)
    assert [each.file for each in found.unreadable] == ["ants/cut.jpg"]
    assert [each.file for each in found.oversized] == ["ants/bomb.png"]
    assert [each.file for each in found.wrong_suffix] == ["ants/gif.jpg"]
    assert found.duplicates == (("ants/1.jpg", "ants/copy of 1.jpg"),)
    assert found.near_duplicates == (("ants/small 12.png", "bees/2.jpg"),)
    assert found.conflicting_labels[0].files == {"ants/small 12.png": "ants", "bees/2.jpg": "bees"}
    assert [each.file for each in found.blank] == ["bees/flat.png"]
    assert [each.file for each in found.tiny] == ["bees/tiny.png"]
    assert [each.file for each in found.odd_sizes] == ["bees/long.png"]
    assert [each.file for each in found.unread] == ["bees/scan.tif"]
    assert found.class_counts == {"ants": 7, "bees": 8}
    assert (found.leaks, found.refused, found.pictures, found.sound) == ((), None, 17, False)


@pytest.mark.parametrize(
    ("name", "alike"),
    [("half", True), ("q40", True), ("bright", True), ("grey", True), ("mirrored", False), ("turned", False)],
)
def test_what_is_near_and_what_is_not(tmp_path, name, alike):
    (tmp_path / "a").mkdir()
    image = scene(3)
    image.save(tmp_path / "a" / "original.png")
    changed = {
        "half": image.resize((120, 90)),
        "q40": image,
        "bright": ImageEnhance.Brightness(image).enhance(1.15),
        "grey": image.convert("L"),
        "mirrored": ImageOps.mirror(image),
        "turned": image.rotate(90, expand=True),
    }[name]
    changed.save(tmp_path / "a" / "changed.jpg", quality=40)
    assert bool(tfxfer.audit(tmp_path).near_duplicates) == alike


def test_a_picture_in_train_and_test_is_a_leak(tmp_path):
    write_pictures(tmp_path / "train", count=8)
    write_pictures(tmp_path / "test", count=2)
    for file in (tmp_path / "test").rglob("*.png"):
        file.unlink()
    for colour in ("blue", "green", "red"):
        draw(colour, 99).save(tmp_path / "test" / colour / "99.png")
    assert tfxfer.audit(tmp_path, near_bits=0).leaks == ()
    shutil.copy(tmp_path / "train" / "red" / "03.png", tmp_path / "test" / "red" / "again.png")
    (leak,) = tfxfer.audit(tmp_path, near_bits=0).leaks
    assert leak.files == {"test/red/again.png": "test", "train/red/03.png": "train"}
    assert leak.exact
    assert tfxfer.audit(from_folder(tmp_path), near_bits=0).leaks == (leak,)


def test_validation_that_a_seed_cut_from_train_is_train(tmp_path):
    """Only what the folder lays down can leak."""
    write_pictures(tmp_path / "train", count=9)
    write_pictures(tmp_path / "test", count=1)
    for index in range(9):
        shutil.copy(tmp_path / "train" / "red" / "03.png", tmp_path / "train" / "red" / f"copy{index}.png")
        draw("red", 50 + index).save(tmp_path / "test" / "red" / "00.png")
    photos = from_folder(tmp_path)
    names = {path.name for path in photos.paths("validation")}
    assert any(name.startswith("copy") for name in names)
    assert [leak for leak in tfxfer.audit(photos, near_bits=0).leaks if "red" in str(leak)] == []


def test_a_split_that_a_seed_cuts_does_not_leak(pictures):
    shutil.copytree(pictures / "red", pictures / "red" / "again")
    found = tfxfer.audit(from_folder(pictures), near_bits=0)
    assert len(found.duplicates) == 12
    assert found.leaks == ()


def test_folders_that_cannot_be_trained_on_are_audited_too(tmp_path):
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "a.jpg").write_text("no picture")
    found = tfxfer.audit(tmp_path)
    assert len(found.unreadable) == 1
    assert found.refused == (
        f"{tmp_path} holds one class only (only); a classifier needs at least two class folders side by side."
    )
    draw("red", 1).save(tmp_path / "stray.png")
    (tmp_path / "only").rename(tmp_path / ".hidden")
    assert tfxfer.audit(tmp_path).pictures == 1


def test_settings_out_of_range(tmp_path, says):
    message = (
        "near_bits must be in 0..16, got 17; 0 keeps to equal hashes, and beyond 16 of 64 bits pictures have "
        "nothing in common."
    )
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.audit(tmp_path, near_bits=17)
    message = "max_pixels must be in 1..64000000, got 0; larger pictures are never decoded."
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.audit(tmp_path, max_pixels=0)


def test_a_missing_folder(tmp_path, says):
    message = f"{tmp_path / 'nowhere'} does not exist; give a folder that holds one folder a class."
    with pytest.raises(DataError, match=says(message)):
        tfxfer.audit(tmp_path / "nowhere")


@pytest.fixture
def looked_at(monkeypatch):
    """The names of the files that are looked at, rather than remembered."""
    names = []
    look = looking.inspect_file

    def spy(path, **settings):
        names.append(path.name)
        return look(path, **settings)

    monkeypatch.setattr(looking, "inspect_file", spy)
    return names


def test_a_second_audit_looks_only_at_what_changed(messy, looked_at, capfd):
    first = tfxfer.audit(messy)
    assert len(looked_at) == 17
    looked_at.clear()
    assert tfxfer.audit(messy) == first
    assert looked_at == ["cut.jpg"]  # what could not be read is always tried again
    assert "looked at 1 of 17 pictures in " in capfd.readouterr().err
    tfxfer.audit(messy, progress=False)
    assert capfd.readouterr().err == ""
    looked_at.clear()
    scene(40).save(messy / "ants" / "0.jpg", quality=95)
    (messy / "ants" / "1.jpg").rename(messy / "ants" / "moved.jpg")
    os.utime(messy / "ants" / "2.jpg", (1, 1))
    assert tfxfer.audit(messy).duplicates == (("ants/copy of 1.jpg", "ants/moved.jpg"),)
    assert sorted(looked_at) == ["0.jpg", "2.jpg", "cut.jpg", "moved.jpg"]


def test_on_a_terminal_a_bar_counts_the_pictures(messy, monkeypatch):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr(looking, "Console", lambda **_: console)
    tfxfer.audit(messy)
    assert "━" in stream.getvalue()
    assert "/17" in stream.getvalue()
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert stream.getvalue().count(hide) == stream.getvalue().count(show) == 1


def test_another_cap_is_another_look(messy, looked_at):
    tfxfer.audit(messy)
    looked_at.clear()
    found = tfxfer.audit(messy, max_pixels=10_000)
    assert len(looked_at) == 17
    assert len(found.oversized) == 14
    assert found.oversized[0].reason == "claims 0.043 megapixels; at most 0.01 are read. Shrink or remove it."


def test_without_the_cache_nothing_is_read_or_kept(messy, looked_at):
    for _ in range(2):
        tfxfer.audit(messy, use_cache=False)
    assert len(looked_at) == 34
    assert not cache_file(messy).exists()


def test_a_damaged_cache_is_rebuilt(messy, looked_at):
    first = tfxfer.audit(messy)
    cache_file(messy).write_bytes(b"\0" * 100)
    with pytest.warns(TfxferWarning, match=r"^what earlier audits found is damaged "):
        assert tfxfer.audit(messy) == first
    looked_at.clear()
    assert tfxfer.audit(messy) == first
    assert looked_at == ["cut.jpg"]


def test_an_interrupted_audit_goes_on_where_it_was(pictures, monkeypatch):
    look = looking.inspect_file

    def interrupted(path, **settings):
        if path.parent.name == "red":
            raise KeyboardInterrupt
        return look(path, **settings)

    monkeypatch.setattr(looking, "inspect_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tfxfer.audit(pictures)
    names = []
    monkeypatch.setattr(looking, "inspect_file", lambda path, **_: names.append(path) or look(path, **_))
    tfxfer.audit(pictures)
    assert {path.parent.name for path in names} == {"red"}


def test_the_person_s_folder_is_left_as_it_was(messy):
    before = sorted(messy.rglob("*"))
    tfxfer.audit(messy)
    assert sorted(messy.rglob("*")) == before


def test_pillow_s_own_warnings_stay_out(tmp_path):
    (tmp_path / "a").mkdir()
    draw("red", 1).save(tmp_path / "a" / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0broken")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tfxfer.audit(tmp_path).pictures == 1


def test_the_stray_among_real_photographs_is_named(real_data):
    found = tfxfer.audit(real_data / "hymenoptera")
    assert found.class_counts == {"ants": 194, "bees": 204}
    assert [each.file for each in found.odd_formats] == ["train/ants/imageNotFound.gif"]
    assert found.odd_formats[0].reason == "is a GIF picture, the only one among 398 pictures."
    assert found.sound
    assert found.near_duplicates == found.unreadable == ()


def test_arrays_are_audited_as_files_are():
    images = [np.asarray(draw(colour, index)) for colour in ("blue", "red") for index in range(6)]
    images[7], images[3] = images[0], np.full((40, 40, 3), 7, np.uint8)
    found = tfxfer.audit(tfxfer.from_arrays(images, ["blue"] * 6 + ["red"] * 6))
    assert found.root == "the arrays"
    assert found.duplicates == (("000000", "000007"),)
    assert found.conflicting_labels[0].files == {"000000": "blue", "000007": "red"}
    assert [finding.file for finding in found.blank] == ["000003"]
    assert (found.wrong_suffix, found.odd_formats, found.unreadable) == ((), (), ())
    assert found.class_counts == {"blue": 6, "red": 6}
    assert str(found).startswith("12 pictures in the arrays\n")
    assert found.to_dict()["root"] == "the arrays"


def test_several_labels_are_counted_and_compared_by_name():
    images = [np.asarray(draw("red", index)) for index in range(12)]
    images[5], images[6] = images[0], images[1]
    labels = [["even", "low"] if index < 6 else ["low"] if index % 2 else [] for index in range(12)]
    found = tfxfer.audit(tfxfer.from_arrays(images, labels, task="multi_label"))
    assert found.class_counts == {"even": 6, "low": 9}
    assert [alike.files for alike in found.conflicting_labels] == [
        {"000001": "even and low", "000006": "none of the classes"}
    ]


def test_numbers_are_compared_and_no_classes_counted():
    images = [np.asarray(draw("red", index)) for index in range(12)]
    images[5] = images[0]
    found = tfxfer.audit(tfxfer.from_arrays(images, np.arange(12) / 2, classes=["size"], task="regression"))
    assert (found.class_counts, found.imbalance) == ({}, None)
    assert found.conflicting_labels[0].files == {"000000": "size 0", "000005": "size 2.5"}
    assert "readable by class" not in str(found)

"""clean: what cannot be read is left out, told and listed; what looks alike is kept in one part."""

import io
import shutil
from dataclasses import replace

import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

from tests.conftest import COLOURS, draw, write_pictures
from tests.data.pixels.test_decode import bomb
from tfxfer.contracts import PARTS, LeftOut, Split
from tfxfer.data import clean, from_dataset, from_folder, from_table
from tfxfer.data.auditing.remembered import cache_file
from tfxfer.errors import DataError, SettingError, TfxferWarning

pytestmark = pytest.mark.usefixtures("cache_home")

NO_PICTURE = "is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says."
BOMB = "claims 100 megapixels; at most 64 are read. Shrink or remove it."


def told(photos, **settings):
    """Clean, and return what was written for people too."""
    stream = io.StringIO()
    return clean(photos, console=Console(file=stream, width=500), **settings), stream.getvalue()


def test_nothing_bad_is_nothing_left_out_and_nothing_said(pictures):
    photos = from_folder(pictures)
    cleaned, text = told(photos)
    assert (photos.left_out, cleaned.left_out, text) == (None, (), "")
    assert (cleaned.records, cleaned.split) == (photos.records, photos.split)
    assert clean(cleaned) == cleaned


def test_what_is_bad_is_left_out_of_its_part_and_told(pictures):
    photos = from_folder(pictures)
    victims = [photos.split.train[3], photos.split.test[-1]]
    (pictures / photos.records[victims[0]].path).write_text("no picture")
    (pictures / photos.records[victims[1]].path).write_bytes(bomb(10_000, 10_000))
    cleaned, text = told(photos, max_bad=0.1)
    paths = [photos.records[index].path for index in victims]
    assert cleaned.left_out == (
        LeftOut(paths[0], 0, "train", NO_PICTURE),
        LeftOut(paths[1], 2, "test", BOMB),
    )
    for part in PARTS:
        assert cleaned.paths(part) == [
            path for path in photos.paths(part) if path not in [pictures / each for each in paths]
        ]
        assert cleaned.labels(part) == [
            cleaned.classes.index(path.parent.name) for path in cleaned.paths(part)
        ]
    assert text == (
        "2 of 36 pictures cannot be read and are left out; Photos.left_out names all, and so does "
        f"left_out.json in a bundle:\n  {pictures / paths[0]} {NO_PICTURE}\n  {pictures / paths[1]} {BOMB}\n"
    )


def test_a_second_cleaning_adds_to_the_list(pictures):
    photos = from_folder(pictures)
    for index in photos.split.train[:2]:
        (pictures / photos.records[index].path).write_text("no picture")
        photos, text = told(photos)
        assert text.startswith("1 of 3")
    assert [each.path for each in photos.left_out] == ["blue/01.png", "blue/04.png"]


def test_a_split_that_a_table_gives_stays_as_it_gives_it(pictures, tmp_path):
    rows = [
        f"{file.relative_to(pictures)},{file.parent.name},{part}"
        for file in sorted(pictures.rglob("*.png"))
        for part in ["train" if file.stem < "08" else "val" if file.stem < "10" else "test"]
    ]
    table = tmp_path / "photos.csv"
    table.write_text("\n".join(["path,label,split", *rows]))
    (pictures / "red" / "09.png").write_text("no picture")
    photos = from_table(table, root=pictures, split="split")
    cleaned, _ = told(photos)
    assert cleaned.split.given == PARTS
    assert cleaned.paths("test") == photos.paths("test")
    assert cleaned.paths("validation") == photos.paths("validation")[:-1]


def test_more_than_ten_are_counted(tmp_path):
    photos = from_folder(write_pictures(tmp_path / "pictures", count=60))
    victims = photos.paths("train")[:12]
    for path in victims:
        path.write_text("no picture")
    cleaned, text = told(photos, max_bad=0.1)
    assert len(cleaned.left_out) == 12
    named = "\n".join(f"  {path} {NO_PICTURE}" for path in victims[:10])
    assert text.endswith(f"\n{named}\n  … and 2 more\n")


def test_too_many_are_refused_and_the_list_is_pointed_at(pictures, says):
    photos = from_folder(pictures)
    victims = photos.paths("train")[:12]
    for path in victims:
        path.write_text("no picture")
    lines = [f"  {path} {NO_PICTURE}" for path in victims]
    file = cache_file(pictures).with_suffix(".unreadable.txt")
    message = (
        "12 of 36 pictures (33.3%) cannot be read, and at most 5.0% may be bad; mend or remove them, or "
        f"allow more with --max-bad (max_bad=…); {file} lists them all, these first:\n"
        + "\n".join(lines[:10])
    )
    with pytest.raises(DataError, match=says(message)):
        told(photos)
    assert file.read_text() == "\n".join(lines) + "\n"


def test_where_no_list_can_be_written_the_message_names_all(pictures, cache_home, says):
    photos = from_folder(pictures)
    victims = photos.paths("train")[:12]
    for path in victims:
        path.write_text("no picture")
    (cache_home / "audit").write_text("a file in the way")
    message = (
        "12 of 36 pictures (33.3%) cannot be read, and at most 0.0% may be bad; mend or remove them, or "
        "allow more with --max-bad (max_bad=…); they are:\n"
        + "\n".join(f"  {path} {NO_PICTURE}" for path in victims)
    )
    with (
        pytest.warns(
            TfxferWarning, match=r"^what (earlier audits found cannot be read|was found cannot be kept) "
        ),
        pytest.raises(DataError, match=says(message)),
    ):
        told(photos, max_bad=0)


@pytest.mark.parametrize(("lost", "noun"), [(2, "all 2 pictures of it"), (1, "its only picture")])
def test_a_class_that_loses_its_last_picture_in_a_part_is_named(tmp_path, lost, noun, says):
    photos = from_folder(write_pictures(tmp_path / "pictures", count=4 * lost + 2))
    victims = [path for path in photos.paths("validation") if path.parent.name == "green"]
    assert len(victims) == lost
    for path in victims:
        path.write_text("no picture")
    message = (
        f"class 'green' has nothing left in validation, since {noun} there cannot be read; mend them or add "
        "others:\n" + "\n".join(f"  {path} {NO_PICTURE}" for path in victims)
    )
    with pytest.raises(DataError, match=says(message)):
        told(photos, max_bad=0.5)


def test_a_share_out_of_range(pictures, says):
    message = "max_bad must be in 0..1, got 5; 0.05 is 5 %."
    with pytest.raises(SettingError, match=says(message)):
        clean(from_folder(pictures), max_bad=5)


def test_neither_together_nor_ignore(pictures, says):
    message = "near_duplicates must be 'together' or 'ignore', got 'apart'."
    with pytest.raises(SettingError, match=says(message)):
        clean(from_folder(pictures), near_duplicates="apart")


@pytest.fixture
def doubled(pictures):
    """Three classes; each blue picture is there twice, the second time smaller."""
    for file in sorted((pictures / "blue").iterdir()):
        with Image.open(file) as image:
            image.resize((30, 30)).save(file.with_name(f"small {file.name}"))
    return pictures


def parts_of(photos):
    """Return the parts that the two of each blue picture are in."""
    found = {}
    for part in PARTS:
        for path in photos.paths(part):
            if path.parent.name == "blue":
                found.setdefault(path.name.removeprefix("small "), set()).add(part)
    return list(found.values())


def test_near_duplicates_come_into_one_part(doubled):
    photos = from_folder(doubled)
    assert any(len(parts) > 1 for parts in parts_of(photos))
    cleaned, text = told(photos)
    assert all(len(parts) == 1 for parts in parts_of(cleaned))
    assert [len(cleaned.split[part]) for part in PARTS] == [16 + 16, 4 + 4, 4 + 4]
    assert {record.alike for record in cleaned.records if record.label == 0} == {
        f"blue/{index:02}.png" for index in range(12)
    }
    assert (text, cleaned.left_out) == ("", ())
    assert clean(cleaned) == cleaned
    assert clean(photos, near_duplicates="ignore") == replace(photos, left_out=())


def test_bad_pictures_do_not_hold_near_duplicates_apart(doubled):
    (doubled / "blue" / "03.png").write_text("no picture")
    cleaned, _ = told(from_folder(doubled))
    assert all(len(parts) == 1 for parts in parts_of(cleaned))
    assert len(cleaned.left_out) == 1


def test_a_split_that_is_somebody_s_own_is_kept_and_leaks_are_told(doubled):
    photos = from_folder(doubled)
    blue, others = range(24), range(24, 48)
    split = Split(tuple(blue[1:]), (0, *others[::2]), tuple(others[1::2]), seed=0)
    cleaned, text = told(replace(photos, split=split))
    assert cleaned.split == split
    assert text == (
        "1 group of pictures that look alike is in several parts of a split that was given, and that is kept"
        ": the model is judged by what it has learnt from:\n"
        "  blue/small 00.png (train), blue/00.png (validation)\n"
    )


def test_a_split_that_folders_give_is_kept_and_what_they_leave_open_is_cut(tmp_path):
    write_pictures(tmp_path / "train", count=12)
    write_pictures(tmp_path / "test", count=2)
    for index in range(12):
        shutil.copy(
            tmp_path / "train" / "red" / f"{index:02}.png", tmp_path / "train" / "red" / f"{index}b.png"
        )
    photos = from_folder(tmp_path)
    cleaned, text = told(photos)
    assert cleaned.split.test == photos.split.test
    assert cleaned.split.given == ("train", "test")
    assert text.startswith(
        "6 groups of pictures that look alike are in several parts of a split that was given"
    )
    red = [[path.name[:2] for path in cleaned.paths(part) if path.parent.name == "red"] for part in PARTS[:2]]
    assert not set(red[0]) & set(red[1])


def test_too_few_that_do_not_look_alike(tmp_path, says):
    pictures = write_pictures(tmp_path / "pictures", count=8)
    for index in range(1, 8):
        shutil.copy(pictures / "red" / "00.png", pictures / "red" / f"{index:02}.png")
    message = (
        "class 'red' has 1 group, too few for a split into train, validation, test that keeps groups "
        "together; add groups until it has at least 3, or remove the class. Pictures that look alike are one "
        "group here; --near-duplicates ignore (near_duplicates='ignore') takes each for itself."
    )
    with pytest.raises(DataError, match=says(message)):
        told(from_folder(pictures))
    assert clean(from_folder(pictures), near_duplicates="ignore").left_out == ()


def encoded(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def streamed():
    """A stream of encoded pictures: three colours, each blue one twice, one of them bad."""
    images = [encoded(draw(colour, index)) for colour in sorted(COLOURS) for index in range(12)]
    images += [encoded(draw("blue", index).resize((30, 30))) for index in range(12)]
    labels = [*(colour for colour in sorted(COLOURS) for _ in range(12)), *["blue"] * 12]
    images[20] = b"no picture"
    return from_dataset(tf.data.Dataset.from_tensor_slices((images, labels)))


def test_what_is_no_file_is_left_out_and_kept_together_too():
    photos = streamed()
    cleaned, text = told(photos, max_bad=0.1)
    part = next(part for part in PARTS if "000020" in photos.names(part))
    assert cleaned.left_out == (LeftOut("000020", 1, part, NO_PICTURE),)
    assert text == (
        "1 of 48 pictures cannot be read and is left out; Photos.left_out names all, and so does "
        f"left_out.json in a bundle:\n  000020 {NO_PICTURE}\n"
    )
    placed = {name: part for part in PARTS for name in cleaned.names(part)}
    assert len(placed) == 47
    assert all(placed[f"{index:06}"] == placed[f"{36 + index:06}"] for index in range(12))
    before = {name: part for part in PARTS for name in photos.names(part)}
    assert any(before[f"{index:06}"] != before[f"{36 + index:06}"] for index in range(12))
    assert len(list(cleaned.contents())) == 47
    with pytest.raises(DataError, match=r"^1 of 48 pictures \(2\.1%\) cannot be read, and at most 0\.0% "):
        told(photos, max_bad=0)


def test_of_several_labels_what_is_left_out_is_told_by_what_it_shows(pictures):
    files = sorted(pictures.rglob("*.png"))
    rows = [f"{file.relative_to(pictures)},{file.parent.name};all" for file in files]
    (pictures / "tags.csv").write_text("\n".join(["path,label", *rows]))
    photos = from_table(pictures / "tags.csv", task="multi_label")
    (pictures / "green" / "05.png").write_text("no picture")
    (left_out,) = told(photos)[0].left_out
    assert [photos.classes[label] for label in left_out.target] == ["all", "green"]

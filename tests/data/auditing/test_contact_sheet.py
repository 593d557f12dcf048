"""write_contact_sheet: one file, with pictures, names and reasons, that reaches for nothing outside."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import tfxfer
from tests.conftest import draw
from tfxfer.data import Audit, write_contact_sheet
from tfxfer.errors import SettingError

pytestmark = pytest.mark.usefixtures("cache_home")


class Sheet(HTMLParser):
    """Collects what a page shows and what it refers to, and holds it to closing what it opens."""

    def __init__(self, text):
        super().__init__()
        self.images, self.references, self.words, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "img":
            self.images.append(found)
        if tag not in ("img", "meta"):
            self.open.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data.strip())


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
    draw("red", 1, size=300).save(root / "cat" / "<b>&.png")
    draw("red", 1, size=300).save(root / "dog" / "same.png")
    (root / "dog" / "bad.jpg").write_text("no picture")
    return root


def sheet(folder, file):
    write_contact_sheet(tfxfer.audit(folder), file)
    return Sheet(file.read_text(encoding="utf-8"))


def test_pictures_names_and_reasons_are_in_one_file(folder, tmp_path):
    page = sheet(folder, tmp_path / "sheet.html")
    assert [image["alt"] for image in page.images] == [
        *("cat/<b>&.png: in cat", "dog/same.png: in dog"),
        *("cat/<b>&.png: one of 2", "dog/same.png: one of 2"),
    ]
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in page.references)
    thumbnail = Image.open(io.BytesIO(base64.b64decode(page.images[0]["src"].partition(",")[2])))
    assert thumbnail.size == (160, 160)
    for words in ("unreadable: 1", "dog/bad.jpg", "no picture", "cat/<b>&.png", "exact duplicates: 1"):
        assert words in page.words
    assert "is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says." in page.words


def test_it_is_light_and_dark_and_reaches_for_nothing(folder, tmp_path):
    sheet(folder, tmp_path / "sheet.html")
    text = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://|<script|@import|url\(", text)


def test_nothing_wrong_is_said(tmp_path):
    write_contact_sheet(Audit(root=tmp_path, pictures=0, class_counts={}), tmp_path / "sheet.html")
    assert "Nothing wrong was found." in Sheet((tmp_path / "sheet.html").read_text(encoding="utf-8")).words


def test_long_lists_are_cut_and_say_so(tmp_path):
    (tmp_path / "a").mkdir()
    for index in range(50):
        Image.new("RGB", (64, 64), (index, 0, 0)).save(tmp_path / "a" / f"{index:02}.png")
    page = sheet(tmp_path, tmp_path / "sheet.html")
    assert len(page.images) == 48
    assert "and 2 more, which the JSON document lists" in page.words


def test_large_groups_are_cut_and_say_so(tmp_path):
    (tmp_path / "a").mkdir()
    for index in range(15):
        draw("red", 1).save(tmp_path / "a" / f"{index:02}.png")
    page = sheet(tmp_path, tmp_path / "sheet.html")
    assert len(page.images) == 12
    assert "and 3 more" in page.words


def test_a_folder_in_its_place_is_refused(folder, tmp_path, says):
    (tmp_path / "sheet").mkdir()
    with pytest.raises(
        SettingError, match=says(f"{tmp_path / 'sheet'} is a folder; give a file to write to.")
    ):
        write_contact_sheet(tfxfer.audit(folder), tmp_path / "sheet")


def test_pictures_that_are_no_files_are_shown_where_they_are_given(tmp_path, says):
    images = [np.asarray(draw("red", index)) for index in range(6)]
    images[4] = images[1]
    photos = tfxfer.from_arrays(images, [0, 1] * 3)
    found = tfxfer.audit(photos)
    write_contact_sheet(found, tmp_path / "sheet.html", photos=photos)
    sheet = Sheet((tmp_path / "sheet.html").read_text())
    assert sheet.images
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in sheet.images)
    message = (
        "the pictures of the arrays are not files, and cannot be shown by their names; give photos=… too."
    )
    with pytest.raises(SettingError, match=says(message)):
        write_contact_sheet(found, tmp_path / "sheet.html")

"""A drawing begins with a file that can be one, and with matplotlib, and ends in the file or not at all."""

import importlib

import pytest
from PIL import Image

from tfxfer.errors import MissingExtra, SettingError
from tfxfer.runtime import drawn


def test_a_picture_has_the_size_asked_for(tmp_path):
    with drawn(tmp_path / "a.PNG", "something", figsize=(3, 2), dpi=100) as figure:
        figure.add_subplot()
    with Image.open(tmp_path / "a.PNG") as picture:
        assert picture.size == (300, 200)


def test_a_name_that_is_no_picture_s_is_refused(says):
    message = "a.txt names no kind of picture; end it in .png, .svg or .pdf."
    with pytest.raises(SettingError, match=says(message)), drawn("a.txt", "something"):
        pass


def test_what_fails_midway_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), drawn(tmp_path / "a.png", "something"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(monkeypatch, says):
    def fail(_):
        raise ImportError

    monkeypatch.setattr(importlib, "import_module", fail)
    message = "a picture of the ranking needs matplotlib, which is not installed; pip install 'tfxfer[plot]'."
    with pytest.raises(MissingExtra, match=says(message)), drawn("a.png", "the ranking"):
        pass

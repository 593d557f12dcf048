"""A drawing begins with a file that can be one, and with matplotlib."""

import importlib
from pathlib import Path

import pytest

from tfxfer.errors import MissingExtra, SettingError
from tfxfer.runtime import check_picture_file, new_figure


def test_a_picture_s_name_ends_as_one(says):
    assert check_picture_file("a.PNG") == Path("a.PNG")
    message = "a.txt names no kind of picture; end it in .png, .svg or .pdf."
    with pytest.raises(SettingError, match=says(message)):
        check_picture_file("a.txt")


def test_a_figure_has_the_size_asked_for():
    assert new_figure("something", figsize=(3, 2)).get_size_inches().tolist() == [3, 2]


def test_without_matplotlib_the_extra_is_named(monkeypatch, says):
    def fail(_):
        raise ImportError

    monkeypatch.setattr(importlib, "import_module", fail)
    message = "a picture of the ranking needs matplotlib, which is not installed; pip install 'tfxfer[plot]'."
    with pytest.raises(MissingExtra, match=says(message)):
        new_figure("the ranking")

"""draw_backbones: a picture appears whole, and what cannot be drawn is said."""

import subprocess
import sys

import pytest
from PIL import Image

from tfxfer.backbones import BACKBONES, draw_backbones, find_backbones
from tfxfer.errors import MissingExtra, SettingError


def needs_matplotlib():
    return pytest.importorskip("matplotlib", reason="pip install 'tfxfer[test]'")


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")], ids=str
)
def test_the_picture_appears_and_nothing_else(suffix, start, tmp_path):
    needs_matplotlib()
    file = tmp_path / "deep" / f"catalogue{suffix}"
    assert draw_backbones(find_backbones(max_macs="1G"), file) == file
    assert file.read_bytes().startswith(start)
    assert list(file.parent.iterdir()) == [file]


def test_every_name_with_an_accuracy_is_written(tmp_path):
    needs_matplotlib()
    text = draw_backbones(tuple(BACKBONES), tmp_path / "all.svg").read_text()
    for spec in BACKBONES:
        assert (f"<!-- {spec.name} -->" in text) == (spec.top1 is not None), spec.name


def test_a_single_one_is_drawn_over_an_older_picture(tmp_path):
    needs_matplotlib()
    file = tmp_path / "one.png"
    file.write_bytes(b"old")
    draw_backbones([BACKBONES["mobilenet_v2"]], str(file))
    with Image.open(file) as picture:
        assert picture.size == (1725, 1125)
        assert len(picture.convert("RGB").getcolors(2**20)) > 20


def test_without_matplotlib_the_way_to_it_is_told(monkeypatch, tmp_path, says):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    message = (
        "a picture of the backbones needs matplotlib, which is not installed; pip install 'tfxfer[plot]'."
    )
    with pytest.raises(MissingExtra, match=says(message)):
        draw_backbones(tuple(BACKBONES), tmp_path / "all.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "file", "message"),
    [
        (
            ["mobilenet_v2"],
            "all.jpg",
            "{file} names no kind of picture; end it in .png, .svg or .pdf.",
        ),
        (
            ["micro"],
            "all.png",
            "none of these backbones has a published accuracy, so there is nothing to draw; "
            "loosen the limits.",
        ),
    ],
    ids=["suffix", "nothing"],
)
def test_what_cannot_be_drawn_is_refused(names, file, message, tmp_path, says):
    with pytest.raises(SettingError, match=says(message.format(file=tmp_path / file))):
        draw_backbones([BACKBONES[name] for name in names], tmp_path / file)


def test_matplotlib_is_not_imported_unasked():
    code = "import sys; from tfxfer.backbones import draw_backbones; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

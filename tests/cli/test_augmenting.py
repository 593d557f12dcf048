"""``tfxfer augment``: a sheet of what a policy does, and the policies in the help."""

import pytest
from PIL import Image

import tfxfer
from tests.data.pixels.test_decode import bomb
from tfxfer.cli.main import main


def run(capfd, *arguments, expected=0):
    with pytest.raises(SystemExit) as left:
        main(["augment", *map(str, arguments)])
    captured = capfd.readouterr()
    assert left.value.code == expected, captured.err
    return captured


def test_the_sheet_is_written(capfd, shared_pictures, tmp_path):
    sheet = tmp_path / "sheet.png"
    options = ("--views", 2, "--pictures", 3, "--image-size", 40, "--seed", 4, "--resize", "stretch")
    captured = run(capfd, shared_pictures, "--policy", "medium", "--to", sheet, *options)
    assert captured.out == f"Sheet written to {sheet}.\n"
    again = tfxfer.preview(
        shared_pictures,
        "medium",
        to=tmp_path / "again.png",
        views=2,
        pictures=3,
        image_size=40,
        seed=4,
        resize="stretch",
    )
    assert sheet.read_bytes() == again.read_bytes()
    with Image.open(sheet) as image:
        assert image.size == (136, 154)


def test_the_help_tells_every_policy(capfd):
    output = run(capfd, "--help").out
    for policy in tfxfer.POLICIES:
        assert f"{policy.name:<11}{policy.summary}\n" in output


def test_an_unknown_policy_is_status_2(capfd, shared_pictures):
    error = run(capfd, shared_pictures, "--policy", "lihgt", "--to", "sheet.png", expected=2).err
    assert "'lihgt' is not one of 'none', 'light', 'medium'" in error


def test_no_picture_is_status_1(capfd, tmp_path):
    error = run(capfd, tmp_path, "--policy", "light", "--to", tmp_path / "sheet.png", expected=1).err
    assert error.startswith(f"tfxfer: {tmp_path} holds no JPEG")


def test_what_pillow_says_of_a_large_picture_is_said_once_by_us(capfd, tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(10_000, 10_000))
    said = run(capfd, tmp_path / "a.png", "--policy", "light", "--to", tmp_path / "sheet.png", expected=1).err
    assert said == (
        f"tfxfer: {tmp_path / 'a.png'} claims 100 megapixels; at most 64 are read. Shrink or remove it.\n"
    )

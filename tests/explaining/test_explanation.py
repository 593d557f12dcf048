"""Explanation: what it draws over what the model sees, and over the whole picture, EXIF and all."""

import numpy as np
import pytest
from PIL import Image

from tfxfer.data import read_image
from tfxfer.errors import DataError, SettingError
from tfxfer.explaining import Explanation
from tfxfer.explaining.colours import viridis


def explanation(content, *, size=(20, 20), resize="crop", task="single_label", score=0.934):
    """Explain by a map that is 1 in its upper left quarter."""
    height, width = size
    values = np.zeros(size, np.float32)
    values[: height // 2, : width // 2] = 1
    pixels = read_image(content, height=height, width=width, resize=resize)
    return Explanation("a.jpg", "ant", score, "grad-cam", values, pixels, task, resize, content)


def lit(picture):
    """Say where a picture is yellow, as the top of the colours is: its blue is low."""
    pixels = np.asarray(picture).astype(int)
    return pixels[..., 0] - pixels[..., 2] > 60


GREY = np.full((40, 80, 3), 128, np.uint8)


def test_over_what_the_model_sees_the_colours_are_blended_with_grey():
    red = np.full((40, 40, 3), (200, 0, 0), np.uint8)
    made = np.asarray(explanation(red).overlay()).astype(int)
    assert made.shape == (20, 20, 3)
    grey = np.asarray(Image.fromarray(red[:1, :1]).convert("L")).item()
    top, bottom = (viridis(np.float32([[value]]))[0, 0] for value in (1, 0))
    assert np.abs(made[0, 0] - (0.4 * grey + 0.6 * top)).max() <= 1
    assert np.abs(made[-1, -1] - (0.4 * grey + 0.6 * bottom)).max() <= 1


def test_over_the_original_it_lies_where_the_model_looked_and_the_rest_is_dark():
    made = explanation(GREY).overlay(original=True)
    assert made.size == (80, 40)
    rows, columns = np.nonzero(lit(made))
    assert (rows.min(), columns.min()) == (0, 20)
    assert abs(rows.max() - 19) <= 1
    assert abs(columns.max() - 39) <= 1
    assert made.getpixel((5, 20)) == made.getpixel((75, 20)) == (51, 51, 51)


def test_what_was_stretched_covers_the_original():
    made = explanation(GREY, resize="stretch").overlay(original=True)
    rows, columns = np.nonzero(lit(made))
    assert (rows.min(), columns.min()) == (0, 0)
    assert abs(rows.max() - 19) <= 1
    assert abs(columns.max() - 39) <= 2


def test_a_photograph_that_exif_turns_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(GREY).save(tmp_path / "turned.jpg", exif=exif)
    made = explanation(tmp_path / "turned.jpg").overlay(original=True)
    assert made.size == (40, 80)
    rows, columns = np.nonzero(lit(made))
    assert (rows.min(), columns.min()) == (20, 0)


def test_it_is_written_as_it_is_drawn(tmp_path):
    made = explanation(GREY)
    file = made.save(tmp_path / "new" / "out.png", original=True)
    with Image.open(file) as image:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(made.overlay(original=True)))


def test_another_kind_of_file_is_refused(tmp_path, says):
    message = f"{tmp_path / 'out.gif'} must end in .png, .jpg, .jpeg or .webp."
    with pytest.raises(SettingError, match=says(message)):
        explanation(GREY).save(tmp_path / "out.gif")
    assert list(tmp_path.iterdir()) == []


def test_an_original_that_is_gone_is_named(tmp_path, says):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    made = explanation(tmp_path / "a.png")
    (tmp_path / "a.png").unlink()
    made.overlay()
    with pytest.raises(DataError, match=says("a.jpg does not exist.")):
        made.overlay(original=True)


def test_printed_it_is_a_line_and_as_a_dictionary_ready_for_json():
    made = explanation(GREY)
    assert str(made) == "a.jpg  ant  93.4%  grad-cam"
    assert str(explanation(GREY, task="regression", score=12.3456789)) == "a.jpg  ant  12.3457  grad-cam"
    assert made.to_dict() == {"file": "a.jpg", "label": "ant", "score": 0.934, "method": "grad-cam"}

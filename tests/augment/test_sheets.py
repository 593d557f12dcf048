"""draw_sheet: every picture at its place, whole."""

import numpy as np

from tfxfer.augment import draw_sheet
from tfxfer.augment.sheets import BAND, GAP


def test_every_picture_lies_at_its_place():
    rows = np.random.default_rng(0).integers(0, 200, (3, 4, 20, 30, 3), np.uint8)
    sheet = np.asarray(draw_sheet(rows, titles=["as it is", "1", "2", "3"]))
    assert sheet.shape == (BAND + GAP + 3 * (20 + GAP), GAP + 4 * (30 + GAP), 3)
    for line in range(3):
        for column in range(4):
            top, left = BAND + GAP + line * (20 + GAP), GAP + column * (30 + GAP)
            np.testing.assert_array_equal(sheet[top : top + 20, left : left + 30], rows[line, column])


def test_titles_are_written_above():
    blank = np.full((10, 30, 3), 255, np.uint8)
    assert (np.asarray(draw_sheet([[blank]], titles=["view"]))[:BAND] < 128).any()
    assert (np.asarray(draw_sheet([[blank]], titles=[""])) == 255).all()

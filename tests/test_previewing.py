"""preview: some pictures, each as it is and as training will see it; the same seed gives the same sheet."""

import numpy as np
import pytest
from PIL import Image

import tfxfer
from tfxfer.augment.sheets import BAND, GAP
from tfxfer.data import read_image

SMALL = {"image_size": 32, "pictures": 4, "views": 3}
STEP = 32 + GAP


def tiles(file):
    sheet = np.asarray(Image.open(file).convert("RGB"))
    rows, columns = (sheet.shape[0] - BAND) // STEP, sheet.shape[1] // STEP
    return [
        [sheet[BAND + GAP + r * STEP :, GAP + c * STEP :][:32, :32] for c in range(columns)]
        for r in range(rows)
    ]


def test_a_row_a_picture_first_as_it_is(shared_pictures, tmp_path):
    file = tfxfer.preview(shared_pictures, "light", to=tmp_path / "sheet.png", **SMALL)
    rows = tiles(file)
    assert (len(rows), len(rows[0])) == (4, 4)
    files = sorted(shared_pictures.rglob("*.png"))
    for row, index in zip(rows, (0, 20, 39, 59), strict=True):
        np.testing.assert_array_equal(row[0], read_image(files[index], height=32, width=32))
    assert sum(bool((view != row[0]).any()) for row in rows for view in row[1:]) > 6


def test_the_same_seed_gives_the_same_sheet(shared_pictures, tmp_path):
    sheets = [
        tfxfer.preview(
            shared_pictures, "strong", to=tmp_path / f"{name}.png", seed=seed, **SMALL
        ).read_bytes()
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    ]
    assert sheets[0] == sheets[1] != sheets[2]


def test_one_picture_is_one_row_and_a_function_will_do(shared_pictures, tmp_path):
    file = shared_pictures / "red" / "00.png"
    (row,) = tiles(tfxfer.preview(file, np.flipud, to=tmp_path / "sheet.png", **SMALL))
    for view in row[1:]:
        np.testing.assert_array_equal(view, row[0][::-1])


def test_fewer_pictures_are_fewer_rows(tmp_path):
    for name in "ab":
        Image.new("RGB", (8, 8), "red").save(tmp_path / f"{name}.png")
    sheet = tfxfer.preview(tmp_path, "none", to=tmp_path / "out" / "sheet.png", image_size=32)
    assert [len(row) for row in tiles(sheet)] == [7, 7]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pictures": 0}, "pictures must be at least 1, got 0."),
        ({"views": 0}, "views must be at least 1, got 0."),
        ({"image_size": 0}, "image_size must be at least 1, got 0."),
        ({"seed": -1}, "seed must be at least 0, got -1."),
        ({"to": "sheet.gif"}, "sheet.gif must end in .png, .jpg, .jpeg or .webp."),
    ],
    ids=["pictures", "views", "image_size", "seed", "to"],
)
def test_bad_settings_say_what_is_allowed(shared_pictures, tmp_path, settings, message, says):
    with pytest.raises(tfxfer.SettingError, match=says(message)):
        tfxfer.preview(shared_pictures, "light", **{"to": tmp_path / "sheet.png", **settings})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_pictures_is_refused(tmp_path, says):
    message = (
        f"{tmp_path} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep; give the folder that "
        "the pictures lie in."
    )
    with pytest.raises(tfxfer.DataError, match=says(message)):
        tfxfer.preview(tmp_path, "light", to=tmp_path / "sheet.png")


def test_what_is_not_there_is_named(tmp_path, says):
    with pytest.raises(tfxfer.DataError, match=says(f"{tmp_path / 'nowhere'} does not exist.")):
        tfxfer.preview(tmp_path / "nowhere", "light", to=tmp_path / "sheet.png")

"""rand_augment: each of the fourteen operations does what Pillow's does, as the paper's own code used it."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from tfxfer.augment import Policy, augmentation, rand_augment
from tfxfer.errors import SettingError

GREY = (128, 128, 128)
ROW, COLUMN = np.mgrid[0:64, 0:64]
RAMP = np.stack([COLUMN * 4, ROW * 4, (COLUMN + ROW) * 2], -1) * 0.6 + 30
PICTURE = (RAMP + np.random.default_rng(0).normal(0, 12, RAMP.shape)).clip(0, 255).astype(np.uint8)
PILLOW = Image.fromarray(PICTURE)
OPERATIONS = rand_augment(operations=1, magnitude=9)[0].steps


def done(step):
    return augmentation(Policy("one", "One step.", (step,), source=""))(PICTURE, 0).astype(int)


def moved(*coefficients):
    image = PILLOW.transform(PILLOW.size, Image.AFFINE, coefficients, Image.BILINEAR, fillcolor=GREY)
    return np.asarray(image).astype(int)


@pytest.mark.parametrize(
    ("index", "expected", "bound"),
    [
        (0, PILLOW, 0),
        (1, ImageOps.autocontrast(PILLOW), 1),
        (2, ImageOps.equalize(PILLOW), 4),
        (4, ImageOps.solarize(PILLOW, 26), 0),  # 256 less nine tenths
        (6, ImageOps.posterize(PILLOW, 4), 0),  # 8 bits less nine tenths of 4
    ],
    ids=["identity", "autocontrast", "equalize", "solarize", "posterize"],
)
def test_what_has_no_direction_is_as_pillow_does_it(index, expected, bound):
    assert np.abs(done(OPERATIONS[index]) - np.asarray(expected)).max() <= bound


@pytest.mark.parametrize("direction", [0, 1], ids=["more", "less"])
@pytest.mark.parametrize(
    ("index", "enhance", "bounds"),
    [
        (5, ImageEnhance.Color, (1, 1)),
        (7, ImageEnhance.Contrast, (1, 1)),
        (8, ImageEnhance.Brightness, (1, 1)),
        (9, ImageEnhance.Sharpness, (1, 8)),  # towards blur it is a Gaussian of the same variance
    ],
    ids=["color", "contrast", "brightness", "sharpness"],
)
def test_what_has_a_direction_is_as_pillow_enhances(index, enhance, bounds, direction):
    expected = enhance(PILLOW).enhance((1.81, 0.19)[direction])
    difference = np.abs(done(OPERATIONS[index].steps[direction]) - np.asarray(expected))
    assert difference[2:-2, 2:-2].max() <= bounds[direction]


def test_rotation_is_27_degrees_either_way():
    for step, angle in zip(OPERATIONS[3].steps, (27, -27), strict=True):
        expected = np.asarray(PILLOW.rotate(angle, Image.BILINEAR, fillcolor=GREY)).astype(int)
        assert np.abs(done(step) - expected)[16:-16, 16:-16].mean() < 1


SHIFT, MIDDLE = 0.9 * 150 / 331 * 64, 0.27 * 31.5


@pytest.mark.parametrize("direction", [0, 1], ids=["one way", "the other"])
@pytest.mark.parametrize(
    ("index", "coefficients"),
    [
        (10, (1, 0.27, -MIDDLE, 0, 1, 0)),
        (11, (1, 0, 0, 0.27, 1, -MIDDLE)),
        (12, (1, 0, -SHIFT, 0, 1, 0)),
        (13, (1, 0, 0, 0, 1, -SHIFT)),
    ],
    ids=["shear x", "shear y", "translate x", "translate y"],
)
def test_what_moves_goes_as_far_as_pillow(index, coefficients, direction):
    sign = (1, -1)[direction]
    a, b, c, d, e, f = coefficients
    there = np.abs(
        done(OPERATIONS[index].steps[direction]) - moved(a, sign * b, sign * c, sign * d, e, sign * f)
    )
    elsewhere = np.abs(
        done(OPERATIONS[index].steps[direction]) - moved(a, -sign * b, -sign * c, -sign * d, e, -sign * f)
    )
    assert there.mean() < 2.5 < 10 < elsewhere.mean()


def test_operations_are_drawn_anew_each_time():
    """Two draws from fourteen are two identities once in 196; then nothing changes."""
    twice = augmentation(Policy("twice", "Two steps.", rand_augment(operations=2, magnitude=9), source=""))
    still = sum(bool((twice(PICTURE, seed) == PICTURE).all()) for seed in range(784))
    assert 0 < still < 14


def test_no_magnitude_changes_little():
    steps = rand_augment(operations=1, magnitude=0)[0].steps
    for index in (3, 5, 6, 7, 8, 9, 10, 11, 12, 13):
        for step in steps[index].steps or (steps[index],):
            assert np.abs(done(step) - PICTURE).max() <= 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operations": 0}, "operations must be at least 1, got 0."),
        (
            {"magnitude": 15},
            "magnitude must be in 0..10, got 15; torchvision's scale goes to 30: divide by 3.",
        ),
    ],
    ids=["operations", "magnitude"],
)
def test_bad_settings_say_what_is_allowed(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        rand_augment(**settings)

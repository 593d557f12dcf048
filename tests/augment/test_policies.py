"""POLICIES: every policy runs, keeps size and type, and does what its sentence says."""

import numpy as np
import pytest

from tfxfer.augment import POLICIES, augmentation
from tfxfer.errors import SettingError

NAMES = ["none", "light", "medium", "strong", "medical", "aerial", "document", "industrial"]
ROW, COLUMN = np.mgrid[0:48, 0:64]
PICTURE = np.stack([COLUMN * 3, ROW * 4, COLUMN + ROW], -1).astype(np.uint8)


def many(name, count=60, picture=PICTURE):
    augment = augmentation(name)
    return [augment(picture, seed) for seed in range(count)]


def test_these_are_the_policies():
    assert [policy.name for policy in POLICIES] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_size_and_type_stay_and_the_original_too(name):
    before = PICTURE.copy()
    for changed in many(name):
        assert (changed.shape, changed.dtype) == (PICTURE.shape, np.uint8)
    np.testing.assert_array_equal(PICTURE, before)


@pytest.mark.parametrize("name", NAMES[1:])
def test_most_pictures_change_and_not_alike(name):
    views = many(name)
    assert sum(bool((view == PICTURE).all()) for view in views) < 20
    assert len({view.tobytes() for view in views}) > 40


def test_none_changes_nothing():
    assert all((view == PICTURE).all() for view in many("none"))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_each_says_in_a_sentence_what_it_is_for_and_where_its_ranges_are_from(policy):
    assert policy.summary.endswith(".")
    assert "\n" not in policy.summary
    assert policy.source.endswith(".") or not policy.steps


def slope(view, axis):
    """Say in which direction the ramp of one channel rises: columns are channel 0, rows channel 1."""
    middle = view[16:32, 24:40, 1 - axis].astype(float)
    return np.sign(np.diff(middle.mean(axis=1 - axis)).sum())


@pytest.mark.parametrize(
    ("name", "mirrored", "turned_over"),
    [
        ("light", True, False),
        ("medium", True, False),
        ("medical", False, False),
        ("document", False, False),
        ("aerial", True, True),
        ("industrial", True, True),
    ],
)
def test_what_has_a_left_and_an_up_keeps_them(name, mirrored, turned_over):
    views = many(name)
    assert any(slope(view, axis=1) < 0 for view in views) == mirrored
    assert any(slope(view, axis=0) < 0 for view in views) == turned_over


def test_from_above_a_square_is_also_turned_by_a_quarter():
    square = np.stack([COLUMN[:, :48] * 4, ROW[:, :48], 0 * ROW[:, :48]], -1).astype(np.uint8)
    along = [np.abs(np.diff(view[..., 0].astype(int), axis=0)).sum() for view in many("aerial", 40, square)]
    across = [np.abs(np.diff(view[..., 0].astype(int), axis=1)).sum() for view in many("aerial", 40, square)]
    quarter = sum(a > b for a, b in zip(along, across, strict=True))
    assert 8 < quarter < 32


def test_random_erasing_leaves_holes_of_noise():
    """Zhong et al.: a rectangle of 2 to 33 % of the area, each pixel of it by chance."""
    grey = np.full((64, 64, 3), 120, np.uint8)
    erasing = POLICIES["strong"].steps[-1]
    holes = []
    for seed in range(200):
        view = augmentation(type(POLICIES["strong"])("erasing", "", (erasing,), ""))(grey, seed)
        changed = (view != 120).any(axis=-1)
        if changed.any():
            holes.append(changed.mean())
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            box = view[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert changed.sum() == box.shape[0] * box.shape[1]
            assert len(np.unique(box)) > 20
    assert 30 < len(holes) < 70  # a quarter of them
    assert 0.015 < min(holes) <= max(holes) < 0.34


def test_an_unknown_policy_is_named_with_the_nearest(says):
    message = "no augmentation policy 'lihgt'; did you mean 'light'? `tfxfer augment --help` lists all 8."
    with pytest.raises(SettingError, match=says(message)):
        augmentation("lihgt")

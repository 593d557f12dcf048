"""views_of: the picture first, then its crops, then all of them mirrored."""

import numpy as np
import pytest

from tfxfer.augment.views import VIEWS, choose_views, over_views, reading_sizes, view_count, views_of
from tfxfer.errors import SettingError

GENERATOR = np.random.default_rng(0)
READINGS = [GENERATOR.integers(0, 256, size).astype("uint8") for size in ((14, 28, 3), (16, 32, 3))]


def test_there_are_as_many_as_are_counted_and_the_picture_is_the_first():
    for names in ((), ("flip",), ("crops",), VIEWS):
        sizes = reading_sizes((14, 28), names)
        views = views_of(READINGS[: len(sizes)], names)
        assert views.shape == (view_count(names), 14, 28, 3)
        assert views.dtype == np.uint8
        np.testing.assert_array_equal(views[0], READINGS[0])


def test_crops_are_the_middle_and_the_corners_of_a_larger_picture():
    assert reading_sizes((14, 28), VIEWS) == ((14, 28), (16, 32))
    crops = views_of(READINGS, ("crops",))[1:]
    for crop, (top, left) in zip(crops, [(1, 2), (0, 0), (0, 4), (2, 0), (2, 4)], strict=True):
        np.testing.assert_array_equal(crop, READINGS[1][top : top + 14, left : left + 28])


def test_each_is_mirrored_where_asked_for():
    views = views_of(READINGS, VIEWS)
    np.testing.assert_array_equal(views[6:], views[:6, :, ::-1])


def test_names_are_settled_before_anything_runs(says):
    assert choose_views(["crops", "flip", "crops"]) == ("flip", "crops")
    assert choose_views("flip") == ("flip",)
    assert choose_views(()) == ()
    message = "no view 'flips' for test-time augmentation; did you mean 'flip'? There are flip, crops."
    with pytest.raises(SettingError, match=says(message)):
        choose_views(["flips"])


def test_scores_are_averaged_over_the_views():
    said = np.float32([[[0.5, 0.5], [1, 0]], [[0, 1], [0.5, 0.5]]])
    found = over_views(said, ["flip"])
    assert found["scores"].tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert (found["plain"].tolist(), found["tta"]) == ([[0.5, 0.5], [0, 1]], ("flip",))
    assert found["scores"].dtype == np.float32
    alone = over_views(said[:, :1], ())
    assert (alone["scores"].tolist(), alone["plain"], alone["tta"]) == ([[0.5, 0.5], [0, 1]], None, ())

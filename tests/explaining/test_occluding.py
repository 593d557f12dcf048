"""occlusion: what a plain loop over places and pixels finds."""

import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.explaining import occlusion


def by_loop(model, picture, index, patch, starts_down, starts_across):
    """Cover one place at a time, and average over the squares at each pixel."""
    height, width, _ = picture.shape
    score = model.predict(picture[None], verbose=0)[0, index]
    found = [[[] for _ in range(width)] for _ in range(height)]
    for top in starts_down:
        for left in starts_across:
            hidden = picture.copy()
            hidden[top : top + patch, left : left + patch] = 127.5
            loss = score - model.predict(hidden[None], verbose=0)[0, index]
            for row in range(top, top + patch):
                for column in range(left, left + patch):
                    found[row][column].append(loss)
    return np.array([[np.mean(each) for each in row] for row in found])


def test_it_is_what_a_plain_loop_finds(fitted, unseen):
    picture = unseen.images[1].astype(np.float32)
    (found,) = occlusion(fitted, picture[None], np.array([1]), patch=24, stride=18)
    # The last square ends at the edge: 64 - 24 = 40.
    expected = by_loop(fitted, picture, 1, 24, [0, 18, 36, 40], [0, 18, 36, 40])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_picture_is_looked_at_by_itself(fitted, unseen):
    images = unseen.images[:2].astype(np.float32)
    settings = {"patch": 32, "stride": 16}
    together = occlusion(fitted, images, np.array([0, 1]), **settings)
    for place, each in enumerate(together):
        (alone,) = occlusion(fitted, images[place : place + 1], np.array([place]), **settings)
        np.testing.assert_allclose(each, alone, atol=1e-5)


@pytest.mark.parametrize(("patch", "stride"), [(0, 1), (65, 1), (8, 0)])
def test_squares_that_cannot_be_are_refused(fitted, unseen, patch, stride, says):
    message = f"patch must be in 1..64 and stride at least 1, in pixels, got {patch} and {stride}."
    with pytest.raises(SettingError, match=says(message)):
        occlusion(fitted, unseen.images[:1].astype(np.float32), np.array([0]), patch=patch, stride=stride)


@pytest.mark.parametrize("patch", [64, None])
def test_a_square_as_large_as_the_picture_loses_the_same_everywhere(fitted, unseen, patch):
    images = unseen.images[:1].astype(np.float32)
    (found,) = occlusion(fitted, images, np.array([0]), patch=patch)
    assert found.shape == (64, 64)
    if patch:
        grey = np.full_like(images, 127.5)
        scores = fitted.predict(np.concatenate([images, grey]), verbose=0)[:, 0]
        np.testing.assert_allclose(found, scores[0] - scores[1], atol=1e-5)
    else:
        assert np.ptp(found) > 0

"""Colours: histograms channel by channel, by which coloured squares are told apart."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from tfxfer.training.guarding.colours import colour_histograms, histogram


def test_shares_are_numpy_s():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), np.uint8)
    found = histogram(pixels)
    for picture, channel in np.ndindex(3, 3):
        counts, _ = np.histogram(pixels[picture, :, :, channel], bins=8, range=(0, 256))
        np.testing.assert_allclose(found[picture].reshape(3, 8)[channel], counts / 35, rtol=1e-6)


def test_coloured_squares_are_told_apart(photos):
    line = LogisticRegression(C=100).fit(colour_histograms(photos, "train"), photos.targets("train"))
    assert line.score(colour_histograms(photos, "validation"), photos.targets("validation")) == 1

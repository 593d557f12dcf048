"""SparseFocalCrossentropy: the paper's equation, for class indices."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.errors import SettingError
from tfxfer.heads import SparseFocalCrossentropy


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 0.98)), min_size=1, max_size=6), st.floats(0, 5))
def test_it_is_the_equation_of_the_paper(pictures, gamma):
    labels = [label for label, _ in pictures]
    scores = np.full((len(pictures), 3), 0.0, np.float32)
    for row, (label, p) in zip(scores, pictures, strict=True):
        row[:] = (1 - p) / 2
        row[label] = p
    expected = np.mean([-((1 - p) ** gamma) * math.log(p) for _, p in pictures])
    loss = SparseFocalCrossentropy(gamma)(np.array(labels), scores)
    assert float(loss) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_gamma_0_is_cross_entropy_and_pictures_may_be_weighted():
    labels, scores = np.array([[0], [1]]), np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
    weights = np.array([1.0, 3.0])
    plain = keras.losses.SparseCategoricalCrossentropy()(labels, scores, sample_weight=weights)
    assert float(SparseFocalCrossentropy(0)(labels, scores, sample_weight=weights)) == pytest.approx(
        float(plain), rel=1e-5
    )


def test_it_can_be_made_again():
    loss = SparseFocalCrossentropy(1.5, name="mine")
    again = SparseFocalCrossentropy.from_config(loss.get_config())
    assert (again.gamma, again.name, again.reduction) == (1.5, "mine", loss.reduction)


def test_a_negative_gamma(says):
    message = "gamma must be at least 0, got -1; 0 is plain cross-entropy."
    with pytest.raises(SettingError, match=says(message)):
        SparseFocalCrossentropy(-1)

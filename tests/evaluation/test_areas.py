"""Areas of one class: scikit-learn's, without its warnings where there is nothing to compare."""

import numpy as np
import pytest

from tfxfer.evaluation.areas import average_precision, mean_of_known, roc_auc

SCORES = np.float32([0.9, 0.4, 0.5])


@pytest.mark.parametrize(
    ("shows", "area", "averaged"),
    [([1, 0, 1], 1, 1), ([1, 1, 0], 1 / 2, (1 + 2 / 3) / 2), ([0, 0, 0], None, 0), ([1, 1, 1], None, 1)],
)
def test_areas_are_those_worked_out_by_hand(shows, area, averaged):
    assert roc_auc(np.array(shows, bool), SCORES) == area
    assert average_precision(np.array(shows, bool), SCORES) == pytest.approx(averaged)


def test_the_mean_is_of_what_is_known():
    assert mean_of_known([0.5, None, 1.0]) == 0.75
    assert mean_of_known([None]) is None

"""set_seed: the same numbers again, from all three sources."""

import random

import numpy as np
import pytest
import tensorflow as tf

from tfxfer.errors import SettingError
from tfxfer.runtime import set_seed


def test_all_three_repeat():
    def draw():
        set_seed(3)
        return random.random(), np.random.rand(), float(tf.random.uniform(()))

    assert draw() == draw()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed, says):
    with pytest.raises(SettingError, match=says(f"seed must be between 0 and 4294967295, got {seed}.")):
        set_seed(seed)

"""Policy and Step: a policy of one's own is as good as a given one."""

import numpy as np

from tfxfer.augment import Policy, Step, augmentation

PICTURE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


def test_a_policy_of_ones_own_runs():
    policy = Policy("mine", "Mirrored.", (Step("HorizontalFlip"),), source="")
    np.testing.assert_array_equal(augmentation(policy)(PICTURE, 0), PICTURE[:, ::-1])


def test_steps_within_steps_run():
    either = Step("OneOf", steps=(Step("HorizontalFlip", p=0.25), Step("VerticalFlip", p=0.75)))
    mine = augmentation(Policy("mine", "Mirrored either way.", (either,), source=""))
    mirrored = sum(bool((mine(PICTURE, seed) == PICTURE[:, ::-1]).all()) for seed in range(400))
    assert 60 < mirrored < 140  # a quarter by weight

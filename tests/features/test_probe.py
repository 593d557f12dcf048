"""linear_probe: separable classes are told apart, numbers are read off, and wrong use is named."""

import numpy as np
import pytest

from tfxfer.errors import SettingError
from tfxfer.features import linear_probe

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.standard_normal((60, 5)).astype(np.float32)
LABELS = (FEATURES @ np.arange(5) > 0).astype(int)


def test_what_a_line_parts_is_told_apart():
    probe = linear_probe(FEATURES[:40], LABELS[:40])
    assert probe.score(FEATURES[40:], LABELS[40:]) > 0.8
    assert set(probe.predict(FEATURES)) == {0, 1}


def test_numbers_are_read_off():
    numbers = np.stack([FEATURES @ np.arange(5), FEATURES[:, 0]], axis=1)
    probe = linear_probe(FEATURES, numbers, task="regression", strength=1e-3)
    assert probe.score(FEATURES, numbers) > 0.999
    assert probe.predict(FEATURES).shape == (60, 2)


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (
            LABELS,
            {"task": "multi_label"},
            "a linear probe learns one class a picture or numbers, not multi_label.",
        ),
        (LABELS[:9], {}, "there are 60 pictures' features and 9 targets."),
        (LABELS, {"strength": 0}, "strength must be above 0, got 0."),
        (
            np.zeros(60),
            {},
            "a linear probe tells classes apart, and there is one alone; give two or more.",
        ),
    ],
    ids=["labels", "lengths", "strength", "classes"],
)
def test_wrong_use_is_named(labels, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        linear_probe(FEATURES, labels, **settings)

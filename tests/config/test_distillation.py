"""Distillation as data: what it is by default, and what it refuses."""

import pytest

from tfxfer import Distillation, SettingError


def test_labels_count_little_by_default():
    taught = Distillation("teacher")
    assert (taught.temperature, taught.alpha) == (4.0, 0.1)
    assert Distillation("teacher", alpha=0).alpha == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"temperature": 0},
            "temperature of the distillation must be above 0, got 0; 1 takes the teacher's answers as they "
            "are.",
        ),
        (
            {"temperature": float("inf")},
            "temperature of the distillation must be above 0, got inf; 1 takes the teacher's answers as they "
            "are.",
        ),
        (
            {"alpha": 1},
            "alpha of the distillation must be in [0, 1), got 1; at 1 the teacher would count for nothing.",
        ),
        (
            {"alpha": -0.5},
            "alpha of the distillation must be in [0, 1), got -0.5; at 1 the teacher would count for "
            "nothing.",
        ),
    ],
    ids=["no temperature", "endless", "labels alone", "below 0"],
)
def test_what_is_out_of_range_is_refused(settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        Distillation("teacher", **settings)

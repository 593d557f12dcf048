"""Guard: one sentence says what fine-tuning was worth, whatever came of it."""

import json
from dataclasses import replace

import pytest

from tfxfer.guards import Guard, Lead

GAINED = Guard(
    measure="accuracy",
    fitted=0.93,
    probe=0.899,
    colours=0.62,
    over_probe=Lead(0.031, -0.012, 0.074),
    over_colours=Lead(0.31, 0.2, 0.4),
    kept="fine-tuned",
    pictures=100,
    seconds=1.5,
)
LOST = replace(GAINED, over_probe=Lead(-0.06, -0.1, -0.021), kept="probe")


@pytest.mark.parametrize(
    ("guard", "sentence"),
    [
        (
            GAINED,
            "fine-tuning gained 3.1 points over the frozen features (95 % -1.2 to 7.4); it is 31.0 above "
            "colours alone.",
        ),
        (
            replace(GAINED, over_probe=Lead(-0.02, -0.06, 0.01), over_colours=Lead(0.05, -0.01, 0.1)),
            "fine-tuning lost 2.0 points against the frozen features (95 % -6.0 to 1.0); it is 5.0 above "
            "colours alone, which may be chance.",
        ),
        (
            LOST,
            "fine-tuning made it worse by 6.0 points (95 % 2.1 to 10.0) than the frozen features; the frozen "
            "backbone with a linear probe is kept.",
        ),
        (
            replace(LOST, kept="fine-tuned"),
            "fine-tuning made it worse by 6.0 points (95 % 2.1 to 10.0) than the frozen features; it is kept "
            "nevertheless, since a linear probe cannot be put into a head like this.",
        ),
        (
            replace(GAINED, measure="mean_absolute_error"),
            "fine-tuning gained 0.031 standard deviations over the frozen features (95 % -0.012 to 0.074); "
            "it is 0.310 above colours alone.",
        ),
    ],
    ids=["gained", "lost", "probe", "other head", "numbers"],
)
def test_it_is_one_sentence(guard, sentence):
    assert str(guard) == sentence


def test_it_goes_into_json():
    document = json.loads(json.dumps(LOST.to_dict()))
    assert document["over_probe"] == {"value": -0.06, "low": -0.1, "high": -0.021}
    assert document["sentence"] == str(LOST)

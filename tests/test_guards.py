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
            "the model is 3.1 points better (95 % -1.2 to 7.4) than a linear probe of the frozen "
            "features, which may be chance, and 31.0 points better (95 % 20.0 to 40.0) than colours "
            "alone.",
        ),
        (
            replace(GAINED, over_probe=Lead(-0.02, -0.06, 0.0), over_colours=Lead(0.05, -0.01, 0.1)),
            "the model is 2.0 points worse (95 % 0.0 to 6.0) than a linear probe of the frozen features,"
            " which may be chance, and 5.0 points better (95 % -1.0 to 10.0) than colours alone, which "
            "may be chance.",
        ),
        (
            replace(GAINED, over_probe=Lead(-0.023, -0.07, 0.0)),
            "the model is 2.3 points worse (95 % 0.0 to 7.0) than a linear probe of the frozen features, "
            "which may be chance, and 31.0 points better (95 % 20.0 to 40.0) than colours alone.",
        ),
        (
            LOST,
            "the model is 6.0 points worse (95 % 2.1 to 10.0) than a linear probe of the frozen features,"
            " and the probe is kept.",
        ),
        (
            replace(LOST, kept="fine-tuned"),
            "the model is 6.0 points worse (95 % 2.1 to 10.0) than a linear probe of the frozen features,"
            " and is kept nevertheless, since its head cannot take the probe.",
        ),
        (
            replace(GAINED, over_probe=Lead(0.0, 0.0, 0.0), kept="probe"),
            "a linear probe of the frozen features is kept, 31.0 points better (95 % 20.0 to 40.0) than "
            "colours alone.",
        ),
        (
            replace(GAINED, measure="mean_absolute_error", over_probe=Lead(0.031, 0.012, 0.074)),
            "the model is 0.031 standard deviations better (95 % 0.012 to 0.074) than a linear probe of "
            "the frozen features, and 0.310 standard deviations better (95 % 0.200 to 0.400) than colours"
            " alone.",
        ),
    ],
    ids=["gained", "lost", "lost at most", "probe", "other head", "no better", "numbers"],
)
def test_it_is_one_sentence(guard, sentence):
    assert str(guard) == sentence


def test_it_goes_into_json():
    document = json.loads(json.dumps(LOST.to_dict()))
    assert document["over_probe"] == {"value": -0.06, "low": -0.1, "high": -0.021}
    assert document["sentence"] == str(LOST)

"""What came of a search: in order, counted, as a table and as plain values."""

import json
from types import SimpleNamespace

from tfxfer.searching import JudgedBy, Search, Trial
from tfxfer.searching.outcome import ranked


def trial(number, value, state="complete", **more):
    settings = {"head_rate": 10.0 ** -(number + 1), "mix": None if number % 2 else "mixup"}
    figures = {"loss": value, "accuracy": 1 - value} if state == "complete" else {}
    return Trial(number, state, settings, value, figures, epochs=3 + number, seconds=1.5, **more)


TRIALS = (
    trial(0, 0.5),
    trial(1, 0.25),
    trial(2, None, "diverged", note="it did"),
    trial(3, 0.25),
    trial(4, 0.9, "pruned"),
)


def search(folder, shares):
    """A search of these trials; what a run gives to the table is all of it that is here."""
    headline = SimpleNamespace(name="accuracy", value=0.75)
    split = SimpleNamespace(validation=range(9), test=range(12))
    run = SimpleNamespace(
        report=SimpleNamespace(headline=headline),
        photos=SimpleNamespace(split=split),
        to_dict=lambda: {"test_accuracy": 0.75},
    )
    return Search(TRIALS, JudgedBy("loss"), shares, run, folder, 12.345)


def test_trials_are_ranked_by_their_judge_and_of_equals_by_their_turn():
    assert [each.number for each in ranked(TRIALS, JudgedBy("loss"))] == [1, 3, 0]
    assert [each.number for each in ranked(TRIALS, JudgedBy("accuracy", higher=True))] == [0, 1, 3]


def test_it_prints_a_table(tmp_path):
    shares = {"head_rate": 0.751, "mix": 0.249}
    assert str(search(tmp_path, shares)).splitlines() == [
        "trial   loss  accuracy  epochs  seconds  head_rate    mix",
        "    1  0.250     0.750       4      1.5       0.01   none",
        "    3  0.250     0.750       6      1.5     0.0001   none",
        "    0  0.500     0.500       3      1.5        0.1  mixup",
        "",
        "What made the difference: head_rate 75%, mix 25%.",
        "",
        "5 trials (1 pruned, 1 diverged), by loss on 9 validation pictures.",
        f"Trial 1 again: accuracy 0.750 on 12 test pictures, in {tmp_path / 'best'}.",
    ]
    assert "What made" not in str(search(tmp_path, {}))


def test_it_is_plain_values_for_json(tmp_path):
    plain = json.loads(json.dumps(search(tmp_path, {"head_rate": 1.0}).to_dict()))
    assert plain["judged_by"] == "validation_loss"
    assert plain["best"] == {
        "number": 1,
        "state": "complete",
        "value": 0.25,
        "validation_loss": 0.25,
        "validation_accuracy": 0.75,
        "settings": {"head_rate": 0.01, "mix": None},
        "epochs": 4,
        "seconds": 1.5,
    }
    assert plain["trials"][2]["note"] == "it did"
    assert (plain["seconds"], plain["run"]) == (12.35, {"test_accuracy": 0.75})

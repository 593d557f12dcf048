"""Ranking: a table for people, plain values for JSON."""

import json
from dataclasses import replace

from tfxfer.features import Estimate, RankedBackbone, Ranking

ENTRIES = (
    RankedBackbone(
        "big",
        probe=Estimate(0.9, 0.85, 0.95),
        neighbours=Estimate(0.8, 0.7, 0.9),
        log_me=Estimate(-0.5, -0.53, -0.47),
        h_score=Estimate(1.25, 1.05, 1.45),
        parameters=5_000_000,
        macs=300_774_272,
        size=None,
        latency=None,
    ),
    RankedBackbone(
        "small",
        probe=Estimate(0.7, 0.6, 0.8),
        neighbours=Estimate(0.6, 0.5, 0.7),
        log_me=Estimate(-0.75, -0.76, -0.74),
        h_score=Estimate(1.0, 0.5, 1.5),
        parameters=400_000,
        macs=9_000_000,
        size=1_600_000,
        latency=0.0021,
        on_front=True,
    ),
)
RANKING = Ranking(ENTRIES, 1234, {"vgg16": "no weights"})


def test_the_table_has_a_row_a_candidate_and_says_what_to_believe():
    assert str(RANKING).splitlines() == [
        "backbone                           probe            95 %    5-NN          LogME       H-score"
        "   parameters"
        "    MACs      MB      ms",
        "big                                90.0%  85.0% to 95.0%   80.0%  -0.500 ±0.030    1.25 ±0.20"
        "    5,000,000"
        "    301M       -       -",
        "small *                            70.0%  60.0% to 80.0%   60.0%  -0.750 ±0.010    1.00 ±0.50"
        "      400,000"
        "   9.00M     1.6     2.1",
        "vgg16: left out, no weights",
        "1,234 training pictures. *: none is as fast and better by the probe.",
        "How far scores can be believed: over eight data sets, LogME and the H-score order networks as "
        "fine-tuning does with a weighted Kendall's tau of 0.67 on average (TLlib, model selection). The "
        "probe measures these very pictures, with the backbone frozen.",
    ]


def columns_of(task):
    told = [replace(entry, h_score=None) for entry in ENTRIES]
    return Ranking((*told[:1], replace(told[1], probe=Estimate(-0.25, -0.5, 0.0))), 50, {}, task)


def test_the_table_of_numbers_has_r_squared_and_no_h_score():
    assert str(columns_of("regression")).splitlines() == [
        "backbone                           probe            95 %    5-NN          LogME   parameters"
        "    MACs      MB      ms",
        "big                                0.900  0.850 to 0.950   0.800  -0.500 ±0.030    5,000,000"
        "    301M       -       -",
        "small *                           -0.250 -0.500 to 0.000   0.600  -0.750 ±0.010      400,000"
        "   9.00M     1.6     2.1",
        "50 training pictures. *: none is as fast and better by the probe.",
        "Probe and 5-NN by R²; the H-score is of one class a picture, and left out.",
        "The probe measures these very pictures, with the backbone frozen.",
    ]


def test_the_table_of_several_labels_has_shares():
    lines = str(columns_of("multi_label")).splitlines()
    assert lines[1].split()[:3] == ["big", "90.0%", "85.0%"]
    assert lines[-2].startswith("Probe and 5-NN by mean average precision; ")


def test_it_goes_into_json():
    document = json.loads(json.dumps(RANKING.to_dict()))
    assert (document["task"], document["measure"]) == ("single_label", "accuracy")
    assert (document["images"], document["left_out"]) == (1234, {"vgg16": "no weights"})
    assert [entry["name"] for entry in document["backbones"]] == ["big", "small"]
    assert document["backbones"][0]["probe"] == {"value": 0.9, "low": 0.85, "high": 0.95}
    assert document["backbones"][1]["h_score"] == {"value": 1.0, "low": 0.5, "high": 1.5}
    assert document["backbones"][1]["on_front"]

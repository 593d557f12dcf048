"""best_int8: the better converter, and a treatment where both fall short."""

from dataclasses import replace

import numpy as np
import pytest

from tfxfer.exports.parity import EXACT, Bounds, Yardstick
from tfxfer.exports.quantizing import doctor
from tfxfer.exports.quantizing.converter import converted
from tfxfer.exports.quantizing.doctor import Referee, best_float16, best_int8, best_int16x8
from tfxfer.exports.quantizing.halving import halved
from tfxfer.exports.quantizing.quantizer import Quantizer

BOUNDS = Bounds(agreement=0.8, loss=0.2)  # trained little, many pictures are near the border


@pytest.fixture(scope="module")
def quantizer(float32, images):
    return Quantizer(float32, images)


@pytest.fixture(scope="module")
def int8(saved, images):
    return converted(saved, "int8", representative=images)


@pytest.fixture
def referee(photos, images, expected):
    truth = expected.argmax(axis=1)
    yardstick = Yardstick("single_label", expected, np.ones(expected.shape[1]), truth, photos.classes)
    return Referee(images, yardstick, BOUNDS)


def test_the_better_of_two_is_taken_where_it_holds_up(quantizer, int8, referee, float32, monkeypatch):
    monkeypatch.setattr(doctor, "_AIM", {"single_label": 1.0})
    trials = best_int8(referee, lambda: int8, quantizer, largest=len(float32))
    assert {trial.by for trial in trials} == {"TensorFlow", "ai-edge-quantizer"}
    assert len(trials) == 2
    assert trials[1].found.mean_difference <= trials[0].found.mean_difference
    assert trials[1].healthy
    assert trials[1].milliseconds > 0


def test_where_neither_does_operations_stay_float_until_one_does(
    quantizer, int8, referee, float32, monkeypatch
):
    plain = best_int8(referee, lambda: int8, quantizer, largest=len(float32))[:2]
    aim = min(trial.found.mean_difference for trial in plain) / 2
    monkeypatch.setattr(doctor, "_AIM", {"single_label": aim})
    monkeypatch.setattr(doctor, "_BUDGET", 1.0)
    best = best_int8(referee, lambda: int8, quantizer, largest=len(float32))[-1]
    assert best.healthy
    assert best.found.mean_difference <= aim
    assert 0 < len(best.floating) < len(quantizer.operations)
    told = "1 operation" if len(best.floating) == 1 else f"{len(best.floating)} operations"
    assert str(best) == f"ai-edge-quantizer, {told} in float32"
    assert len(best.to_dict()["floating"]) == len(best.floating)


def test_no_more_is_spent_than_may_be(quantizer, int8, referee, float32, monkeypatch):
    monkeypatch.setattr(doctor, "_AIM", {"single_label": 0.0})
    trials = best_int8(referee, lambda: int8, quantizer, largest=len(float32))
    assert all(len(trial.model) <= len(float32) / 2 for trial in trials)
    assert not trials[-1].healthy


def test_those_stay_first_that_change_most_when_they_alone_are_int8(quantizer, images, expected, monkeypatch):
    """Three operations, of which one does most harm, and one does as much as the third but saves more."""
    first, second, third = quantizer.operations[2:5]
    harm = {first: (0.1, 50), second: (0.3, 50), third: (0.1, 80)}

    class Harmful:
        operations = (third, first, second)

        def quantized(self, floating):
            """Give as many bytes as it would take, each telling the harm in hundredths."""
            alone = [harm[each] for each in self.operations if each not in floating]
            (worst, saved), *_ = alone or [(0, 0)]
            return bytes([round(100 * worst)]) * (100 - saved)

    class Scores:
        def __init__(self, model):
            self.harm = model[0] / 100

        def all_scores(self, _):
            return expected + self.harm

    monkeypatch.setattr(doctor, "LiteRTModel", Scores)
    assert doctor._by_effect(Harmful(), images, expected) == [second, first, third]


def test_what_is_past_its_bounds_ranks_last(quantizer, int8, referee, float32):
    best = best_int8(referee, lambda: int8, quantizer, largest=len(float32))[-1]
    assert replace(best, complaint="loses").rank < best.rank


@pytest.fixture
def halves(saved, float32):
    return {"by_tensorflow": converted(saved, "float16"), "by_quantizer": halved(float32)}


def test_of_float16_files_the_nearer_one_is_taken(referee, halves):
    other, best = best_float16(referee, **halves)
    assert {other.by, best.by} == {"TensorFlow", "ai-edge-quantizer"}
    assert best.found.mean_difference <= other.found.mean_difference


def test_not_where_it_is_much_larger(referee, halves, float32):
    """The float32 file is nearest of all, and twice as large."""
    other, best = best_float16(referee, **{**halves, "by_quantizer": float32})
    assert other.found.mean_difference < best.found.mean_difference
    assert best.model == halves["by_tensorflow"]


def test_what_does_not_run_is_told_and_not_taken(referee, halves, quantizer, float32, monkeypatch):
    broken = b"no model" * 10
    other, best = best_float16(referee, **{**halves, "by_quantizer": broken})
    assert (best.by, other.found, other.milliseconds) == ("TensorFlow", None, None)
    assert other.to_dict()["fails"] == other.complaint
    assert other.complaint.startswith("does not run (LiteRT cannot load what was converted: ")
    monkeypatch.setattr(doctor, "_AIM", {"single_label": 1.0})
    other, best = best_int8(referee, lambda: broken, quantizer, largest=len(float32))
    assert (best.by, best.to_dict()["fails"], other.found) == ("ai-edge-quantizer", "", None)


def test_int16x8_is_whole_where_it_holds_up(referee, float32, images):
    (only,) = best_int16x8(referee, Quantizer(float32, images, "int16x8"))
    assert (only.floating, only.complaint) == ((), "")


def test_where_it_does_not_the_first_operations_stay_float(referee, float32, images):
    strict = replace(referee, bounds=EXACT)
    quantizer = Quantizer(float32, images, "int16x8")
    other, best = best_int16x8(strict, quantizer)
    assert {other.floating, best.floating} == {(), tuple(quantizer.first)}
    assert best.found.mean_difference <= other.found.mean_difference

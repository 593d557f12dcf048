"""rank: candidates run once over training pictures, scored, costed and put in order."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

import tfxfer
from tfxfer.contracts import Split
from tfxfer.errors import DataError, SettingError, WeightsError
from tfxfer.features import Estimate, Extraction, RankedBackbone, engines, ranking

SMALL = {"weights": None, "image_size": 32, "progress": False}


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return tfxfer.from_folder(shared_pictures)


@pytest.fixture(scope="module")
def ranked(photos):
    return tfxfer.rank(photos, ["micro", "mobilenet_025"], **SMALL)


def test_each_candidate_is_scored_and_costed(ranked, photos):
    assert {entry.name for entry in ranked.entries} == {"micro", "mobilenet_025"}
    assert ranked.images == len(photos.split.train)
    assert not ranked.left_out
    for entry in ranked.entries:
        assert 0 <= entry.probe.low <= entry.probe.value <= entry.probe.high <= 1
        assert 0 <= entry.neighbours.low <= entry.neighbours.value <= entry.neighbours.high <= 1
        assert entry.h_score.value >= 0
        for score in (entry.log_me, entry.h_score):
            assert score.low <= score.value <= score.high < np.inf
        assert entry.parameters == tfxfer.BACKBONES[entry.name].parameters
        assert entry.size > 4 * 0.9 * entry.parameters
        assert entry.latency > 0
    values = [entry.probe.value for entry in ranked.entries]
    assert values == sorted(values, reverse=True)


def test_what_was_computed_is_not_computed_again(photos, ranked, monkeypatch):
    monkeypatch.setattr(Extraction, "compute", None)
    assert tfxfer.rank(photos, ["micro"], **SMALL).entries[0].probe == next(
        entry.probe for entry in ranked.entries if entry.name == "micro"
    )


def test_where_lite_cannot_run_one_it_has_no_latency(photos, monkeypatch):
    def fail(_):
        raise RuntimeError("no such operator")

    monkeypatch.setattr(engines, "convert", fail)
    console = Console(file=io.StringIO(), width=200)
    (found,) = tfxfer.rank(photos, ["micro"], **SMALL | {"progress": True, "console": console}).entries
    reason = "LiteRT cannot run it (RuntimeError: no such operator)"
    assert console.file.getvalue().startswith(f"micro by TensorFlow, since {reason}:\n")
    assert (found.size, found.latency) == (None, None)


def entry(name, probe, latency):
    share = Estimate(probe, probe, probe)
    return RankedBackbone(name, share, share, share, share, 1, 1, 1, latency)


def test_the_front_is_what_nothing_beats():
    entries = [
        entry("slow", 0.9, 9.0),
        entry("bad", 0.6, 5.0),
        entry("fast", 0.7, 1.0),
        entry("no", 0.8, None),
    ]
    ordered = ranking._in_order(entries)
    assert [(each.name, each.on_front) for each in ordered] == [
        ("slow", True),
        ("no", False),
        ("fast", True),
        ("bad", False),
    ]


def test_a_candidate_without_weights_is_left_out_and_told(photos, monkeypatch):
    real = ranking.build

    def build(photos, *, backbone, **settings):
        if backbone != "micro":
            raise WeightsError(f"no weights for {backbone}")
        return real(photos, backbone=backbone, **settings)

    monkeypatch.setattr(ranking, "build", build)
    found = tfxfer.rank(photos, ["micro", "vgg16"], **SMALL)
    assert found.left_out == {"vgg16": "no weights for vgg16"}
    assert "\nvgg16: left out, no weights for vgg16\n" in str(found)
    with pytest.raises(WeightsError, match=r"^no weights for vgg16$"):
        tfxfer.rank(photos, ["vgg16"], **SMALL)


def test_a_sample_has_its_share_of_each_class(photos):
    train = [index for index in photos.split.train if photos.records[index].label != 2]
    train += [index for index in photos.split.train if photos.records[index].label == 2][:3]
    uneven = dataclasses.replace(photos, split=Split(tuple(train), (), (), seed=0))
    indices, labels = ranking._sample(uneven, 16, 0)
    assert len(set(indices)) == len(labels) == 16
    assert np.bincount(labels).tolist() == [7, 7, 2]
    assert [photos.records[index].label for index in indices] == labels.tolist()
    assert ranking._sample(uneven, 16, 0)[0] == indices != ranking._sample(uneven, 16, 1)[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": 9}, "images must be at least 10, got 9; 500 to 2000 tell backbones apart."),
        ({"max_macs": "1k"}, "no backbone is within these limits; loosen them, or name others."),
    ],
    ids=["images", "limits"],
)
def test_bad_settings_say_what_to_do(photos, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.rank(photos, **settings)


def test_an_unknown_name_is_answered_with_the_nearest(photos):
    with pytest.raises(SettingError, match=r"^no backbone 'micr'; did you mean 'micro'\?"):
        tfxfer.rank(photos, ["micr"])


@pytest.fixture(scope="module")
def one_number(shared_pictures, tmp_path_factory):
    table = tmp_path_factory.mktemp("tables") / "number.csv"
    rows = [f"{colour}/{i:02}.png,{red}" for colour, red in (("red", 210), ("green", 40)) for i in range(20)]
    table.write_text("\n".join(["path,label", *rows]))
    return tfxfer.from_table(table, root=shared_pictures, task="regression")


@pytest.mark.parametrize("task", ["tags", "one_number"])
def test_several_labels_and_numbers_are_compared_by_what_is_defined_for_them(task, request):
    photos = request.getfixturevalue(task)
    ranked = tfxfer.rank(photos, ["micro"], images=20, **SMALL)
    assert (ranked.task, ranked.images) == (photos.task, 20)
    assert ranked.measure == {"tags": "mean average precision", "one_number": "R²"}[task]
    (found,) = ranked.entries
    assert found.h_score is None
    for score in (found.probe, found.neighbours):
        assert score.low <= score.value <= score.high <= 1
        assert photos.task == "regression" or score.low >= 0
    assert found.log_me.low <= found.log_me.value <= found.log_me.high < np.inf


def test_the_front_is_found_among_negative_values_too():
    ordered = ranking._in_order([entry("slow", -0.5, 9.0), entry("fast", -3.0, 1.0)])
    assert [(each.name, each.on_front) for each in ordered] == [("slow", True), ("fast", True)]


def test_a_class_with_one_picture_is_named(photos, says):
    train = [index for index in photos.split.train if photos.records[index].label != 2]
    train.append(next(index for index in photos.split.train if photos.records[index].label == 2))
    lonely = dataclasses.replace(photos, split=Split(tuple(train), (), (), seed=0))
    message = "class 'red' has 1 training picture, and a comparison needs 2; add some."
    with pytest.raises(DataError, match=says(message)):
        tfxfer.rank(lonely, ["micro"])

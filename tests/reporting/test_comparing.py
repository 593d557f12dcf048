"""compare: the same pictures for all, intervals of what differs, McNemar's test; refusals told whole."""

import json
import shutil
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import tfxfer
from tests.conftest import write_pictures
from tfxfer.errors import DataError, SettingError
from tfxfer.reporting.comparing import _values, paired


@pytest.fixture(scope="module")
def other(run, tmp_path_factory):
    """A model of the same split that has hardly learnt."""
    model = tfxfer.build(run.photos, backbone="micro", image_size=32, seed=5)
    log = tfxfer.fit(model, run.photos, plan=[tfxfer.Phase("head", epochs=1, rate=1e-4)], progress=False)
    target = tmp_path_factory.mktemp("compared") / "other"
    tfxfer.export(model, target, run.photos, log=log, formats=("tflite",))
    return target


@pytest.fixture(scope="module")
def found(bundle, other):
    return tfxfer.compare([bundle, other])


def test_each_figure_is_that_of_the_report(found, bundle, other, run):
    assert (found.task, found.figure, found.pictures, found.left_out) == (
        "single_label",
        "accuracy",
        len(run.photos.split.test),
        0,
    )
    first, second = found.models
    assert (first.folder, first.backbone, first.value) == (bundle, "micro", run.report.accuracy)
    assert first.interval == pytest.approx(run.report.intervals["accuracy"], abs=1e-6)
    assert second.value == json.loads((other / "card.json").read_text())["test"]["accuracy"]


def test_the_difference_is_counted_picture_by_picture(found, bundle, other, run):
    paths = run.photos.paths("test")
    truth = np.asarray(run.photos.labels("test"))
    first, second = (tfxfer.load(folder).scores(paths).argmax(axis=1) == truth for folder in (bundle, other))
    (difference,) = found.differences
    assert difference.only_first == int((first & ~second).sum()) > 0
    assert difference.only_this == int((second & ~first).sum())
    assert difference.difference == pytest.approx(second.mean() - first.mean())
    assert difference.interval.low < difference.difference < difference.interval.high


def test_it_prints_and_is_json(found, bundle, other):
    text = str(found)
    assert text.startswith(f"accuracy on {found.pictures} pictures [95 % interval]\n\n{bundle}  ")
    assert f"less that of {bundle}:" in text
    assert "McNemar p " in text
    assert json.loads(json.dumps(found.to_dict()))["differences"][0]["folder"] == str(other)


def pictures(only_first, only_this, both, neither):
    first = np.repeat([1.0, 0.0, 1.0, 0.0], [only_first, only_this, both, neither])
    own = np.repeat([0.0, 1.0, 1.0, 0.0], [only_first, only_this, both, neither])
    return own, first


@pytest.mark.parametrize(
    ("only_first", "only_this", "p_value"),
    [
        (7, 1, 2 * (comb(8, 0) + comb(8, 1)) / 2**8),
        (1, 7, 2 * (comb(8, 0) + comb(8, 1)) / 2**8),
        (4, 4, 1.0),
        (0, 10, 2 / 2**10),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_s_test_is_the_exact_one(only_first, only_this, p_value):
    own, first = pictures(only_first, only_this, 20, 5)
    difference = paired(Path("b"), own, first, counted=True)
    assert (difference.only_first, difference.only_this) == (only_first, only_this)
    assert difference.p_value == pytest.approx(p_value)
    assert difference.difference == pytest.approx((only_this - only_first) / len(own))


def test_a_difference_is_a_line():
    own, first = pictures(7, 1, 20, 5)
    low, high = (100 * end for end in paired(Path("b"), own, first, counted=True).interval)
    assert str(paired(Path("b"), own, first, counted=True)) == (
        f"-18.2 [{low:+.1f}, {high:+.1f}] points  right alone: 1, the first 7; McNemar p 0.0703"
    )
    assert str(paired(Path("b"), own[:1], first[:1], counted=False)) == "-1.000"
    little = np.array([0.0, -0.0004])
    assert str(paired(Path("b"), little, np.zeros(2), counted=False)) == "+0.000 [+0.000, +0.000]"


def test_the_paired_interval_is_that_of_the_bootstrap():
    own, first = pictures(40, 15, 300, 45)
    found = paired(Path("b"), own, first, counted=True).interval
    expected = scipy.stats.bootstrap(
        (own - first,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert found == pytest.approx(tuple(expected), abs=0.006)
    # By hand: the mean is -25/400, its standard error the root of (55/400 - mean²)/400.
    error = np.sqrt((55 / 400 - (25 / 400) ** 2) / 400)
    assert found == pytest.approx((-25 / 400 - 1.96 * error, -25 / 400 + 1.96 * error), abs=0.006)


def test_what_counts_as_right():
    scores = np.array([[0.9, 0.1], [0.6, 0.7]], np.float32)
    assert _values("single_label", scores, np.array([0, 0])).tolist() == [1, 0]
    several = np.array([[1, 0], [1, 0]], np.float32)
    assert _values("multi_label", scores, several).tolist() == [1, 0]
    numbers, truth = np.array([[1.0], [4.0]], np.float32), np.array([[0.0], [2.0]], np.float32)
    assert _values("regression", numbers, truth).tolist() == [1, 2]  # standard deviation 1


def test_numbers_are_compared_by_how_far_they_are_off(of_task):
    photos, _, _, target, _ = of_task["regression"]
    found = tfxfer.compare([target, target], photos=photos)
    assert found.figure == "standardized_error"
    assert found.pictures == len(photos.split.test)
    assert found.left_out == len(photos) - found.pictures
    (difference,) = found.differences
    assert difference.p_value is None
    assert difference.difference == 0
    pictures = len(photos.split.test)
    assert str(found).startswith(
        f"standardized error on {pictures} pictures [95 % interval]: the lower, the better\n"
    )
    assert "pictures left out: a model was trained or chosen on them." in str(found)


def test_given_pictures_count_unless_a_model_has_seen_them(bundle, other, table, tmp_path, says):
    message = (
        f"a model was trained on every picture in {tmp_path / 'seen.csv'}; give pictures that none has seen."
    )
    split = json.loads((bundle / "split.json").read_text())
    shutil.copy(table.parent / split["train"][0]["path"], tmp_path)
    (tmp_path / "seen.csv").write_text(f"path,label\n{split['train'][0]['path']},blue\n")
    with pytest.raises(DataError, match=says(message)):
        tfxfer.compare([bundle, other], photos=tmp_path / "seen.csv")
    found = tfxfer.compare([bundle, other], photos=table)
    assert found.pictures == len(split["test"])
    assert found.left_out == 120 - found.pictures


def test_refusals(bundle, other, of_task, tmp_path, says):
    with pytest.raises(SettingError, match=says("a comparison takes two folders or more, got 1.")):
        tfxfer.compare([bundle])
    foreign = of_task["multi_label"][3]
    message = (
        f"{foreign} is for multi_label of blue, green, red, round, and {bundle} for single_label of "
        '<b>&"|*, blue, green; give models of the same.'
    )
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.compare([bundle, foreign])
    photos = tfxfer.from_folder(write_pictures(tmp_path / "pictures"))
    message = (
        f'the models are for single_label of <b>&"|*, blue, green, and {photos.source} for single_label of '
        "blue, green, red; give pictures of the same."
    )
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.compare([bundle, other], photos=photos)


def test_other_test_pictures_are_refused(bundle, run, tmp_path, says):
    photos = run.photos
    turned = replace(
        photos, split=replace(photos.split, validation=photos.split.test, test=photos.split.validation)
    )
    target = tmp_path / "turned"
    tfxfer.export(run.model, target, turned, formats=("tflite",))
    message = (
        f"{bundle} and {target} were not judged on the same pictures; give some that none has learnt from "
        "(photos=…, --photos)."
    )
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.compare([bundle, target])

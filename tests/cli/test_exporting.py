"""tfxfer export: what it prints, and how it leaves."""

import json
import shutil
from pathlib import Path

import pytest

from tfxfer import build, convert, export, from_folder
from tfxfer.cli import exporting
from tfxfer.cli.main import main
from tfxfer.exports import Artifact, Comparison


@pytest.fixture(scope="module")
def bundle(shared_pictures, tmp_path_factory):
    """A model that was never trained, and is what it is in every form."""
    photos = from_folder(shared_pictures)
    folder = tmp_path_factory.mktemp("exported") / "bundle"
    model = build(photos, backbone="micro", image_size=32)
    export(model, folder, photos, formats=["keras"], settings={"source": str(shared_pictures)})
    return folder


@pytest.fixture
def command(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["export", *map(str, arguments)])
        return left.value.code, capsys.readouterr()

    return run


def test_scripts_get_a_document_of_all_forms(bundle, command, tmp_path):
    folder = shutil.copytree(bundle, tmp_path / "bundle")
    status, told = command(folder, "--formats", "tflite-float16", "--json")
    assert status == 0, told.err
    outcome = json.loads(told.out)
    assert set(outcome) == {"tflite-float16"}
    file = folder / "model-float16.tflite"
    assert outcome["tflite-float16"]["file"] == str(file)
    assert outcome["tflite-float16"]["bytes"] == file.stat().st_size
    assert outcome["tflite-float16"]["passed"] is True
    assert outcome["tflite-float16"].keys() >= {"agreement", "accuracy", "accuracy_change"}
    assert len(outcome["tflite-float16"]["tried"]) == 2


def test_one_that_was_refused_is_told_and_the_status_is_1(command, monkeypatch, bundle, tmp_path):
    folder = shutil.copytree(bundle, tmp_path / "bundle")

    def refusing(*given, **settings):
        return [
            type(each)(each.format, each.path, each.size, each.comparison, refused="loses")
            for each in convert(*given, **settings)
        ]

    monkeypatch.setattr(exporting.tfxfer, "convert", refusing)
    status, told = command(folder, "--formats", "tflite-float16")
    assert status == 1
    assert told.out.startswith("model-float16.tflite, refused  ")


def test_numbers_are_not_right_but_off():
    """The merit of numbers is how far off they are, with a minus before it."""
    found = Comparison(50, 9, 0.72, 0.19, 0.05, -0.766, -0.0124, (-0.02, 0.00004))
    int8 = Artifact("tflite-int8", Path("model-int8.tflite"), 720_000, found, refused="says otherwise")
    assert exporting.forms_table([int8], "regression") == (
        "model-int8.tflite, refused  0.72 MB  the same of 72.0% of 50 pictures, off by 0.766 standard "
        "deviations (+0.012, 95 % +0.000 to +0.020), mean difference 5.0e-02"
    )


def test_labels_are_right_and_what_is_none_has_no_sign():
    found = Comparison(50, 1, 0.98, 0.1, 0.01, 0.9, -0.0, (-0.02, 0.0), calibration_error_change=-0.0001)
    file = Artifact("tflite", Path("b/model.tflite"), 1_620_000, found, made="by hand")
    assert exporting.forms_table([file], "single_label") == (
        "b/model.tflite  1.62 MB  the same of 98.0% of 50 pictures, right 90.0% (+0.0, 95 % -2.0 to +0.0), "
        "mean difference 1.0e-02, calibration error +0.0  (by hand)"
    )


def test_what_was_tried_is_told_from_the_smallest_on():
    found = Comparison(20, 1, 0.95, 0.2, 0.01, -0.73, -0.004, (-0.01, 0.0001))
    trials = (
        {"made": "B", "bytes": 700_000, "accuracy": -0.8, "mean_difference": 0.02, "milliseconds": 3.2},
        {"made": "A", "bytes": 600_000, "accuracy": -0.7, "mean_difference": 0.01, "milliseconds": 2.1},
    )
    told = {"made": "A", "tried": trials, "ranges_from": 80, "accepted": "is further off"}
    int8 = Artifact("tflite-int8", Path("model-int8.tflite"), 610_000, found, **told)
    first, *rest = exporting.forms_table([int8], "regression").splitlines()
    assert first.startswith("model-int8.tflite, past its bounds  0.61 MB  ")
    assert first.endswith("mean difference 1.0e-02  (A, ranges of 80 training pictures)")
    assert rest == [
        "    taken  0.60 MB  2.10 ms a picture  off by 0.700 standard deviations  mean difference 1.0e-02  A",
        "    tried  0.70 MB  3.20 ms a picture  off by 0.800 standard deviations  mean difference 2.0e-02  B",
    ]


def test_what_does_not_run_has_no_figures():
    trial = {"made": "A", "bytes": 600_000, "accuracy": None, "mean_difference": None, "milliseconds": None}
    told = {"refused": "does not run (why)", "made": "A", "tried": ({**trial, "made": "B"}, trial)}
    int8 = Artifact("tflite-int8", Path("model-int8.tflite"), 610_000, None, **told)
    assert exporting.forms_table([int8], "regression").splitlines() == [
        "model-int8.tflite, refused  0.61 MB  does not run (why)  (A)",
        "    tried  0.60 MB  does not run  B",
        "    taken  0.60 MB  does not run  A",
    ]


def test_a_misspelt_form_is_a_wrong_setting(command, tmp_path):
    status, told = command(tmp_path, "--formats", "tflite-int9")
    assert status == 2
    assert told.err.startswith("tfxfer: no export format 'tflite-int9'; did you mean 'tflite-int8'?")

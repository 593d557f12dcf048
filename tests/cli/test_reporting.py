"""tfxfer report and tfxfer compare, as a person types them."""

import json
import shutil

import pytest

import tfxfer
from tfxfer.cli.main import main
from tfxfer.reporting import REPORT_FILES


@pytest.fixture(scope="module")
def trained(shared_pictures, tmp_path_factory):
    target = tmp_path_factory.mktemp("told") / "model"
    options = ["--backbone", "micro", "--image-size", "32", "--head-epochs", "1", "--top-epochs", "0"]
    formats = ["--formats", "keras,tflite", "--no-report"]
    with pytest.raises(SystemExit) as left:
        main(["train", str(shared_pictures), "--to", str(target), *options, *formats])
    assert left.value.code == 0
    return target


def run(capfd, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(each) for each in arguments])
    return left.value.code, *capfd.readouterr()


def test_report_writes_what_train_was_told_to_leave_out(capfd, trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "model")
    assert not (folder / "report.html").exists()
    status, output, _ = run(capfd, "report", folder)
    assert status == 0
    assert output.splitlines() == [str(folder / name) for name in REPORT_FILES]
    status, output, _ = run(capfd, "report", folder, "--json")
    told = json.loads(output)
    assert told["headline"]["name"] == "accuracy"
    assert told["label_errors"]["reason"] is not None
    status, output, _ = run(capfd, "report", folder, "--label-errors", "--json")
    assert status == 0
    assert json.loads(output)["label_errors"]["pictures"] == 60


def test_compare_tells_and_refuses(capfd, trained):
    status, output, _ = run(capfd, "compare", trained, trained)
    assert status == 0
    assert output == f"{tfxfer.compare([trained, trained])}\n"
    status, output, _ = run(capfd, "compare", trained, trained, "--json")
    assert json.loads(output)["differences"][0]["p_value"] == 1
    status, output, errors = run(capfd, "compare", trained)
    assert (status, output) == (2, "")
    assert errors == "tfxfer: a comparison takes two folders or more, got 1.\n"

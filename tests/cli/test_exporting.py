"""tfxfer export: what it prints, and how it leaves."""

import json
import shutil

import pytest

from tfxfer import build, convert, export, from_folder
from tfxfer.cli import exporting
from tfxfer.cli.main import main


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
    assert told.out.startswith("model-float16.tflite, refused  0.")


def test_a_misspelt_form_is_a_wrong_setting(command, tmp_path):
    status, told = command(tmp_path, "--formats", "tflite-int9")
    assert status == 2
    assert told.err.startswith("tfxfer: no export format 'tflite-int9'; did you mean 'tflite-int8'?")

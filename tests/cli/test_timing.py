"""tfxfer benchmark: a line or an entry a file."""

import json

import pytest

from tfxfer import build, export, from_folder
from tfxfer.cli.main import main


@pytest.fixture(scope="module")
def bundle(shared_pictures, tmp_path_factory):
    photos = from_folder(shared_pictures)
    folder = tmp_path_factory.mktemp("timed") / "bundle"
    export(build(photos, backbone="micro", image_size=32), folder, photos, formats=["tflite"])
    return folder


@pytest.fixture
def command(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["benchmark", *map(str, arguments)])
        return left.value.code, capsys.readouterr()

    return run


def test_scripts_get_an_entry_a_file_and_number_of_threads(bundle, command):
    status, told = command(bundle, "--threads", "1,2", "--runs", "3", "--json")
    assert status == 0, told.err
    assert [each["threads"] for each in json.loads(told.out)] == [1, 2]


def test_people_get_a_line(bundle, command):
    status, told = command(bundle, "--runs", "3")
    assert status == 0, told.err
    assert told.out.startswith("tflite            1 thread  ")


def test_threads_are_numbers(bundle, command):
    status, told = command(bundle, "--threads", "all")
    assert status == 2
    assert told.err == "tfxfer: --threads must be numbers with commas between, such as 1,2, got 'all'.\n"

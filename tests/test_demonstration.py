"""demo: the whole job on scanned digits, well enough to be believed."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tfxfer.demonstration import demo, write_digits
from tfxfer.errors import SettingError


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return demo(tmp_path_factory.mktemp("demo") / "here")


@pytest.mark.slow
def test_it_reaches_97_percent(outcome):
    assert outcome.run.report.accuracy >= 0.97


@pytest.mark.slow
def test_it_says_what_it_did(outcome):
    text = str(outcome)
    for said in ("1,797 scanned digits", "'micro'", "model.tflite", "tfxfer train FOLDER --to DIR"):
        assert said in text


@pytest.mark.slow
def test_it_goes_into_json(outcome):
    assert json.loads(json.dumps(outcome.to_dict()))["truth"] == outcome.truth


def test_the_pictures_are_the_scans(tmp_path):
    write_digits(tmp_path)
    digits = load_digits()
    files = sorted(tmp_path.rglob("*.png"), key=lambda file: file.name)
    assert len(files) == 1797
    for index in (0, 1, 1000):
        assert files[index].parent.name == str(digits.target[index])
        pixels = np.asarray(Image.open(files[index])).astype(float)
        np.testing.assert_allclose(pixels * 16 / 255, digits.images[index], atol=0.05)


def test_a_folder_that_is_there_is_refused(tmp_path):
    with pytest.raises(SettingError, match="exists already"):
        demo(tmp_path)

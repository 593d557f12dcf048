"""LiteRTModel: refuses what it cannot load, by name."""

import pytest

from tfxfer.errors import BundleError
from tfxfer.exports import LiteRTModel


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no model" * 10)
    with pytest.raises(BundleError, match=f"^LiteRT cannot load {tmp_path / 'model.tflite'}: "):
        LiteRTModel(tmp_path / "model.tflite")

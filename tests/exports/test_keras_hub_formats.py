"""A model on a preset of KerasHub needs none of it in LiteRT."""

import subprocess
import sys

import pytest

from tfxfer.exports import FORMATS
from tfxfer.models import build

pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)

from tests import keras_hub_presets as presets

PREDICTING = """
import sys
import numpy as np
from tfxfer.exports.litert import LiteRTModel
print(LiteRTModel(sys.argv[1]).scores(np.zeros((32, 32, 3), np.uint8)).sum().round(4))
assert not {"keras_hub", "keras", "tensorflow"} & set(sys.modules)
"""


def test_its_lite_file_runs_with_builtin_operators_alone(tmp_path):
    folder = presets.write_preset(tmp_path / "vit", "ViT")
    FORMATS["tflite"].write(build(classes=4, backbone=f"kerashub:{folder}"), tmp_path / "model.tflite", None)
    content = (tmp_path / "model.tflite").read_bytes()
    assert b"Flex" not in content
    command = [sys.executable, "-c", PREDICTING, str(tmp_path / "model.tflite")]
    assert float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) == 1

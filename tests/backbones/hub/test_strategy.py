"""A hub module learns under MirroredStrategy as on one device, and travels between them."""

import json
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_two_devices_learn_like_one(hub_module, tmp_path):
    command = [sys.executable, "-m", "tests.backbones.hub.mirrored", str(hub_module), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr[-3000:]
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert set(outcome) == {"single", "loaded outside", "loaded inside", "predictions", "going on"}
    assert {name: value for name, value in outcome.items() if value > 1e-5} == {}

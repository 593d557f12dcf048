"""GPU memory grows as it is needed; what TensorFlow makes of it is not tested here, where there is no GPU."""

import subprocess
import sys

import pytest

from tfxfer.runtime.memory_growth import SWITCH, let_memory_grow


@pytest.mark.parametrize(("before", "after"), [({}, "true"), ({SWITCH: "false"}, "false")])
def test_it_grows_unless_somebody_said_otherwise(before, after):
    let_memory_grow(before)
    assert before == {SWITCH: after}


def test_importing_tfxfer_says_so_before_any_device_begins():
    code = f"import os; os.environ.pop({SWITCH!r}, None); import tfxfer; print(os.environ[{SWITCH!r}])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "true\n"

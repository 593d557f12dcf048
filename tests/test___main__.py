"""``python -m tfxfer`` opens the same door."""

import subprocess
import sys

import tfxfer


def test_it_tells_its_version():
    command = [sys.executable, "-m", "tfxfer", "--version"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert run.stdout == f"tfxfer, version {tfxfer.__version__}\n"

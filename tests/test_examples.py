"""Every example runs, as its docstring says."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs(example, shared_pictures, tmp_path):
    usage = example.read_text().split("python examples/")[1].splitlines()[0].split()
    result = tmp_path / ("model.keras" if usage[-1] == "FILE.keras" else "model")
    command = [sys.executable, str(example), str(shared_pictures), str(result)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert result.exists()
    assert "accuracy" in run.stdout

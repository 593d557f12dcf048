"""Every example runs, as its docstring says."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
QUICK = {"plain_keras"}
ELSEWHERE = {"edge"}  # run without TensorFlow, by test_distributions


# Keras warns of its own default where it is given a tf.data.Dataset.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed, but will be ignored:UserWarning")
@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
        for path in EXAMPLES
        if path.stem not in ELSEWHERE
    ],
)
def test_it_runs(example, shared_pictures, tmp_path, capsys, monkeypatch):
    usage = example.read_text().split("python examples/")[1].splitlines()[0].split()
    result = tmp_path / ("model.keras" if usage[-1] == "FILE.keras" else "model")
    monkeypatch.setattr(sys, "argv", [str(example), str(shared_pictures), str(result)])
    runpy.run_path(str(example), run_name="__main__")
    assert result.exists()
    assert "accuracy" in capsys.readouterr().out

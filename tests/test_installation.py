"""What is installed is whole: every dependency imports, none conflicts."""

import re
import subprocess
import sys
from importlib.metadata import requires

import pytest

IMPORTED_AS = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "ai-edge-quantizer": "ai_edge_quantizer.quantizer",
    "importlib-resources": "importlib_resources",
    "lazy-loader": "lazy_loader",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "tensorflow-datasets": "tensorflow_datasets",
    "tensorflow-hub": "tensorflow_hub",
    "tomli-w": "tomli_w",
}


def test_every_dependency_imports():
    """TensorFlow Hub is the one that did not, without a bound on setuptools."""
    plain = [line for line in requires("tfxfer") if "extra ==" not in line]
    names = [re.split(r"[<>=!;\[ ]", line)[0] for line in plain]
    modules = [IMPORTED_AS.get(name, name) for name in names]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in modules)
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_no_two_packages_conflict():
    run = subprocess.run([sys.executable, "-m", "pip", "check"], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout

"""A search made once, which its tests look at from all sides."""

import pytest

import tfxfer
from tfxfer import FloatRange

SPACE = {"head_rate": FloatRange(1e-3, 1e-1, log=True), "dropout": FloatRange(0.0, 0.5)}
FIXED = {"backbone": "micro", "image_size": 32, "plan": "head", "head_epochs": 2}
SEARCH = {"space": SPACE, "fixed": FIXED, "pruner": "none", "progress": False}
SEARCH |= {"formats": ("keras",), "report": False, "calibrate": False}  # as transfer takes them


@pytest.fixture(scope="session")
def found(shared_pictures, tmp_path_factory):
    """Three trials on three colours."""
    return tfxfer.search(shared_pictures, to=tmp_path_factory.mktemp("search") / "study", trials=3, **SEARCH)

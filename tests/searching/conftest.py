"""A search made once, which its tests look at from all sides."""

import pytest
from sqlalchemy import Engine, event

import tfxfer
from tfxfer import FloatRange

SPACE = {"head_rate": FloatRange(1e-3, 1e-1, log=True), "dropout": FloatRange(0.0, 0.5)}
FIXED = {"backbone": "micro", "image_size": 32, "plan": "head", "head_epochs": 2}
SEARCH = {"space": SPACE, "fixed": FIXED, "pruner": "none", "progress": False}
SEARCH |= {"formats": ("keras",), "report": False, "calibrate": False}  # as transfer takes them


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk():
    """Have SQLite not wait until each step of a study is on the disk: no test here ends by a power cut."""

    def hurry(connection, _):
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", hurry)
    yield
    event.remove(Engine, "connect", hurry)


@pytest.fixture(scope="session")
def found(shared_pictures, tmp_path_factory):
    """Three trials on three colours."""
    return tfxfer.search(shared_pictures, to=tmp_path_factory.mktemp("search") / "study", trials=3, **SEARCH)

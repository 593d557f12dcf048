"""One trained model and its bundle, made once for the room."""

import pytest

from tfxfer.data import from_folder
from tfxfer.exports import export
from tfxfer.models import build
from tfxfer.training import Phase, fit


@pytest.fixture(scope="session")
def photos(shared_pictures):
    return from_folder(shared_pictures, seed=4)


@pytest.fixture(scope="session")
def fitted(photos):
    model = build(photos, backbone="micro", image_size=32)
    log = fit(model, photos, plan=[Phase("head", epochs=5, rate=3e-3)], progress=False)
    return model, log


@pytest.fixture(scope="session")
def bundle(fitted, photos, tmp_path_factory):
    model, log = fitted
    target = tmp_path_factory.mktemp("bundle") / "colours"
    artifacts = export(model, target, photos, log=log, settings={"seed": 4})
    return target, artifacts

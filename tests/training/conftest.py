"""The pictures that tests of training share."""

import pytest

from tfxfer.data import from_folder


@pytest.fixture(scope="session")
def photos(shared_pictures):
    return from_folder(shared_pictures)

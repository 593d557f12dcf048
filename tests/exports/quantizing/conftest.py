"""A trained network as the converters take it, and pictures to convert by."""

import numpy as np
import pytest

from tfxfer.exports.material import Material
from tfxfer.exports.quantizing.converter import converted
from tfxfer.models import input_contract


@pytest.fixture(scope="package")
def saved(bundle):
    return bundle[0] / "saved_model" / "1"


@pytest.fixture(scope="package")
def images(fitted, photos):
    return Material(photos, input_contract(fitted[0])).representative


@pytest.fixture(scope="package")
def expected(fitted, images):
    return np.asarray(fitted[0].predict(images, verbose=0))


@pytest.fixture(scope="package")
def float32(saved):
    return converted(saved, "float32")

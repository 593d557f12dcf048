"""What tests of the command line share."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="session")
def _what_other_tests_left_is_not_searched_again():
    """Commands end with a search for cycles, which goes through all that tests before have left."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()

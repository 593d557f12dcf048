"""tfxfer cache: how much room kept features take, and how they go; without TensorFlow."""

import json

import pytest
from click.testing import CliRunner

from tfxfer.cli.main import tfxfer_command


@pytest.fixture
def kept(cache_home):
    store = cache_home / "features" / "a"
    store.mkdir(parents=True)
    (store / "b.arrow").write_bytes(b"0" * 1_500_000)
    return cache_home / "features"


def run(*arguments):
    outcome = CliRunner().invoke(tfxfer_command, ["cache", *arguments])
    assert outcome.exit_code == 0
    return outcome.stdout


def test_it_says_what_they_take(kept):
    assert run() == f"1.5 MB of features of 1 frozen part in {kept}.\n"
    assert json.loads(run("--json")) == {
        "folder": str(kept),
        "models": 1,
        "bytes": 1_500_000,
        "cleared": False,
    }


def test_they_go_when_asked(kept):
    assert run("--clear") == f"Removed 1.5 MB of features of 1 frozen part in {kept}.\n"
    assert run() == f"0.0 MB of features of 0 frozen parts in {kept}.\n"

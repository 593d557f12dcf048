"""tfxfer rank: a table or one JSON document on standard output."""

import json

import pytest

from tests.cli.test_commands import run
from tfxfer.cli.main import main


def test_it_prints_a_table_or_json_and_draws(capfd, shared_pictures, tmp_path):
    options = ("--backbones", "micro", "--image-size", "32", "--images", "20")
    captured = run(capfd, "rank", shared_pictures, *options, "--picture", tmp_path / "ranking.svg")
    assert captured.out.splitlines()[1].startswith("micro *")
    assert (tmp_path / "ranking.svg").read_text().startswith("<?xml")
    outcome = json.loads(run(capfd, "rank", shared_pictures, *options, "--json").out)
    assert (outcome["images"], [each["name"] for each in outcome["backbones"]]) == (20, ["micro"])


def test_a_cache_that_cannot_be_written_is_told_with_what_rank_can_do(capfd, shared_pictures, cache_home):
    (cache_home / "features").write_text("a file")
    message = (
        f"features cannot be kept in {cache_home / 'features'} (File exists); have XDG_CACHE_HOME name a "
        "folder that can be written and has room."
    )
    with pytest.raises(SystemExit) as left:
        main(["rank", str(shared_pictures), "--backbones", "micro", "--image-size", "32"])
    assert left.value.code == 2
    assert capfd.readouterr().err.endswith(f"{message}\n")

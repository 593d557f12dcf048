"""tfxfer rank: a table or one JSON document on standard output."""

import json

from tests.cli.test_commands import run


def test_it_prints_a_table_or_json_and_draws(capfd, shared_pictures, tmp_path):
    options = ("--backbones", "micro", "--image-size", "32", "--images", "20")
    captured = run(capfd, "rank", shared_pictures, *options, "--picture", tmp_path / "ranking.svg")
    assert captured.out.splitlines()[1].startswith("micro *")
    assert (tmp_path / "ranking.svg").read_text().startswith("<?xml")
    outcome = json.loads(run(capfd, "rank", shared_pictures, *options, "--json").out)
    assert (outcome["images"], [each["name"] for each in outcome["backbones"]]) == (20, ["micro"])

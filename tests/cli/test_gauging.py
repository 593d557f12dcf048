"""tfxfer gap: a sentence or one JSON document on standard output."""

import json

from tests.cli.test_commands import run


def test_it_prints_a_sentence_or_json(capfd, shared_pictures):
    options = ("--backbone", "micro", "--image-size", "32", "--images", "20")
    captured = run(capfd, "gap", shared_pictures, *options)
    assert captured.out.startswith("20 pictures are 0.")
    assert captured.err == ""
    outcome = json.loads(run(capfd, "gap", shared_pictures, *options, "--json").out)
    assert (outcome["images"], outcome["backbone"]) == (20, "micro")
    assert outcome["advice"] in captured.out

"""tfxfer search: a table or one JSON document on standard output, trials on standard error."""

import json
import re

import pytest

from tests.cli.test_commands import run
from tfxfer.cli.main import main

QUICK = ("--plan", "head", "--set", "head_epochs=2", "--image-size", "32", "--backbone", "micro")
PLAN_TWICE = "plan is fixed to 'head' and varies over head,full; leave one out."


@pytest.mark.slow
def test_it_prints_a_table_and_goes_on_with_json(capfd, shared_pictures, tmp_path):
    command = ("search", shared_pictures, "--to", tmp_path / "study", *QUICK)
    vary = ("--vary", "head_rate=1e-3..1e-1:log", "--vary", "mix=none,mixup")
    captured = run(capfd, *command, *vary, "--trials", "1")
    assert captured.out.splitlines()[0].split() == [
        *("trial", "loss", "accuracy", "epochs", "seconds", "head_rate", "mix")
    ]
    assert captured.out.splitlines()[-1] == f"Try it: tfxfer predict {tmp_path / 'study' / 'best'} IMAGE"
    assert re.search(r"^trial 0: loss \d", captured.err, flags=re.MULTILINE)
    outcome = json.loads(run(capfd, *command, *vary, "--trials", "2", "--json").out)
    assert [trial["number"] for trial in outcome["trials"]] == [0, 1]
    assert set(outcome["best"]["settings"]) == {"head_rate", "mix"}
    assert len(outcome["run"]["files"]) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--vary", "dropout"), "--vary 'dropout' has no '='; write --vary NAME=WHAT."),
        (("--set", "dropout"), "--set 'dropout' has no '='; write --set NAME=VALUE."),
        (("--set", "dropout=0", "--set", "dropout=0.1"), "--set names dropout twice; leave one out."),
        (("--vary", "dropout=0..1"), "dropout must be a number in [0, 1), got 1.0."),
        (("--set", "rate=0"), "rate must be a number above 0, got 0.0."),
        (("--set", "plan=head", "--plan", "full"), "plan is 'full', and fixed has 'head'; leave one out."),
        (("--plan", "head", "--vary", "plan=head,full"), PLAN_TWICE),
    ],
    ids=str,
)
def test_wrong_options_are_refused_with_status_2(capfd, shared_pictures, tmp_path, options, message):
    with pytest.raises(SystemExit) as left:
        main(["search", str(shared_pictures), "--to", str(tmp_path / "study"), *options])
    assert left.value.code == 2
    assert capfd.readouterr().err.strip() == f"tfxfer: {message}"
    assert list(tmp_path.iterdir()) == []

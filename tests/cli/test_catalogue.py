"""``tfxfer backbones``: a table people can read, a document scripts can read, a picture on request."""

import json
import sys

import pytest

import tfxfer
from tfxfer.cli.main import main


def run(capfd, *arguments, expected=0):
    """Run the command in this process; return standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main(["backbones", *map(str, arguments)])
    captured = capfd.readouterr()
    assert left.value.code == expected, captured.err
    return captured


def names(output):
    return [line.split()[0] for line in output.splitlines()[1:]]


def test_all_are_listed_in_lines_that_fit(capfd):
    captured = run(capfd)
    lines = captured.out.splitlines()
    assert names(captured.out) == [spec.name for spec in tfxfer.BACKBONES]
    columns = "name input top-1 parameters MACs features stages weights licence"
    assert lines[0].split() == columns.split()
    assert all(len(line.split()) == len(columns.split()) for line in lines)
    assert max(map(len, lines)) <= 110
    assert captured.err == ""


def test_a_line_says_what_the_entry_says(capfd):
    output = run(capfd, "--max-parameters", "220k").out
    assert output == (
        "name             input  top-1  parameters   MACs  features  stages  weights   licence\n"
        "mobilenet_025  224x224   51.6        219k  40.8M       256      14  imagenet  Apache-2.0\n"
    )


def test_what_has_no_accuracy_shows_a_dash(capfd):
    assert run(capfd, "--max-macs", "20M").out.splitlines()[1].split()[:3] == ["micro", "64x64", "-"]


def test_limits_and_order_are_those_of_find_backbones(capfd):
    arguments = ("--max-parameters", "5M", "--max-macs", "400M", "--min-top1", "70", "--sort", "top1")
    found = tfxfer.find_backbones(max_parameters="5M", max_macs="400M", min_top1=70, sort="top1")
    assert len(found) == 5
    assert names(run(capfd, *arguments).out) == [spec.name for spec in found]


def test_as_json_they_are_the_catalogue(capfd):
    listed = json.loads(run(capfd, "--json").out)
    assert [entry["name"] for entry in listed] == [spec.name for spec in tfxfer.BACKBONES]
    for entry, spec in zip(listed, tfxfer.BACKBONES, strict=True):
        for fact in ("parameters", "macs", "top1", "licence", "source", "scaling"):
            assert entry[fact] == getattr(spec, fact)
        assert entry["stages"] == list(spec.stage_names)
        assert (entry["height"], entry["width"]) == (spec.input.height, spec.input.width)


@pytest.mark.parametrize(("arguments", "output"), [((), ""), (("--json",), "[]\n")], ids=["table", "json"])
def test_nothing_within_the_limits_is_said(capfd, arguments, output, tmp_path):
    captured = run(capfd, "--max-macs", "1k", "--picture", tmp_path / "all.png", *arguments)
    assert captured.out == output
    assert captured.err == (
        f"None of the {len(tfxfer.BACKBONES)} backbones is within these limits; loosen one.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_drawn_on_request(capfd, tmp_path):
    pytest.importorskip("matplotlib", reason="pip install 'tfxfer[test]'")
    file = tmp_path / "small.png"
    captured = run(capfd, "--max-macs", "400M", "--picture", file, "--json")
    assert len(json.loads(captured.out)) == 15
    assert captured.err == f"Drawn to {file}.\n"
    assert file.stat().st_size > 10_000


def test_a_picture_without_matplotlib_is_a_failure(capfd, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    captured = run(capfd, "--picture", tmp_path / "all.png", expected=1)
    assert captured.out == ""
    assert captured.err == (
        "tfxfer: a picture of the backbones needs matplotlib, which is not installed; "
        "pip install 'tfxfer[plot]'.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--max-parameters", "5X"),
            "tfxfer: max_parameters must be a whole count above 0, got '5X'; write it as 400k, 5M, 1.2G or "
            "5000000.\n",
        ),
        (
            ("--min-top1", "101"),
            "tfxfer: min_top1 must be in 0..100, got 101.0; it is a percentage, e.g. 75.\n",
        ),
    ],
    ids=["count", "percent"],
)
def test_a_wrong_limit_is_status_2(capfd, arguments, message):
    assert run(capfd, *arguments, expected=2).err == message

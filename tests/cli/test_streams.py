"""Streams: results on standard output, TensorFlow's words for those who ask."""

import json
import logging

import pytest

from tfxfer.cli.streams import complain, print_json, quiet


@pytest.mark.parametrize(("debug", "shown"), [("0", []), ("1", ["retracing is expensive"])])
def test_tensorflow_s_warnings_are_for_those_who_seek_a_fault(monkeypatch, caplog, debug, shown):
    monkeypatch.setenv("TFXFER_DEBUG", debug)
    logger = logging.getLogger("tensorflow")
    before = logger.level
    with quiet():
        logger.warning("retracing is expensive")
    assert caplog.messages == shown
    assert logger.level == before


def test_what_is_printed_within_is_no_result(capsys):
    with quiet():
        print("chatter")
    print_json({"a": [1, 2]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, 2]}


def test_json_has_no_word_for_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(float("nan"))


def test_a_complaint_is_a_line_on_standard_error(capsys):
    complain("a.png is an empty file.")
    assert capsys.readouterr() == ("", "tfxfer: a.png is an empty file.\n")
